// Acts on words selected in the answer that change the correction: strike them, cite a source behind them.
// And: start from an answer that somebody wrote already, compare side by side or inline. All of it is done
// as if typed, so that the browser's own undo takes it back.

import { follow, selectedNow } from "./spans.js";
import { original } from "./correction_diff.js";
import { form, isInHand, item, onItem, say, screen, words } from "./item.js";
import { wordDiff } from "./word_diff.js";

const KEPT = "feedbackhub.review.diff";
const area = () => form()?.querySelector("[data-correction]");

// A text area keeps no carriage returns.
const withoutReturns = (text, at) => at - (text.slice(0, at).match(/\r\n/g)?.length ?? 0);

// Where a place of the answer is in the correction as it is by now.
export function placeIn(before, after, at) {
  let [old, now] = [0, 0];
  for (const [kind, text] of wordDiff(before, after)) {
    if (kind === "+") now += text.length;
    else if (kind === "-") {
      if (at < old + text.length) return now;
      old += text.length;
    } else {
      if (at <= old + text.length) return now + at - old;
      old += text.length;
      now += text.length;
    }
  }
  return now;
}

// Put `text` in place of a stretch of the correction, as if typed.
function type(start, end, text) {
  const field = area();
  field.focus();
  field.setSelectionRange(start, end);
  const isDone = text
    ? document.execCommand("insertText", false, text)
    : document.execCommand("delete");
  if (!isDone) {
    field.setRangeText(text, start, end, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  field.scrollIntoView({ block: "nearest" });
}

function inCorrection() {
  const found = selectedNow();
  if (!found || found.element.dataset.text !== "output" || !isInHand()) return null;
  const before = original();
  if (!before) return null;
  const text = found.element.firstChild.data;
  const [start, end] = [found.start, found.end].map((at) =>
    placeIn(before, area().value, withoutReturns(text, at)),
  );
  return { start, end };
}

screen.addEventListener("click", (event) => {
  const act = event.target.closest("[data-strike], [data-cite]");
  const found = act && inCorrection();
  if (!found) return;
  const { value } = area();
  if ("strike" in act.dataset) {
    const isSpaced = /\s/.test(value[found.start - 1] ?? "") && /[\s.,;:!?]|^$/.test(value[found.end] ?? "");
    type(found.start - (isSpaced ? 1 : 0), found.end, "");
    say(words.struck);
  } else {
    type(found.end, found.end, ` [${act.dataset.cite}]`);
    say(words.cited);
  }
  follow(); // the words are in the correction now, nothing is selected in the answer
});

// They are for the answer alone.
document.addEventListener("selectionchange", () => {
  const acts = item()?.querySelector("[data-acts]");
  if (!acts) return;
  const found = selectedNow();
  acts.hidden = !found || found.element.dataset.text !== "output" || !original();
});

screen.addEventListener("start-from", ({ detail: { text } }) => {
  type(0, area().value.length, text);
});

// --- side by side or inline ---------------------------------------------------------------------

function arrange(isBeside) {
  form()?.querySelector("[data-correction-diff]")?.toggleAttribute("data-beside", isBeside);
  form()?.querySelector("[data-diff-toggle]")?.setAttribute("aria-pressed", String(isBeside));
}

const isKeptBeside = () => {
  try {
    return localStorage.getItem(KEPT) === "beside";
  } catch {
    return false;
  }
};

screen.addEventListener("click", (event) => {
  if (!event.target.closest("[data-diff-toggle]")) return;
  const isBeside = !form().querySelector("[data-correction-diff]").hasAttribute("data-beside");
  try {
    localStorage.setItem(KEPT, isBeside ? "beside" : "inline");
  } catch {
    // A browser that keeps nothing.
  }
  arrange(isBeside);
});

onItem(() => arrange(isKeptBeside()));
