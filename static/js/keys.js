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
  const controls = [...scope.querySelectorAll(`[data-key="${CSS.escape(name)}"]`)].filter(
    (each) =>
      !each.disabled && !each.closest("[data-own-keys], [inert]") && (each.checkVisibility?.() ?? true),
  );
  const control = controls.at(name === "mod+z" ? -1 : 0); // what was done last is undone first
  if (!control) return;
  event.preventDefault();
  control.click();
});

// What a control's key is listed under: its choice's legend, its toolbar's name, or the page.
function groupOf(control, otherwise) {
  const legend = control.closest("fieldset:has(> legend)")?.querySelector(":scope > legend");
  if (legend) return legend.firstChild.textContent.trim();
  return control.closest('[role="toolbar"][aria-label]')?.ariaLabel ?? otherwise;
}

function rowOf(control) {
  const shown = (control.closest("label") ?? control).cloneNode(true);
  const caps = shown.querySelector(".keycaps");
  caps?.remove();
  for (const aside of shown.querySelectorAll(".hint, .seconds")) aside.remove();
  const row = document.createElement("div");
  const term = document.createElement("dt");
  const keys = document.createElement("dd");
  term.textContent = (control.getAttribute("aria-label") ?? shown.textContent).trim();
  if (caps) keys.append(caps);
  else keys.textContent = control.dataset.key;
  row.append(term, keys);
  return row;
}

function groupNamed(name) {
  const group = document.createElement("section");
  const heading = document.createElement("h3");
  const list = document.createElement("dl");
  heading.className = "legend";
  heading.textContent = name;
  list.className = "keys";
  group.append(heading, list);
  return group;
}

// The sheet lists what this page offers.
document.addEventListener("opens", (event) => {
  const sheet = event.target.closest?.("[data-keys-sheet]");
  if (!sheet) return;
  const here = sheet.querySelector("[data-keys-here]");
  here.replaceChildren();
  const groups = new Map();
  const seen = new Set();
  for (const control of document.querySelectorAll("[data-key], [data-mark-key]")) {
    const { key, markKey } = control.dataset;
    const name = key ?? `mark ${markKey}`;
    if (!(key || markKey) || control.closest("dialog, template, [inert]") || seen.has(name)) continue;
    seen.add(name);
    const group = groupOf(control, here.dataset.keysHere);
    if (!groups.has(group)) groups.set(group, groupNamed(group));
    groups.get(group).lastElementChild.append(rowOf(control));
  }
  here.append(...groups.values());
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
