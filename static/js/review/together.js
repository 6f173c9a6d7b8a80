// [data-together]: look-alikes that wait too. What each would get is said below it as the decision changes; those
// that are ticked go out with the answer. One that was fetched ahead is not shown next: it is answered by then.

import { fill, form, item, onItem, say, screen, words } from "./item.js";

const boxes = () => [...(item()?.querySelectorAll('[data-together] [name="together"]') ?? [])];

// A choice's own words, without its key and its hint.
const labelOf = (field) =>
  field.closest("label").querySelector(":scope > span:not(.keycaps, .hint)")?.textContent.trim() ?? "";

function answer() {
  const chosen = form()?.querySelectorAll('[name="verdict"]:checked, [name="severity"]:checked, [name="categories"]:checked');
  return [...(chosen ?? [])].map(labelOf).filter(Boolean);
}

function hasCorrection() {
  const restore = form()?.querySelector("[data-restore]");
  return Boolean(restore && !restore.hidden);
}

function draw() {
  const said = answer();
  const isCorrected = hasCorrection();
  for (const box of boxes()) {
    const all = [...said];
    if (isCorrected) all.push("hasSameAnswer" in box.dataset ? words.getsCorrection : words.getsNoCorrection);
    const place = box.closest("li").querySelector("[data-gets]");
    place.textContent = said.length ? fill(words.gets, { answer: all.join(", ") }) : words.getsNothing;
  }
}

// Those of the ticked that are in this browser already, as the line knows them.
export const tickedAhead = () =>
  boxes()
    .filter((box) => box.checked && box.dataset.aheadId)
    .map((box) => box.dataset.aheadId);

screen.addEventListener("click", (event) => {
  if (!event.target.closest("[data-tick-all]")) return;
  const all = boxes();
  const isOn = !all.every((box) => box.checked);
  for (const box of all) box.checked = isOn;
  say(fill(words.ticked, { n: isOn ? all.length : 0 }));
});

let timer = null;
const soon = () => {
  clearTimeout(timer);
  timer = setTimeout(draw, 80);
};
for (const name of ["change", "input", "htmx:load", "filled"]) screen.addEventListener(name, soon);
onItem(soon);
