// What the answer shares with its sources, word for word: highlighted in them, and how much of the answer
// that is beside each source's title.

import { fill, item, onItem, words } from "./item.js";

const RUN = 4; // words in a row
const WORD = /[\p{L}\p{M}\p{N}]+/gu;
const LONGEST = 200_000; // characters, all texts together

const wordsOf = (text) =>
  [...text.matchAll(WORD)].map((word) => ({
    word: word[0].toLowerCase(),
    start: word.index,
    end: word.index + word[0].length,
  }));

const runAt = (list, at) => list.slice(at, at + RUN).map(({ word }) => word).join(" ");

// [[start, end], …] of `source` that the answer has too, and how many of the answer's words that covers.
export function shared(answer, source) {
  const said = wordsOf(answer);
  const read = wordsOf(source);
  const runs = new Map();
  for (let at = 0; at + RUN <= said.length; at += 1) {
    const run = runAt(said, at);
    runs.set(run, [...(runs.get(run) ?? []), at]);
  }
  const stretches = [];
  const covered = new Set();
  for (let at = 0; at + RUN <= read.length; at += 1) {
    const places = runs.get(runAt(read, at));
    if (!places) continue;
    for (const place of places) for (let n = 0; n < RUN; n += 1) covered.add(place + n);
    const [start, end] = [read[at].start, read[at + RUN - 1].end];
    if (stretches.length && start <= stretches.at(-1)[1]) stretches.at(-1)[1] = end;
    else stretches.push([start, end]);
  }
  return { stretches, share: said.length ? covered.size / said.length : 0 };
}

function draw() {
  if (typeof CSS === "undefined" || !("highlights" in CSS)) return;
  CSS.highlights.delete("overlap");
  const answer = item()?.querySelector('[data-text="output"]')?.textContent ?? "";
  const sources = [...(item()?.querySelectorAll('[data-text^="documents."]') ?? [])];
  const length = sources.reduce((sum, source) => sum + source.textContent.length, answer.length);
  if (!answer || length > LONGEST) return;
  const ranges = [];
  for (const source of sources) {
    const node = source.firstChild;
    if (!node) continue;
    const { stretches, share } = shared(answer, node.data);
    for (const [start, end] of stretches) {
      const range = new Range();
      range.setStart(node, start);
      range.setEnd(node, end);
      ranges.push(range);
    }
    const place = source.closest("details")?.querySelector("[data-overlap]");
    if (place && share >= 0.01) {
      place.textContent = fill(words.shared, { share: Math.round(100 * share) });
    }
  }
  if (ranges.length) CSS.highlights.set("overlap", new Highlight(...ranges));
}

let timer = null;
onItem(() => {
  clearTimeout(timer);
  timer = setTimeout(draw, 60); // after the item is painted
});
