// Submit and skip: the answer goes to the outbox and the next item is simply there. Whatever goes wrong
// comes back with all that was typed, and what to do is said at the field.

import { comeBack, leaveBehind, putBack, takeAhead } from "./ahead.js";
import * as draft from "./draft.js";
import { fillIn, pairsOf, valueIn } from "./filling.js";
import {
  fetchItem,
  form,
  isInHand,
  item,
  itemIn,
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
for (const name of ["pointermove", "keydown", "wheel"]) {
  addEventListener(name, () => (lastAct = performance.now()), { passive: true, capture: true });
}
setInterval(() => {
  const field = isInHand() && !isWaiting && form()?.elements.seconds_spent; // with those of an earlier answer
  if (!field || document.hidden || performance.now() - lastAct >= IDLE) return;
  field.value = String(Number(field.value) + 1);
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
  clearErrors();
  left.set(here.dataset.item, here);
  const together = kind === "submit" ? tickedAhead() : [];
  for (const id of [here.dataset.item, ...together]) leaveBehind(id);
  outbox.add({
    id: here.dataset.item,
    kind,
    url,
    pairs,
    typed: kind === "submit" ? null : pairsOf(form()),
    together,
    title: titleOf(here),
    path: here.dataset.url,
  });
  draft.letGo();
  isWaiting = !goOn();
  if (isWaiting) item().querySelector("[data-submit]")?.setAttribute("aria-busy", "true");
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
    leave("submit", event.target.action, pairsOf(event.target));
  }
  if (event.target.matches("[data-skip-form]") && !event.submitter?.matches("[data-release]")) {
    event.preventDefault();
    if (isWaiting) return;
    const pairs = [...new FormData(event.target, event.submitter)];
    event.target.hidePopover();
    const { action } = event.target;
    const here = item();
    draft.flush().then(() => {
      if (item() !== here || isWaiting) return; // it was submitted meanwhile: what is shown now is another one
      leave("skip", action, pairs.filter(([name]) => name !== "csrfmiddlewaretoken"));
    });
  }
});

// --- what the server said ----------------------------------------------------------------------

screen.addEventListener("sent", async ({ detail: { entry, answer } }) => {
  left.delete(entry.id);
  kept.forget("items", entry.id);
  kept.forget("typed", entry.id);
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
  if (!(await bringBack(entry)) || item().dataset.item !== entry.id) return;
  item().querySelector("[data-submit]")?.removeAttribute("aria-busy");
  if (answer.kind === "invalid") showErrors(answer.errors);
  else if (answer.html) showConflict(answer);
  else toast({ text: words.broken, level: "error" });
  if (answer.kind === "key_reused") form().elements.submit_key.value = crypto.randomUUID();
  draft.goOn({ dirty: true });
  if (answer.kind !== "invalid" && answer.kind !== "key_reused") draft.hold();
});

// Show an item of the outbox again, with its answers. It leaves the outbox only when it is on the screen and
// what was typed is kept besides; one that cannot be shown stays there, and false is answered.
export async function bringBack(entry) {
  if (!outbox.hold(entry)) return false;
  const wasWaiting = isWaiting;
  isWaiting = false; // what is sent meanwhile opens no other item over this one
  if (item()?.dataset.item !== entry.id && !(await showAgain(entry))) {
    isWaiting = wasWaiting;
    outbox.letGo(entry);
    toast({ text: words.notShown, level: "warning" });
    return false;
  }
  const here = item();
  if ("answered" in here.dataset) {
    delete here.dataset.answered;
    here.dataset.inHand = "";
  }
  const typed = entry.kind === "submit" ? entry.pairs : entry.typed;
  if (form() && typed) {
    fillIn(form(), typed);
    holdAsBefore(typed);
  }
  for (const id of entry.together ?? []) comeBack(id);
  left.delete(entry.id);
  screen.dispatchEvent(new Event("filled"));
  draft.goOn({ dirty: true });
  if (typed) await kept.put("typed", { id: entry.id, pairs: form() ? pairsOf(form()) : typed });
  outbox.remove(entry);
  return true;
}

// Under the lease and on top of the revisions that were known last, here or by the server.
function holdAsBefore(typed) {
  for (const name of ["fence", "revision", "draft_revision"]) {
    const then = Number(valueIn(typed, name) ?? 0);
    for (const field of item().querySelectorAll(`[name="${name}"]`)) {
      if (then > Number(field.value)) field.value = String(then);
    }
  }
}

// In the place of what is open, which is kept with all that was typed in it.
async function showAgain(entry) {
  const element = await elementOf(entry);
  if (!element) return false;
  await draft.flush();
  if (isInHand()) putBack(item());
  show(element);
  return true;
}

// The item as it was left, as this browser keeps it, else as the server draws it now; null when it cannot be had.
async function elementOf(entry) {
  if (left.has(entry.id)) return left.get(entry.id);
  const known = (await kept.itemsInHand()).find(({ id }) => id === entry.id);
  if (known) return itemIn(known.html);
  try {
    return await fetchItem(entry.path);
  } catch {
    return null;
  }
}
