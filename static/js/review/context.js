// [data-context]: what stands beside the item is fetched once the item is on the screen. A suggestion or a
// similar case is taken by one key: it fills the decision in, and which it was goes with the answer.

import { form, isInHand, item, onItem, parse, say, screen, toast, words } from "./item.js";

const place = () => item()?.querySelector("[data-context]");

async function fetchContext() {
  const here = place();
  if (!here || "fetched" in here.dataset) return;
  const url = new URL(here.dataset.context, location.href);
  const hasAnswered = Boolean(form()?.elements.verdict?.value);
  if (hasAnswered) url.searchParams.set("answered", "1");
  here.dataset.fetched = "";
  try {
    const response = await fetch(url, { headers: { Accept: "text/html" }, redirect: "manual" });
    if (!response.ok) throw new Error(response.statusText);
    here.replaceChildren(parse(await response.text()));
    here.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true }));
    if (here.querySelector("[data-suggestion]")) note((said) => ({ ...said, seen: true }));
    if (here.querySelector("[data-waits]") && form()?.elements.verdict?.value) again();
  } catch {
    delete here.dataset.fetched; // with the connection it comes
  }
}

function again() {
  delete place().dataset.fetched;
  fetchContext();
}

// --- what was seen and taken -------------------------------------------------------------------

const read = () => JSON.parse(form().elements.suggestion.value || "{}");

function note(change) {
  const field = form()?.elements.suggestion;
  if (field && isInHand()) field.value = JSON.stringify(change(read()));
}

const values = {
  verdict: () => form().elements.verdict.value,
  severity: () => form().elements.severity.value,
  root_cause: () => form().elements.root_cause?.value ?? "",
  categories: () =>
    [...form().querySelectorAll('[name="categories"]:checked')].map(({ value }) => value).sort().join(),
};

function choose(name, value) {
  const radio = form().querySelector(`[name="${name}"][value="${CSS.escape(value)}"]`);
  if (!radio || radio.checked) return;
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
}

const taken = new Map(); // item's id → {field: value as it was taken}

function take(button) {
  if (!isInHand()) return;
  const suggested = JSON.parse(button.dataset.takes);
  for (const box of form().querySelectorAll('[name="categories"]')) {
    const isWanted = suggested.categories.includes(box.value);
    if (box.checked !== isWanted && (isWanted || suggested.verdict)) {
      box.checked = isWanted;
      box.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }
  for (const name of ["verdict", "severity", "root_cause"]) {
    if (suggested[name]) choose(name, suggested[name]);
  }
  const fields = Object.keys(suggested).filter((name) => suggested[name].length);
  taken.set(item().dataset.item, Object.fromEntries(fields.map((name) => [name, values[name]()])));
  note(() => ({ source: button.dataset.source, seen: true, taken: fields }));
  form().dispatchEvent(new Event("change", { bubbles: true }));
  say(words.filledIn);
  toast({ text: words.filledIn, level: "info" });
}

// What was taken and then changed is told as that.
screen.addEventListener("change", () => {
  const as = taken.get(item()?.dataset.item);
  if (!as || !form()) return;
  const changed = Object.keys(as).filter((name) => values[name]() !== as[name]);
  note(({ changed: _, ...said }) => (changed.length ? { ...said, changed } : said));
});

screen.addEventListener("click", (event) => {
  const button = event.target.closest("[data-takes]");
  if (button) take(button);
  const start = event.target.closest("[data-start-from]");
  if (start && isInHand()) {
    const text = document.getElementById(start.dataset.startFrom).value;
    screen.dispatchEvent(new CustomEvent("start-from", { detail: { text } }));
  }
});

screen.addEventListener("change", (event) => {
  if (event.target.name === "verdict" && place()?.querySelector("[data-waits]")) again();
});

let timer = null;
onItem(() => {
  clearTimeout(timer);
  timer = setTimeout(fetchContext, 200); // whoever only passes by needs none
});
addEventListener("online", fetchContext);
