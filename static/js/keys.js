// [data-key="a"], [data-key="mod+enter"]: the key printed on a control acts as a click on it.
// Single keys rest while somebody types, and for those who switch them off in the sheet ("?").
// A page part with data-own-keys (the review screen) sees to its own.

const OFF = "feedbackhub.single-keys-off";
const IS_MAC = /Mac|iPhone|iPad/.test(navigator.platform);

const typesInto = (element) =>
  element?.closest?.(
    'textarea, select, [contenteditable=""], [contenteditable="true"], ' +
      'input:not([type="checkbox"], [type="radio"], [type="button"], [type="submit"])',
  ) != null;

const singleKeysAreOff = () => {
  try {
    return localStorage.getItem(OFF) !== null;
  } catch {
    return false;
  }
};

// "mod+enter" for what was pressed; the character counts, so every keyboard layout works.
function pressed(event) {
  const key = event.key === " " ? "space" : event.key.toLowerCase();
  const names = [];
  if (event.ctrlKey || event.metaKey) names.push("mod");
  if (event.altKey && key.length > 1) names.push("alt");
  if (event.shiftKey && (key.length > 1 || /\p{L}/u.test(key))) names.push("shift");
  names.push(key.replace(/^arrow/, ""));
  return names.join("+");
}

const topDialog = () => [...document.querySelectorAll("dialog[open]")].at(-1) ?? document;

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.repeat || !event.key) return;
  const name = pressed(event);
  const isSingle = !name.startsWith("mod+");
  if (typesInto(event.target) && (isSingle || name === "mod+z")) return;
  if (isSingle && singleKeysAreOff()) return;
  const scope = topDialog();
  if (name === "?" && scope === document && !document.querySelector("[data-own-keys]")) {
    const sheet = document.querySelector("[data-keys-sheet]");
    if (sheet) {
      event.preventDefault();
      sheet.dispatchEvent(new Event("opens", { bubbles: true }));
      sheet.showModal();
    }
    return;
  }
  if (name === "/" && scope === document) {
    const search = document.querySelector("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
    return;
  }
  const control = [...scope.querySelectorAll(`[data-key="${CSS.escape(name)}"]`)].find(
    (each) =>
      !each.disabled && !each.closest("[data-own-keys], [inert]") && (each.checkVisibility?.() ?? true),
  );
  if (!control) return;
  event.preventDefault();
  control.click();
});

// The sheet lists what this page offers.
document.addEventListener("opens", (event) => {
  const sheet = event.target.closest?.("[data-keys-sheet]");
  if (!sheet) return;
  const list = sheet.querySelector("[data-keys-here]");
  list.replaceChildren();
  const seen = new Set();
  for (const control of document.querySelectorAll("[data-key]")) {
    if (control.closest("dialog, template, [inert]") || seen.has(control.dataset.key)) continue;
    seen.add(control.dataset.key);
    const shown = (control.closest("label") ?? control).cloneNode(true);
    const caps = shown.querySelector(".keycaps");
    caps?.remove();
    const name = control.getAttribute("aria-label") ?? shown.textContent;
    const row = document.createElement("div");
    const term = document.createElement("dt");
    const keys = document.createElement("dd");
    term.textContent = name.trim();
    if (caps) keys.append(caps);
    else keys.textContent = control.dataset.key;
    row.append(term, keys);
    list.append(row);
  }
  for (const row of sheet.querySelectorAll("[data-keys-list]")) {
    row.hidden = !document.querySelector("[data-list]");
  }
  const toggle = sheet.querySelector("[data-single-keys]");
  if (toggle) toggle.checked = !singleKeysAreOff();
});

document.addEventListener("change", (event) => {
  if (!event.target.matches?.("[data-single-keys]")) return;
  try {
    if (event.target.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  } catch {
    // A browser that keeps nothing: single keys stay on.
  }
});

function nameModKeys(root) {
  if (!IS_MAC) return;
  for (const cap of root.querySelectorAll?.("[data-mod]") ?? []) cap.textContent = "⌘";
}
nameModKeys(document);
document.addEventListener("htmx:load", (event) => nameModKeys(event.target));
