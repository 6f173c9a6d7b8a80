// The next items are fetched before they are asked for, with the queue column and the figures. What is
// fetched is kept in this browser too, as long as its lease runs.

import { item, onItem, parse, patience, screen, token } from "./item.js";
import * as kept from "./kept.js";
import * as outbox from "./outbox.js";

const ahead = new Map(); // id → {fence, element}, in their order
const left = new Set(); // what was answered here, whatever the server says until it has heard of it
let asking = null;

// The next item as it was fetched ahead: of this lease, or simply the first one that nobody answered.
export function takeAhead(wanted = null) {
  for (const [id, { fence, element }] of ahead) {
    if (wanted ? id !== wanted.id : left.has(id) || outbox.has(id)) continue;
    ahead.delete(id);
    return wanted && fence !== String(wanted.fence) ? null : element;
  }
  return null;
}

export const leaveBehind = (id) => left.add(id);
export const comeBack = (id) => left.delete(id);

// What was open goes back to the front of the line, with all that was typed in it.
export function putBack(element) {
  asking?.abort(); // its answer would leave out what was open when it was asked
  const others = [...ahead];
  ahead.clear();
  ahead.set(element.dataset.item, { fence: element.dataset.fence, element });
  for (const [id, each] of others) ahead.set(id, each);
}

export function keepAhead(element) {
  ahead.set(element.dataset.item, { fence: element.dataset.fence, element });
}

function replace(id, fresh) {
  const old = document.getElementById(id);
  if (fresh && !old?.querySelector(":popover-open")) {
    old?.replaceWith(fresh);
    fresh.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true }));
  }
}

export async function fetchAhead() {
  asking?.abort();
  asking = new AbortController();
  const body = new FormData();
  body.set("here", item()?.dataset.item ?? "");
  for (const [id, { fence }] of ahead) body.append("known", `${id} ${fence}`);
  try {
    const response = await fetch(screen.dataset.aheadUrl, {
      method: "POST",
      body,
      headers: { "X-CSRFToken": token() },
      redirect: "manual",
      signal: AbortSignal.any([asking.signal, patience()]),
    });
    if (!response.ok) return;
    const answer = parse(await response.text());
    takeIn(answer.querySelectorAll("template[data-ahead]"));
    replace("review-queue", answer.getElementById("review-queue"));
    replace("review-figures", answer.getElementById("review-figures"));
    screen.dataset.aheadCount = String(ahead.size);
    screen.dispatchEvent(new Event("ahead"));
  } catch {
    // No connection: what was fetched before is still there.
  }
}

// In the server's order; those it did not draw again are here already.
function takeIn(templates) {
  const known = new Map(ahead);
  ahead.clear();
  for (const template of templates) {
    const { ahead: id, fence, leaseUntil } = template.dataset;
    const element = template.content.getElementById("review-item");
    if (element) {
      ahead.set(id, { fence, element });
      kept.keepItem(element, template.innerHTML);
    } else if (known.get(id)?.fence === fence) {
      ahead.set(id, known.get(id));
      kept.extendLease(id, leaseUntil);
    }
  }
}

// The line moves up at once; the fresh one follows.
function moveUp(id) {
  const row = screen.querySelector(`[data-ahead-id="${CSS.escape(id)}"]`);
  if (!row) return;
  screen.querySelector(".review-line > .is-here")?.remove();
  row.classList.add("is-here");
  row.setAttribute("aria-current", "true");
}

onItem((shown) => {
  left.delete(shown.dataset.item);
  moveUp(shown.dataset.item);
  delete screen.dataset.aheadCount;
  // After this item is painted; while answers are on their way, after they have arrived.
  if (outbox.isIdle()) setTimeout(fetchAhead, 0);
});
screen.addEventListener("sent", () => outbox.isIdle() && fetchAhead());
