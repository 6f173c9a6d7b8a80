// [data-divider] drags with pointer or arrow keys, [data-fold-queue] folds the queue. Widths are kept
// in this browser.

import { onItem, screen } from "./item.js";

const KEPT = "feedbackhub.review.columns";
const LIMITS = { queue: [180, 420], decision: [320, 760] };
const STEP = 16;

let kept = {};
try {
  kept = JSON.parse(localStorage.getItem(KEPT)) ?? {};
} catch {
  kept = {};
}

function keep() {
  try {
    localStorage.setItem(KEPT, JSON.stringify(kept));
  } catch {
    // A browser that keeps nothing: they last as long as the page.
  }
}

const columnOf = (name) =>
  screen.querySelector(name === "queue" ? ".review-queue" : ".review-decision");
const widthOf = (name) => Math.round(columnOf(name).getBoundingClientRect().width);

function setWidth(name, width) {
  const [least, most] = LIMITS[name];
  const room = Math.max(least, Math.min(most, innerWidth * 0.55));
  kept[name] = Math.round(Math.max(least, Math.min(room, width)));
  apply();
}

function apply() {
  for (const name of Object.keys(LIMITS)) {
    if (Number.isFinite(kept[name])) screen.style.setProperty(`--${name}-width`, `${kept[name]}px`);
    const divider = screen.querySelector(`[data-divider="${name}"]`);
    divider?.setAttribute("aria-valuemin", LIMITS[name][0]);
    divider?.setAttribute("aria-valuemax", LIMITS[name][1]);
    if (columnOf(name)) divider?.setAttribute("aria-valuenow", widthOf(name));
  }
  screen.toggleAttribute("data-queue-folded", kept.folded === true);
  const fold = screen.querySelector("[data-fold-queue]");
  fold?.setAttribute("aria-expanded", String(kept.folded !== true));
}

// From the pointer to a width: the queue grows to the end of its line, the decision to the start.
const grows = (name) =>
  (name === "queue" ? 1 : -1) * (getComputedStyle(screen).direction === "rtl" ? -1 : 1);

screen.addEventListener("pointerdown", (event) => {
  const divider = event.target.closest("[data-divider]");
  if (!divider) return;
  const name = divider.dataset.divider;
  const from = event.clientX;
  const width = widthOf(name);
  divider.setPointerCapture(event.pointerId);
  divider.dataset.dragged = "";
  const move = (moved) => setWidth(name, width + grows(name) * (moved.clientX - from));
  divider.addEventListener("pointermove", move);
  divider.addEventListener(
    "lostpointercapture",
    () => {
      divider.removeEventListener("pointermove", move);
      delete divider.dataset.dragged;
      keep();
    },
    { once: true },
  );
});

screen.addEventListener("keydown", (event) => {
  const divider = event.target.closest("[data-divider]");
  const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!divider || !way) return;
  event.preventDefault();
  const name = divider.dataset.divider;
  setWidth(name, widthOf(name) + way * grows(name) * STEP);
  keep();
});

screen.addEventListener("click", (event) => {
  if (event.target.closest("[data-fold-queue]")) {
    kept.folded = kept.folded !== true;
    apply();
    keep();
  }
});

screen.addEventListener("ahead", apply); // the queue column was drawn anew
onItem(apply);
