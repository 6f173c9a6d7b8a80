// The keys of the screen. What the cap says counts: the character, so that a printed letter is true
// on every Latin layout; on others the place of the key. Digits also without Shift (AZERTY).
// Never while typing, never with AltGr, never by a held key or one that was pressed for the item before;
// a bare key destroys nothing.

import { clear } from "./choices.js";
import { fill, form, item, onItem, say, screen, words } from "./item.js";
import { markBy } from "./spans.js";

const OFF = "feedbackhub.single-keys-off";

function isTyping(element) {
  return (
    element?.closest?.(
      'textarea, select, [contenteditable=""], [contenteditable="true"], ' +
        'input:not([type="checkbox"], [type="radio"], [type="button"], [type="submit"])',
    ) != null
  );
}

function singleKeysAreOff() {
  try {
    return localStorage.getItem(OFF) !== null;
  } catch {
    return false;
  }
}

// What a key pressed alone may mean, the likeliest first: the character that its cap says, the digit of its
// place (AZERTY and others have other signs there), the letter of its place (layouts without Latin letters).
export function bareKeys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.getModifierState?.("AltGraph")) {
    return [];
  }
  const key = event.key ?? "";
  const code = event.code ?? "";
  const isSign = [...key].length === 1;
  const isLetter = /^\p{L}$/u.test(key);
  if (event.shiftKey && isLetter) return [];
  const names = isSign ? [key.toLowerCase()] : [];
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(code);
  if (digit && !event.shiftKey && isSign && !/^[a-z]$/i.test(key)) names.push(digit[1]);
  const letter = /^Key([A-Z])$/.exec(code);
  if (letter && !event.shiftKey && /^\P{ASCII}$/u.test(key)) names.push(letter[1].toLowerCase());
  return names;
}

// A key that was down when an item came on the screen was meant for the one before.
const down = new Set();
const stale = new Set();
function forgetKeys() {
  down.clear();
  stale.clear();
}
addEventListener("keydown", ({ code }) => code && down.add(code), true);
addEventListener(
  "keyup",
  ({ code, key }) => {
    down.delete(code);
    stale.delete(code);
    if (key === "Meta") forgetKeys(); // macOS never tells of a key that was let go while ⌘ was down
  },
  true,
);
addEventListener("blur", forgetKeys);
onItem(() => {
  for (const code of down) stale.add(code);
});

const controlFor = (name) =>
  [...screen.querySelectorAll(`[data-key="${CSS.escape(name)}"]`)].find(
    (control) =>
      !control.matches(":disabled") && (control.checkVisibility?.() ?? true),
  );

// The words of its label, without the cap.
function nameOf(control) {
  const label = control.closest("label").cloneNode(true);
  label.querySelector(".keycaps")?.remove();
  return label.textContent.replace(/\s+/g, " ").trim();
}

// A radio or box behind a label is drawn by the label; what happened is said.
function act(control) {
  if (!control.matches('input[type="radio"], input[type="checkbox"]')) {
    // The menu that it opens is walked by keys: the focus goes there from its button.
    if (control.hasAttribute("popovertarget")) control.focus({ focusVisible: true });
    control.click();
    return;
  }
  const name = nameOf(control);
  if ("clearable" in control.dataset && control.checked) clear(control);
  else control.click();
  control.scrollIntoView({ block: "nearest" });
  say(fill(control.checked ? words.chosen : words.takenOff, { name }));
}

function openSheet() {
  const sheet = document.querySelector("[data-keys-sheet]");
  sheet?.dispatchEvent(new Event("opens", { bubbles: true }));
  sheet?.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  if (document.querySelector("dialog[open]")) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key === "Enter") {
    event.preventDefault();
    const submit = item()?.querySelector("[data-submit]");
    if (!event.repeat && !stale.has(event.code) && submit) form().requestSubmit(submit);
    return;
  }
  if (event.key === "Escape" && isTyping(event.target) && event.target.closest("[data-review]")) {
    item().querySelector("#review-title").focus({ preventScroll: true });
    return;
  }
  // A bare Enter on a choice would send the form: it chooses instead.
  if (event.key === "Enter" && event.target.matches?.("[data-decision-form] input")) {
    event.preventDefault();
    if (!event.repeat) act(event.target);
    return;
  }
  if (event.repeat || stale.has(event.code) || isTyping(event.target) || singleKeysAreOff()) return;
  for (const name of bareKeys(event)) {
    if (does(name)) {
      event.preventDefault();
      return;
    }
  }
});

// Whether this key does something now; then it has done it.
function does(name) {
  if (name === "?") {
    openSheet();
    return true;
  }
  if (markBy(name)) return true;
  if (document.querySelector("[popover]:popover-open:not([data-marker])")) return false;
  const control = controlFor(name);
  if (control) act(control);
  return Boolean(control);
}

screen.addEventListener("click", (event) => {
  const jump = event.target.closest("[data-focuses]");
  const field = jump && document.getElementById(jump.dataset.focuses);
  field?.focus();
  field?.scrollIntoView({ block: "nearest" });
});
