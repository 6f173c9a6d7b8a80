// [data-correction]: what changes against the answer is shown below while one types.

import { form, item, onItem, screen, words } from "./item.js";
import { movedIn, wordDiff } from "./word_diff.js";

const LONGEST = 60_000; // characters, both texts
const TAGS = { "-": "del", "+": "ins" };

const inTextArea = (text) => text.replace(/\r\n?/g, "\n"); // as a text area keeps it

export function original() {
  const area = form()?.querySelector("[data-correction]");
  if (!area || "noOriginal" in area.dataset) return "";
  return inTextArea(item().querySelector('[data-text="output"]')?.textContent ?? "");
}

function draw() {
  const area = form()?.querySelector("[data-correction]");
  const place = form()?.querySelector("[data-correction-diff]");
  if (!area || !place) return;
  const before = original();
  const isChanged = area.value !== before && (before !== "" || area.value !== "");
  place.hidden = !isChanged || before === "";
  form().querySelector("[data-restore]").hidden = !isChanged || area.disabled;
  form().querySelector("[data-diff-toggle]").hidden = place.hidden;
  if (place.hidden) return;
  if (before.length + area.value.length > LONGEST) {
    place.textContent = words.tooLong;
    return;
  }
  const steps = wordDiff(before, area.value);
  place.replaceChildren(
    column(steps, "inline", "=-+"),
    column(steps, "before", "=-"),
    column(steps, "after", "=+"),
  );
}

// The changes in one text, or the text before and the one after beside each other; the style shows one of them.
function column(steps, name, kinds) {
  const drawn = document.createElement("div");
  const isMoved = movedIn(steps);
  drawn.dataset.diffColumn = name;
  drawn.dir = "auto";
  for (const [kind, text] of steps) {
    if (!kinds.includes(kind)) continue;
    const part = kind === "=" ? document.createTextNode(text) : document.createElement(TAGS[kind]);
    part.textContent = text;
    if (kind !== "=" && isMoved(text)) part.className = "is-moved";
    drawn.append(part);
  }
  return drawn;
}

let timer = null;
screen.addEventListener("input", (event) => {
  if (!event.target.matches("[data-correction]")) return;
  clearTimeout(timer);
  timer = setTimeout(draw, 60);
});

screen.addEventListener("click", (event) => {
  if (!event.target.closest("[data-restore]")) return;
  const area = form().querySelector("[data-correction]");
  area.focus();
  area.select();
  // As if typed, so that the browser's own undo brings the correction back.
  const before = original();
  const isDone = before
    ? document.execCommand("insertText", false, before)
    : document.execCommand("delete");
  if (!isDone || area.value !== before) {
    area.value = before;
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
});

onItem(draw);
screen.addEventListener("filled", draw);
