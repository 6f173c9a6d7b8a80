// JavaScript counts UTF-16 units, the house stores code points: the one place that converts.

const isHigh = (unit) => unit >= 0xd800 && unit < 0xdc00;
const isLow = (unit) => unit >= 0xdc00 && unit < 0xe000;

// Whether a character outside the basic plane begins at this unit.
const isPair = (text, at) => isHigh(text.charCodeAt(at)) && isLow(text.charCodeAt(at + 1));

// How many code points lie before this unit.
export function toCodePoints(text, units) {
  let points = 0;
  for (let at = 0; at < units; at += isPair(text, at) ? 2 : 1) points += 1;
  return points;
}

// The unit at which this code point begins.
export function toUnits(text, points) {
  let at = 0;
  for (; points > 0 && at < text.length; points -= 1) at += isPair(text, at) ? 2 : 1;
  return at;
}

// A stretch of units, widened so that it cuts no letter: no pair, no combining mark, no joined emoji.
export function wholeLetters(text, start, end) {
  const from = Math.max(0, start - 64);
  const upTo = Math.min(text.length, end + 64);
  if (typeof Intl.Segmenter !== "function") {
    return [isLow(text.charCodeAt(start)) ? start - 1 : start, isLow(text.charCodeAt(end)) ? end + 1 : end];
  }
  let [first, last] = [start, end];
  const letters = new Intl.Segmenter(undefined, { granularity: "grapheme" });
  const safeFrom = isLow(text.charCodeAt(from)) ? from + 1 : from;
  for (const { segment, index } of letters.segment(text.slice(safeFrom, upTo))) {
    const begins = safeFrom + index;
    const ends = begins + segment.length;
    if (begins < start && start < ends) first = begins;
    if (begins < end && end < ends) last = ends;
  }
  return [first, last];
}
