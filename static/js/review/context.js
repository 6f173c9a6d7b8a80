// [data-context]: what stands beside the item is fetched once the item is on the screen. A suggestion or a
// similar case is taken by one key: it fills the decision in, and which it was goes with the answer.

import * as draft from "./draft.js";
import { form, isInHand, item, onItem, parse, patience, say, screen, toast, words } from "./item.js";

const place = () => item()?.querySelector("[data-context]");
const hasVerdict = () => Boolean(form()?.elements.verdict?.value);

async function fetchContext() {
  const here = place();
  if (!here) return;
  if ("fetched" in here.dataset) {
    arrived(here);
    return;
  }
  const isChosen = hasVerdict();
  here.dataset.fetched = "";
  try {
    if (isChosen) await draft.flush(); // whether a verdict was chosen the server reads in the draft
    const response = await fetch(here.dataset.context, {
      headers: { Accept: "text/html" },
      redirect: "manual",
      signal: patience(),
    });
    if (!response.ok) throw new Error(response.statusText);
    here.replaceChildren(parse(await response.text()));
    window.htmx?.process(here);
    here.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true }));
    arrived(here);
    if (here === place() && here.querySelector("[data-waits]") && hasVerdict() && !isChosen) again();
  } catch {
    delete here.dataset.fetched; // with the connection it comes
  }
}

// It counts as seen in the item that it is of, when that is on the screen.
function arrived(here) {
  if (here === place() && here.querySelector("[data-suggestion]")) note((said) => ({ ...said, seen: true }));
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

// To know a text again without keeping it twice: its length and a checksum (FNV-1a).
function checksum(text) {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return `${text.length}:${sum >>> 0}`;
}

const values = {
  verdict: () => form().elements.verdict.value,
  severity: () => form().elements.severity.value,
  root_cause: () => form().elements.root_cause?.value ?? "",
  categories: () =>
    [...form().querySelectorAll('[name="categories"]:checked')].map(({ value }) => value).sort().join(),
  correction: () => checksum(form().elements.correction.value),
};

function choose(name, value) {
  const radio = form().querySelector(`[name="${name}"][value="${CSS.escape(value)}"]`);
  if (!radio || radio.checked) return;
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
}

// Which fields came from there, and as what: with the answer, so that a reload does not forget it.
function took(source, fields) {
  note(({ taken = [], as = {}, ...said }) => ({
    ...said,
    source,
    seen: true,
    taken: [...new Set([...taken, ...fields])],
    as: { ...as, ...Object.fromEntries(fields.map((name) => [name, values[name]()])) },
  }));
  tellChanged();
}

// What was taken and then changed is told as that.
function tellChanged() {
  if (!isInHand() || !form()?.elements.suggestion) return;
  const { as = {} } = read();
  if (!Object.keys(as).length) return;
  const changed = Object.keys(as).filter((name) => values[name]() !== as[name]);
  note(({ changed: _, ...said }) => (changed.length ? { ...said, changed } : said));
}

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
  took(button.dataset.source, fields);
  form().dispatchEvent(new Event("change", { bubbles: true }));
  say(words.filledIn);
  toast({ text: words.filledIn, level: "info" });
}

screen.addEventListener("change", tellChanged);
screen.addEventListener("submit", tellChanged, true); // a text that is left by the submit itself

screen.addEventListener("click", (event) => {
  const button = event.target.closest("[data-takes]");
  if (button) take(button);
  const start = event.target.closest("[data-start-from]");
  if (start && isInHand()) {
    const text = document.getElementById(start.dataset.startFrom).value;
    screen.dispatchEvent(new CustomEvent("start-from", { detail: { text } }));
    took(start.dataset.source, ["correction"]);
    form().dispatchEvent(new Event("change", { bubbles: true }));
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
