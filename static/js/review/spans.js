// Marks: select words in a text, press a mark's key. They live in the form's hidden field, are drawn
// by the Custom Highlight API (the text itself is left alone) and listed below with what they mark.

import { toCodePoints, toUnits, wholeLetters } from "./code_points.js";
import { fill, form, isInHand, item, onItem, say, screen, toast, words } from "./item.js";
import { choose } from "./view.js";

const COLOURS = 8;
const QUOTED = 80;
const canHighlight = typeof CSS !== "undefined" && "highlights" in CSS;

const field = () => form()?.elements.spans;
const marker = () => item()?.querySelector("[data-marker]");
const read = () => {
  try {
    return JSON.parse(field()?.value || "[]");
  } catch {
    return [];
  }
};
const textOf = (name) => item()?.querySelector(`[data-text="${CSS.escape(name)}"]`);

function write(spans) {
  field().value = spans.length ? JSON.stringify(spans) : "";
  field().dispatchEvent(new Event("change", { bubbles: true }));
  draw();
}

function rangeOf(span) {
  const node = textOf(span.field)?.firstChild;
  if (!node) return null;
  const range = new Range();
  const start = toUnits(node.data, span.start);
  const end = toUnits(node.data, span.end);
  if (start >= end || node.data.slice(start, end) !== span.quote) return null; // beyond what is shown
  range.setStart(node, start);
  range.setEnd(node, end);
  return range;
}

function draw() {
  const spans = read();
  const labels = new Map(
    [...(marker()?.querySelectorAll("[data-mark]") ?? [])].map((button) => [
      button.dataset.mark,
      { name: button.querySelector(".span-key").textContent.trim(), colour: button.dataset.colour },
    ]),
  );
  if (canHighlight) {
    for (let colour = 1; colour <= COLOURS; colour += 1) {
      const ranges = spans
        .filter((span) => labels.get(span.label)?.colour === String(colour))
        .map(rangeOf)
        .filter(Boolean);
      CSS.highlights.set(`span-${colour}`, new Highlight(...ranges));
    }
    CSS.highlights.delete("span-here");
  }
  const list = item()?.querySelector("[data-spans]");
  const blank = document.getElementById("review-span-blank");
  if (!list || !blank) return;
  list.replaceChildren(
    ...spans.map((span, place) => {
      const row = blank.content.firstElementChild.cloneNode(true);
      const label = labels.get(span.label);
      row.dataset.place = String(place);
      row.querySelector(".swatch").classList.add(`span-${label?.colour ?? 1}`);
      row.querySelector("[data-span-label]").textContent = label?.name ?? span.label;
      row.querySelector("[data-span-quote]").textContent =
        span.quote.length > QUOTED ? `${span.quote.slice(0, QUOTED)}…` : span.quote;
      row.querySelector("[data-span-field]").textContent = whereIs(span.field);
      if (!isInHand()) row.querySelector("[data-span-remove]").remove();
      return row;
    }),
  );
}

function whereIs(name) {
  const [kind, place] = name.split(".");
  if (kind === "messages") return fill(words.inMessage, { n: Number(place) + 1 });
  if (kind === "documents") return fill(words.inDocument, { n: Number(place) + 1 });
  return words.inAnswer;
}

// --- what is selected -------------------------------------------------------------------------

// The selected stretch of one text, in units: {element, start, end}; null when there is none.
function selected() {
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  const element = textAt(range.startContainer) ?? textAt(range.endContainer);
  const node = element?.firstChild;
  if (!node) return null;
  const all = new Range();
  all.selectNodeContents(element);
  if (!range.intersectsNode(element)) return null;
  let start = range.compareBoundaryPoints(Range.START_TO_START, all) <= 0 ? 0 : range.startOffset;
  let end = range.compareBoundaryPoints(Range.END_TO_END, all) >= 0 ? node.length : range.endOffset;
  if (range.startContainer === element) start = range.startOffset > 0 ? node.length : 0;
  while (start < end && /\s/.test(node.data[start])) start += 1;
  while (end > start && /\s/.test(node.data[end - 1])) end -= 1;
  if (start >= end) return null;
  [start, end] = wholeLetters(node.data, start, end);
  return { element, start, end };
}

const textAt = (node) =>
  (node instanceof Element ? node : node?.parentElement)?.closest("[data-text]") ?? null;

function follow() {
  const toolbar = marker();
  if (!toolbar || !isInHand()) return;
  const found = selected();
  if (!found) {
    if (toolbar.matches(":popover-open")) toolbar.hidePopover();
    return;
  }
  if (!toolbar.matches(":popover-open")) toolbar.showPopover();
  const range = new Range();
  range.setStart(found.element.firstChild, found.start);
  range.setEnd(found.element.firstChild, found.end);
  const box = range.getBoundingClientRect();
  const { width, height } = toolbar.getBoundingClientRect();
  const left = Math.max(8, Math.min(box.left, document.documentElement.clientWidth - width - 8));
  const below = box.bottom + 8;
  const fits = below + height < document.documentElement.clientHeight - 8;
  toolbar.style.left = `${left}px`;
  toolbar.style.top = `${fits ? below : Math.max(8, box.top - height - 8)}px`;
}

function mark(button) {
  const found = selected();
  if (!found) return false;
  const text = found.element.firstChild.data;
  const span = {
    field: found.element.dataset.text,
    start: toCodePoints(text, found.start),
    end: toCodePoints(text, found.end),
    quote: text.slice(found.start, found.end),
    label: button.dataset.mark,
    note: "",
  };
  const spans = read();
  const isThere = spans.some((each) =>
    ["field", "start", "end", "label"].every((name) => each[name] === span[name]),
  );
  if (!isThere) write([...spans, span]);
  getSelection().collapseToEnd();
  follow();
  const label = button.querySelector(".span-key").textContent.trim();
  say(fill(words.marked, { label, quote: span.quote }));
  return true;
}

// While text is selected a digit marks it; answers whether it did.
export function markBy(key) {
  const toolbar = marker();
  if (!toolbar || !isInHand()) return false;
  const button = toolbar.querySelector(`[data-mark-key="${CSS.escape(key)}"]`);
  return button ? mark(button) : false;
}

document.addEventListener("selectionchange", () => requestAnimationFrame(follow));
screen.addEventListener("scroll", () => requestAnimationFrame(follow), true);

screen.addEventListener("pointerdown", (event) => {
  if (event.target.closest("[data-marker]")) event.preventDefault(); // keep the selection
});

screen.addEventListener("click", (event) => {
  const button = event.target.closest("[data-mark]");
  if (button) mark(button);
  const row = event.target.closest("[data-span]");
  if (row && event.target.closest("[data-span-remove]")) remove(row);
  else if (row && event.target.closest("[data-span-show]")) point(row, true);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && marker()?.matches(":popover-open")) {
    getSelection().removeAllRanges();
    event.preventDefault();
  }
  const row = event.target.closest?.("[data-span]");
  if (row && ["Delete", "Backspace"].includes(event.key) && isInHand()) {
    event.preventDefault();
    remove(row);
  }
});

function remove(row) {
  const list = row.parentElement;
  const place = Number(row.dataset.place);
  write(read().filter((_, at) => at !== place));
  const next = list.children[Math.min(place, list.children.length - 1)];
  (next?.querySelector("button") ?? item().querySelector("#review-title")).focus();
  say(words.unmarked);
}

// Show where a mark lies.
function point(row, doScroll) {
  const span = read()[Number(row.dataset.place)];
  if (span?.field === "output") choose("raw", { keep: false });
  textOf(span?.field)?.closest("details")?.setAttribute("open", "");
  const range = span && rangeOf(span);
  if (!range) return;
  if (canHighlight) CSS.highlights.set("span-here", new Highlight(range));
  if (doScroll) {
    const read = item().querySelector("[data-read]");
    const box = range.getBoundingClientRect();
    const frame = read.getBoundingClientRect();
    if (box.top < frame.top || box.bottom > frame.bottom) {
      read.scrollTop += box.top - frame.top - frame.height / 3;
    }
  }
}
screen.addEventListener("focusin", (event) => {
  const row = event.target.closest("[data-span]");
  if (row && event.target.matches(":focus-visible")) point(row, true);
  else if (canHighlight && !row) CSS.highlights.delete("span-here");
});

// Marks are made in the raw text: who selects in the rendered one is taken there.
screen.addEventListener("pointerup", (event) => {
  const rendered = event.target.closest?.("[data-rendered]");
  const quote = rendered && isInHand() ? getSelection().toString().trim() : "";
  if (!quote) return;
  choose("raw", { keep: false });
  const node = textOf("output")?.firstChild;
  const at = node ? node.data.indexOf(quote) : -1;
  if (at >= 0 && node.data.indexOf(quote, at + 1) < 0) {
    getSelection().setBaseAndExtent(node, at, node, at + quote.length);
  } else {
    getSelection().removeAllRanges();
    toast({ text: words.onlyRaw, level: "info" });
  }
});

// Without a pointer: in a focused text the arrows take the next word, with Shift they take it too.
screen.addEventListener("keydown", (event) => {
  const element = event.target.closest?.("[data-text]");
  const way = { ArrowRight: "forward", ArrowLeft: "backward" }[event.key];
  if (!element || event.target !== element || !way || event.ctrlKey || event.altKey) return;
  const selection = getSelection();
  if (textAt(selection.focusNode) !== element) selection.collapse(element.firstChild ?? element, 0);
  if (!event.shiftKey) {
    if (way === "forward") selection.collapseToEnd();
    else selection.collapseToStart();
  }
  selection.modify("extend", way, "word");
  event.preventDefault();
});

onItem(draw);
