// [data-list] holds rows ([data-row], or table rows, or list items). J and K walk them, Enter opens
// the row's link, X ticks its box. Ticked rows show [data-when-ticked] and their number in
// [data-ticked-count]; [data-tick-all] ticks them all.

const ROWS = "[data-row], :scope > tbody > tr, :scope > li";

const singleKeysAreOff = () => {
  try {
    return localStorage.getItem("feedbackhub.single-keys-off") !== null;
  } catch {
    return false;
  }
};

const rowsOf = (list) =>
  [...list.querySelectorAll(ROWS)].filter((row) => row.checkVisibility?.() ?? true);

function listAt(element) {
  return element.closest?.("[data-list]") ?? document.querySelector("main [data-list]");
}

function goTo(list, row) {
  for (const other of list.querySelectorAll("[data-here]")) delete other.dataset.here;
  row.dataset.here = "";
  let target = row.matches("a[href]")
    ? row
    : (row.querySelector("[data-open], a.row-link, a[href]") ?? row);
  if (target === row && !row.matches("a[href]")) row.tabIndex = -1;
  target.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key?.toLowerCase();
  if (!["j", "k", "x"].includes(key) || event.shiftKey || singleKeysAreOff()) return;
  if (document.querySelector("dialog[open]") || event.target.closest?.("[data-own-keys]")) return;
  if (event.target.matches?.('textarea, select, [contenteditable], input:not([type="checkbox"])')) {
    return;
  }
  const list = listAt(event.target);
  if (!list) return;
  const rows = rowsOf(list);
  const place = rows.findIndex((row) => "here" in row.dataset);
  if (key === "x") {
    const box = rows[place]?.querySelector('input[type="checkbox"]');
    if (box) {
      event.preventDefault();
      box.click();
    }
    return;
  }
  const next = key === "j" ? Math.min(place + 1, rows.length - 1) : Math.max(place - 1, 0);
  if (rows[next]) {
    event.preventDefault();
    goTo(list, rows[next]);
  }
});

// The row that holds the focus is the one we are at, however it came there.
document.addEventListener("focusin", (event) => {
  const list = event.target.closest?.("[data-list]");
  if (!list) return;
  const row = rowsOf(list).find((each) => each.contains(event.target));
  if (!row || "here" in row.dataset) return;
  for (const other of list.querySelectorAll("[data-here]")) delete other.dataset.here;
  row.dataset.here = "";
});

function count(scope) {
  const boxes = [...scope.querySelectorAll('[data-list] input[type="checkbox"][name]')];
  const ticked = boxes.filter((box) => box.checked).length;
  for (const place of scope.querySelectorAll("[data-ticked-count]")) place.textContent = ticked;
  for (const part of scope.querySelectorAll("[data-when-ticked]")) part.hidden = ticked === 0;
  for (const all of scope.querySelectorAll("[data-tick-all]")) {
    all.checked = ticked > 0 && ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  }
}

document.addEventListener("change", (event) => {
  const scope = event.target.closest?.("form") ?? document;
  if (event.target.matches?.("[data-tick-all]")) {
    for (const box of scope.querySelectorAll('[data-list] input[type="checkbox"][name]')) {
      box.checked = event.target.checked;
    }
  }
  if (event.target.matches?.('[data-tick-all], [data-list] input[type="checkbox"]')) count(scope);
});

// Browsers keep ticks over a reload.
for (const part of document.querySelectorAll("[data-when-ticked]")) {
  count(part.closest("form") ?? document);
}
