// Marks: select words in a text, press a mark's key. They live in the form's hidden field, are drawn
// by the Custom Highlight API (the text itself is left alone) and listed below with what they mark,
// where each can be relabelled, made longer or shorter, and taken off. Rendered Markdown knows where its
// words stand in the raw text ([data-at]), so a mark made there is one in the raw text, and shows in both.

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

// The pieces of rendered Markdown that come from the answer: {node, at, length}, in code points.
const pieces = () =>
  [...(item()?.querySelectorAll("[data-rendered] [data-at]") ?? [])]
    .filter((element) => element.firstChild)
    .map((element) => {
      const node = element.firstChild;
      return { node, at: Number(element.dataset.at), length: toCodePoints(node.data, node.length) };
    });

// Where a mark shows: in its text, and in the answer as it is rendered.
function rangesOf(span) {
  const ranges = [rangeOf(span)];
  if (span.field === "output") {
    for (const { node, at, length } of pieces()) {
      const start = Math.max(span.start, at);
      const end = Math.min(span.end, at + length);
      if (start >= end) continue;
      const range = new Range();
      range.setStart(node, toUnits(node.data, start - at));
      range.setEnd(node, toUnits(node.data, end - at));
      ranges.push(range);
    }
  }
  return ranges.filter(Boolean);
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
        .flatMap(rangesOf);
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
      if (isInHand()) offerLabels(row, span, labels);
      else for (const each of row.querySelectorAll("[data-span-remove], [data-span-change]")) each.remove();
      return row;
    }),
  );
}

function offerLabels(row, span, labels) {
  row.querySelector("[data-span-relabel]").replaceChildren(
    ...[...labels].map(([key, { name }]) => new Option(name, key, false, key === span.label)),
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
  return { element, start, end, box: () => boxOf(element, start, end) };
}

function boxOf(element, start, end) {
  const range = new Range();
  range.setStart(element.firstChild, start);
  range.setEnd(element.firstChild, end);
  return range.getBoundingClientRect();
}

// What is selected in rendered Markdown, as the stretch of the raw answer that it comes from.
function selectedInRendered() {
  const selection = getSelection();
  const rendered = item()?.querySelector("[data-rendered]");
  if (!rendered || !selection.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  if (!range.intersectsNode(rendered)) return null;
  const touched = pieces().filter(({ node }) => range.intersectsNode(node));
  const element = textOf("output");
  const text = element?.firstChild?.data;
  if (!touched.length || !text) return null;
  const inside = ({ node, at }, container, offset, otherwise) =>
    container === node ? at + toCodePoints(node.data, offset) : otherwise;
  const [first, last] = [touched[0], touched.at(-1)];
  let start = inside(first, range.startContainer, range.startOffset, first.at);
  let end = inside(last, range.endContainer, range.endOffset, last.at + last.length);
  [start, end] = [toUnits(text, start), toUnits(text, end)];
  while (start < end && /\s/.test(text[start])) start += 1;
  while (end > start && /\s/.test(text[end - 1])) end -= 1;
  if (start >= end) return null;
  [start, end] = wholeLetters(text, start, end);
  return { element, start, end, box: () => range.getBoundingClientRect() };
}

const textAt = (node) =>
  (node instanceof Element ? node : node?.parentElement)?.closest("[data-text]") ?? null;

export const selectedNow = () => selected() ?? selectedInRendered();

// The bar of marks goes where words are selected, and closes where none are.
export function follow() {
  const toolbar = marker();
  if (!toolbar || !isInHand()) return;
  const found = selectedNow();
  if (!found || !toolbar.querySelector(":scope > button, :scope > :not([hidden]) button")) {
    if (toolbar.matches(":popover-open")) toolbar.hidePopover();
    return;
  }
  if (!toolbar.matches(":popover-open")) toolbar.showPopover();
  const box = found.box();
  const { width, height } = toolbar.getBoundingClientRect();
  const left = Math.max(8, Math.min(box.left, document.documentElement.clientWidth - width - 8));
  const below = box.bottom + 8;
  const fits = below + height < document.documentElement.clientHeight - 8;
  toolbar.style.left = `${left}px`;
  toolbar.style.top = `${fits ? below : Math.max(8, box.top - height - 8)}px`;
}

function mark(button) {
  const found = selectedNow();
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
  if (button.dataset.category) tick(button.dataset.category);
  getSelection().collapseToEnd();
  follow();
  const label = button.querySelector(".span-key").textContent.trim();
  say(fill(words.marked, { label, quote: span.quote }));
  return true;
}

// What this mark says about the whole answer too.
function tick(category) {
  const box = form().querySelector(`[name="categories"][value="${CSS.escape(category)}"]`);
  if (!box || box.checked) return;
  box.checked = true;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}

// While text is selected a digit marks it, other keys change the correction there; answers whether it did.
export function markBy(key) {
  const toolbar = marker();
  if (!toolbar || !isInHand() || !selectedNow()) return false;
  const button = toolbar.querySelector(`[data-mark-key="${CSS.escape(key)}"]`);
  if (!button || button.closest("[hidden]")) return false;
  if ("mark" in button.dataset) return mark(button);
  button.click();
  return true;
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
  if (row && ["Delete", "Backspace"].includes(event.key) && isInHand() && !event.target.matches("select")) {
    event.preventDefault();
    remove(row);
  }
});

// --- changing a mark ----------------------------------------------------------------------------

// Another label, or other ends; the row stays where it is and keeps the focus.
function change(row, changed, focused) {
  const place = Number(row.dataset.place);
  const spans = read();
  spans[place] = { ...spans[place], ...changed };
  write(spans);
  const fresh = item().querySelector(`[data-span][data-place="${place}"]`);
  fresh.toggleAttribute("data-open", row.hasAttribute("data-open"));
  fresh.querySelector(focused)?.focus();
  point(fresh, false);
  const label = fresh.querySelector("[data-span-label]").textContent;
  say(fill(words.marked, { label, quote: spans[place].quote }));
}

const wordEnds = (text) => {
  if (typeof Intl.Segmenter !== "function") {
    return [...text.matchAll(/\S+/g)].map((word) => [word.index, word.index + word[0].length]);
  }
  return [...new Intl.Segmenter(undefined, { granularity: "word" }).segment(text)]
    .filter(({ isWordLike }) => isWordLike)
    .map(({ index, segment }) => [index, index + segment.length]);
};

// One word more or less, at either end: "start-earlier", "start-later", "end-earlier", "end-later".
function resize(row, way) {
  const span = read()[Number(row.dataset.place)];
  const text = textOf(span.field)?.firstChild?.data;
  if (!text) return;
  let start = toUnits(text, span.start);
  let end = toUnits(text, span.end);
  const near = Math.max(0, start - 2_000);
  const ends = wordEnds(text.slice(near, end + 2_000)).map(([from, to]) => [from + near, to + near]);
  if (way === "start-earlier") start = ends.findLast(([from]) => from < start)?.[0] ?? start;
  if (way === "start-later") start = ends.find(([from]) => from > start && from < end)?.[0] ?? start;
  if (way === "end-earlier") end = ends.findLast(([, to]) => to < end && to > start)?.[1] ?? end;
  if (way === "end-later") end = ends.find(([, to]) => to > end)?.[1] ?? end;
  [start, end] = wholeLetters(text, start, end);
  change(
    row,
    { start: toCodePoints(text, start), end: toCodePoints(text, end), quote: text.slice(start, end) },
    `[data-span-resize="${way}"]`,
  );
}

screen.addEventListener("change", (event) => {
  const relabel = event.target.closest("[data-span-relabel]");
  if (relabel) change(relabel.closest("[data-span]"), { label: relabel.value }, "[data-span-relabel]");
});

screen.addEventListener("click", (event) => {
  const row = event.target.closest("[data-span]");
  const way = event.target.closest("[data-span-resize]")?.dataset.spanResize;
  if (row && way) resize(row, way);
  if (row && event.target.closest("[data-span-change]")) {
    const button = row.querySelector("[data-span-change]");
    button.setAttribute("aria-expanded", String(row.toggleAttribute("data-open")));
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
  textOf(span?.field)?.closest("details")?.setAttribute("open", "");
  const range = span && rangeOf(span);
  if (!range) return;
  const ranges = rangesOf(span);
  if (canHighlight) CSS.highlights.set("span-here", new Highlight(...ranges));
  if (doScroll) {
    const read = item().querySelector("[data-read]");
    const seen = ranges.find((each) => each.getBoundingClientRect().height) ?? range;
    const box = seen.getBoundingClientRect();
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

// What has no place in the raw text (an escaped sign) is looked for there.
screen.addEventListener("pointerup", (event) => {
  const rendered = event.target.closest?.("[data-rendered]");
  const quote = rendered && isInHand() ? getSelection().toString().trim() : "";
  if (!quote || selectedNow()) return;
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
  const element = event.target.closest?.("[data-text], [data-rendered]");
  const way = { ArrowRight: "forward", ArrowLeft: "backward" }[event.key];
  if (!element || event.target !== element || !way || event.ctrlKey || event.altKey) return;
  const selection = getSelection();
  if (!element.contains(selection.focusNode)) selection.collapse(firstText(element) ?? element, 0);
  if (!event.shiftKey) {
    if (way === "forward") selection.collapseToEnd();
    else selection.collapseToStart();
  }
  selection.modify("extend", way, "word");
  event.preventDefault();
});

const firstText = (element) => document.createTreeWalker(element, NodeFilter.SHOW_TEXT).nextNode();

onItem(draw);
screen.addEventListener("filled", draw);
