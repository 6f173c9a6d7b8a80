// Submit and skip: the answer goes to the outbox and the next item is simply there. Whatever goes wrong
// comes back with all that was typed, and what to do is said at the field.

import { comeBack, leaveBehind, putBack, takeAhead } from "./ahead.js";
import * as draft from "./draft.js";
import { fillIn, pairsOf, valueIn } from "./filling.js";
import {
  form,
  isInHand,
  item,
  open,
  screen,
  show,
  showConflict,
  titleOf,
  toast,
  words,
} from "./item.js";
import * as kept from "./kept.js";
import * as outbox from "./outbox.js";
import { tickedAhead } from "./together.js";

const left = new Map(); // id → the element that was left, as it was typed in
let isWaiting = false; // for the server to say what comes next

// --- time spent: while the page is looked at and somebody is at work ---------------------------

const IDLE = 60_000;
let lastAct = performance.now();
let spent = { item: null, seconds: 0 };
for (const name of ["pointermove", "keydown", "wheel"]) {
  addEventListener(name, () => (lastAct = performance.now()), { passive: true, capture: true });
}
setInterval(() => {
  const id = item()?.dataset.item;
  if (spent.item !== id) spent = { item: id, seconds: 0 };
  if (!document.hidden && performance.now() - lastAct < IDLE) spent.seconds += 1;
}, 1000);

// --- errors at their fields --------------------------------------------------------------------

function clearErrors() {
  for (const place of form().querySelectorAll("[data-error], [data-other-error]")) {
    place.hidden = true;
    place.textContent = "";
  }
}

function showErrors(errors) {
  const others = [];
  let first = null;
  for (const [path, sentence] of Object.entries(errors)) {
    const group = form().querySelector(
      `[data-errors-for="${CSS.escape(path)}"], [data-errors-for="${CSS.escape(path.split(".")[0])}"]`,
    );
    const place = group?.querySelector("[data-error]");
    if (!place) {
      others.push(sentence);
      continue;
    }
    place.textContent = sentence;
    place.hidden = false;
    first ??= group;
  }
  const other = form().querySelector("[data-other-error]");
  other.textContent = others.join(" ");
  other.hidden = others.length === 0;
  screen.dispatchEvent(new Event("refused"));
  first?.querySelector("input, textarea, button")?.focus();
  (first ?? other).scrollIntoView({ block: "nearest" });
}

// What was wrong with a field is history once it is changed.
screen.addEventListener("change", (event) => {
  const place = event.target.closest?.("[data-errors-for]")?.querySelector("[data-error]");
  if (place) place.hidden = true;
});

// What can be said without asking the server: what must be chosen and is not.
function missing() {
  const errors = {};
  const { verdict } = form().elements; // where two answers are compared there is none
  if (verdict && !verdict.value) errors.verdict = words.needed;
  for (const group of form().querySelectorAll("[data-required]")) {
    if (!group.querySelector(":checked")) errors[group.dataset.errorsFor] = words.needed;
  }
  return errors;
}

// --- on to the next ----------------------------------------------------------------------------

// Out of this item, into the next one that is here; false when none is.
function goOn() {
  const ahead = takeAhead();
  if (ahead) show(ahead);
  return Boolean(ahead);
}

function leave(kind, url, pairs) {
  const here = item();
  draft.hold();
  clearErrors();
  left.set(here.dataset.item, here);
  const together = kind === "submit" ? tickedAhead() : [];
  for (const id of [here.dataset.item, ...together]) leaveBehind(id);
  outbox.add({ id: here.dataset.item, kind, url, pairs, together, title: titleOf(here), path: here.dataset.url });
  isWaiting = !goOn();
  if (isWaiting) item().querySelector("[data-submit]")?.setAttribute("aria-busy", "true");
  kept.forget("typed", here.dataset.item);
}

screen.addEventListener("submit", (event) => {
  if (event.target.matches("[data-decision-form]")) {
    event.preventDefault();
    if (!isInHand() || isWaiting) return;
    const errors = missing();
    if (Object.keys(errors).length) {
      clearErrors();
      showErrors(errors);
      return;
    }
    const { elements } = event.target;
    elements.seconds_spent.value = String(spent.item === item().dataset.item ? spent.seconds : 0);
    leave("submit", event.target.action, pairsOf(event.target));
  }
  if (event.target.matches("[data-skip-form]") && !event.submitter?.matches("[data-release]")) {
    event.preventDefault();
    if (isWaiting) return;
    const pairs = [...new FormData(event.target, event.submitter)];
    event.target.hidePopover();
    const { action } = event.target;
    draft.flush().then(() => leave("skip", action, pairs.filter(([name]) => name !== "csrfmiddlewaretoken")));
  }
});

// --- what the server said ----------------------------------------------------------------------

screen.addEventListener("sent", async ({ detail: { entry, answer } }) => {
  left.delete(entry.id);
  kept.forget("items", entry.id);
  const { message, next, next_url: nextUrl, undo_url: undoUrl, undo_seconds: seconds } = answer;
  if (isWaiting && outbox.isIdle()) {
    isWaiting = false;
    const ahead = next && takeAhead(next);
    if (ahead) show(ahead);
    else if (next) await open(next.url);
    else location.assign(nextUrl);
  }
  if (message) toast({ text: message, level: "success", undo_url: undoUrl, seconds });
});

// No connection, or signed out: it waits in the outbox, and the work goes on with what is here.
screen.addEventListener("held-up", ({ detail: { entry } }) => {
  if (isWaiting && !("shell" in item().dataset)) showWaiting();
  if (entry.tries > 1) return;
  toast({ text: words.keptHere, level: "info", undo_local: entry.key });
});

function showWaiting() {
  const waiting = document.getElementById("review-waiting").content.querySelector("[data-shell]").cloneNode(true);
  waiting.querySelector("[data-shell-text]").textContent = words.nothingHere;
  show(waiting);
}

// It did not fit: that item is on the screen again, as it was left.
screen.addEventListener("turned-down", async ({ detail: { entry, answer } }) => {
  isWaiting = false;
  await bringBack(entry);
  if (item().dataset.item !== entry.id) return;
  item().querySelector("[data-submit]")?.removeAttribute("aria-busy");
  if (answer.kind === "invalid") showErrors(answer.errors);
  else if (answer.html) showConflict(answer);
  else toast({ text: words.broken, level: "error" });
  if (answer.kind === "key_reused") form().elements.submit_key.value = crypto.randomUUID();
  draft.goOn({ dirty: true });
  if (answer.kind !== "invalid" && answer.kind !== "key_reused") draft.hold();
});

// Show an item of the outbox again, with its answers, and take it out of there.
export async function bringBack(entry) {
  outbox.remove(entry);
  for (const id of entry.together ?? []) comeBack(id);
  const here = item();
  if (here?.dataset.item !== entry.id) {
    await draft.flush();
    if (here && "inHand" in here.dataset) putBack(here);
    const element = left.get(entry.id);
    if (element) show(element);
    else if (!(await open(entry.path))) return;
    if (element && form()) form().elements.fence.value = valueIn(entry.pairs, "fence");
  }
  left.delete(entry.id);
  if (form() && entry.kind === "submit") fillIn(form(), entry.pairs);
  screen.dispatchEvent(new Event("filled"));
  isWaiting = false;
  draft.goOn({ dirty: true });
}

