// How many answers are not sent yet, always in sight ([data-outbox]); behind it what they are, and what to do.

import { fill, screen, words } from "./item.js";
import * as outbox from "./outbox.js";
import { bringBack } from "./submit.js";

const place = () => screen.querySelector("[data-outbox]");
const blank = () => document.getElementById("review-unsent-blank");

const MOMENT = 700; // what is sent at once needs no telling
let timer = null;

function draw({ entries, isSignedOut }) {
  clearTimeout(timer);
  const box = place();
  if (!box) return;
  box.hidden = entries.length === 0;
  box.dataset.count = String(entries.length);
  box.querySelector("[data-outbox-count]").textContent = fill(words.unsent, { n: entries.length });
  box.querySelector("[data-outbox-sign-in]").hidden = !isSignedOut;
  box.querySelector("[data-outbox-list]").replaceChildren(
    ...entries.map((entry) => {
      const row = blank().content.firstElementChild.cloneNode(true);
      row.dataset.key = entry.key;
      row.querySelector("[data-unsent-title]").textContent = entry.title || entry.id;
      row.querySelector("[data-unsent-state]").textContent =
        entry.state === "refused" ? words.unsentRefused : words.unsentWaiting;
      return row;
    }),
  );
}

screen.addEventListener("outbox", ({ detail }) => {
  clearTimeout(timer);
  const isSettled = detail.entries.length === 0 || detail.entries.some((entry) => entry.tries);
  if (isSettled || !place()?.hidden) draw(detail);
  else timer = setTimeout(() => draw({ ...detail, entries: outbox.entries() }), MOMENT);
});

screen.addEventListener("click", (event) => {
  const row = event.target.closest("[data-unsent-back]")?.closest("[data-key]");
  const entry = row && outbox.entries().find((each) => each.key === row.dataset.key);
  if (!entry || entry.isOnItsWay) return;
  place().querySelector("[popover]").hidePopover();
  bringBack(entry);
});

screen.addEventListener("click", (event) => {
  if (event.target.closest("[data-outbox-send]")) outbox.flush();
});
