// The keys of the screen. What the cap says counts: the character, so that a printed letter is true
// on every Latin layout; on others the place of the key. Digits also without Shift (AZERTY).
// Never while typing, never with AltGr, never by a held key; a bare key destroys nothing.

import { clear } from "./choices.js";
import { fill, form, item, say, screen, words } from "./item.js";
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

// "a", "4", "?" for what was pressed alone; "" when it is none of our keys.
export function bareKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.getModifierState?.("AltGraph")) {
    return "";
  }
  const key = event.key ?? "";
  if (/^[0-9?]$/.test(key)) return key;
  const digit = /^Digit([0-9])$/.exec(event.code ?? "");
  if (digit && !event.shiftKey && !/^\p{L}$/u.test(key)) return digit[1];
  if (event.shiftKey) return "";
  if (/^[a-z]$/i.test(key)) return key.toLowerCase();
  const place = /^Key([A-Z])$/.exec(event.code ?? "");
  return place && /^\P{ASCII}$/u.test(key) ? place[1].toLowerCase() : "";
}

const controlFor = (name) =>
  [...screen.querySelectorAll(`[data-key="${CSS.escape(name)}"]`)].find(
    (control) =>
      !control.matches(":disabled") && (control.checkVisibility?.() ?? true),
  );

// A radio or box behind a label is drawn by the label; what happened is said.
function act(control) {
  if (!control.matches('input[type="radio"], input[type="checkbox"]')) {
    control.click();
    return;
  }
  const name = control.closest("label").textContent.replace(/\s+/g, " ").trim().replace(/^\S /, "");
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
    if (!event.repeat && submit) form().requestSubmit(submit);
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
  if (event.repeat || isTyping(event.target) || singleKeysAreOff()) return;
  const name = bareKey(event);
  if (!name) return;
  if (name === "?") {
    event.preventDefault();
    openSheet();
    return;
  }
  if (markBy(name)) {
    event.preventDefault();
    return;
  }
  if (document.querySelector("[popover]:popover-open:not([data-marker])")) return;
  const control = controlFor(name);
  if (control) {
    event.preventDefault();
    act(control);
  }
});

screen.addEventListener("click", (event) => {
  const jump = event.target.closest("[data-focuses]");
  const field = jump && document.getElementById(jump.dataset.focuses);
  field?.focus();
  field?.scrollIntoView({ block: "nearest" });
});
