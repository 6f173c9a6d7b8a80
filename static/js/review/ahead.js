// The next items are fetched before they are asked for, with the queue column and the figures.

import { item, onItem, parse, screen } from "./item.js";

const ahead = new Map(); // id → {fence, element}
let asking = null;

// The item with this id as it was fetched ahead, if it is still the same lease.
export function takeAhead({ id, fence }) {
  const found = ahead.get(id);
  ahead.delete(id);
  return found && found.fence === String(fence) ? found.element : null;
}

function replace(id, fresh) {
  const old = document.getElementById(id);
  if (fresh && !old?.querySelector(":popover-open")) {
    old?.replaceWith(fresh);
    fresh.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true }));
  }
}

async function fetchAhead() {
  asking?.abort();
  asking = new AbortController();
  const body = new FormData();
  body.set("here", item()?.dataset.item ?? "");
  try {
    const response = await fetch(screen.dataset.aheadUrl, {
      method: "POST",
      body,
      headers: { "X-CSRFToken": document.querySelector('[name="csrfmiddlewaretoken"]').value },
      redirect: "manual",
      signal: asking.signal,
    });
    if (!response.ok) return;
    const answer = parse(await response.text());
    ahead.clear();
    for (const template of answer.querySelectorAll("template[data-ahead]")) {
      const element = template.content.getElementById("review-item");
      ahead.set(template.dataset.ahead, { fence: template.dataset.fence, element });
    }
    replace("review-queue", answer.getElementById("review-queue"));
    replace("review-figures", answer.getElementById("review-figures"));
    screen.dataset.aheadCount = String(ahead.size);
    screen.dispatchEvent(new Event("ahead"));
  } catch {
    // No connection: the next item is fetched when it is asked for.
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
  moveUp(shown.dataset.item);
  delete screen.dataset.aheadCount;
  setTimeout(fetchAhead, 0); // after this item is painted
});
