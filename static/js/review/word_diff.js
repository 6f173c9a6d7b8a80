// The words that were taken out and put in between two texts, as feedbackhub/text_diff.py cuts them.

const WORDS = /\s+|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[!-/:-@[-`{-~¡-©«-´¶-¹»-¿‐-‧‰-⁞、-〿]\p{M}*|[^\s!-/:-@[-`{-~¡-©«-´¶-¹»-¿‐-‧‰-⁞、-〿\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]+/gu;
const LARGEST = 4_000_000; // cells of the table; above it the middle is one replacement

export const wordsOf = (text) => text.match(WORDS) ?? [];

// [["=" | "-" | "+", text], …]: all but "+" is `before`, all but "-" is `after`.
export function wordDiff(before, after) {
  const old = wordsOf(before);
  const now = wordsOf(after);
  let first = 0;
  while (first < old.length && first < now.length && old[first] === now[first]) first += 1;
  let [oldEnd, nowEnd] = [old.length, now.length];
  while (oldEnd > first && nowEnd > first && old[oldEnd - 1] === now[nowEnd - 1]) {
    oldEnd -= 1;
    nowEnd -= 1;
  }
  const steps = [];
  const add = (kind, text) => {
    if (!text) return;
    if (steps.at(-1)?.[0] === kind) steps.at(-1)[1] += text;
    else steps.push([kind, text]);
  };
  add("=", old.slice(0, first).join(""));
  for (const [kind, word] of middle(old.slice(first, oldEnd), now.slice(first, nowEnd))) {
    add(kind, word);
  }
  add("=", old.slice(oldEnd).join(""));
  return joinAcrossBlanks(steps);
}

// Without blanks and stops around it; by index, for a pattern would try each of a thousand line ends anew.
function bare(text) {
  const isAround = (at) => /[\s.,;:]/.test(text[at]);
  let [start, end] = [0, text.length];
  while (start < end && isAround(start)) start += 1;
  while (end > start && isAround(end - 1)) end -= 1;
  return text.slice(start, end);
}

// Says of a step's text whether it was taken out in one place and put in at another: three words and more, as
// feedbackhub/text_diff.py has it.
export function movedIn(steps) {
  const of = (kind) => steps.filter((step) => step[0] === kind).map((step) => bare(step[1]));
  const put = new Set(of("+"));
  const moved = new Set(of("-").filter((text) => put.has(text) && text.split(/\s+/).length >= 3));
  return (text) => moved.has(bare(text));
}

// Longest common run of words, by table.
function middle(old, now) {
  if (old.length * now.length > LARGEST) return [["-", old.join("")], ["+", now.join("")]];
  const width = now.length + 1;
  const longest = new Uint16Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      longest[i * width + j] =
        old[i] === now[j]
          ? longest[(i + 1) * width + j + 1] + 1
          : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  const steps = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      steps.push(["=", old[i]]);
      i += 1;
      j += 1;
    } else if (j >= now.length || (i < old.length && longest[(i + 1) * width + j] >= longest[i * width + j + 1])) {
      steps.push(["-", old[i]]);
      i += 1;
    } else {
      steps.push(["+", now[j]]);
      j += 1;
    }
  }
  return steps;
}

// "old words" → "new words" reads better than word by word: blanks between two changes join them.
function joinAcrossBlanks(steps) {
  const joined = [];
  let [out, put] = ["", ""];
  const flush = () => {
    if (out) joined.push(["-", out]);
    if (put) joined.push(["+", put]);
    [out, put] = ["", ""];
  };
  steps.forEach(([kind, text], at) => {
    const isBetween = kind === "=" && /^\s+$/.test(text) && (out || put) && at < steps.length - 1;
    if (isBetween) {
      out += text;
      put += text;
    } else if (kind === "=") {
      flush();
      joined.push([kind, text]);
    } else if (kind === "-") out += text;
    else put += text;
  });
  flush();
  return joined;
}
