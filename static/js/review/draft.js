// What is typed is kept on the server: soon after each change, at once when a field or the page is
// left. Until the server has it, this browser keeps it too, so that a reload loses nothing; when the
// network is gone it tries again until it is kept.

import { fillIn, pairsOf } from "./filling.js";
import { form, isInHand, item, onItem, screen, send, showConflict, words } from "./item.js";
import * as kept from "./kept.js";
import * as outbox from "./outbox.js";

const SOON = 600;
const TRIES = [2_000, 5_000, 10_000, 20_000];
const LAST = "feedbackhub.review.typed-last";
const STILL_THE_NEXT = 30_000;
const KEEPALIVE_LIMIT = 60_000; // bytes that a browser sends from a page that is gone

let timer = null;
let isDirty = false;
let isHeld = false;
let saving = null;
let failures = 0;
let keeping = null;

function rest() {
  clearTimeout(keeping);
  keeping = null;
}

function keepNow() {
  rest();
  if (isDirty && isInHand()) kept.put("typed", { id: item().dataset.item, pairs: pairsOf(form()) });
}

// In this browser, a moment after a change, also while somebody goes on typing.
function keepHere() {
  keeping ??= setTimeout(keepNow, 120);
}

// A page that goes has no time for a database: what was typed last goes over to the next page of this tab.
function handOver() {
  try {
    const { owner } = screen.dataset;
    const last = { owner, id: item().dataset.item, pairs: pairsOf(form()), at: Date.now() };
    sessionStorage.setItem(LAST, JSON.stringify(last));
  } catch {
    // A browser that keeps nothing, or too long a text: the database has it up to a moment ago.
  }
}

function handedOver(id) {
  try {
    const last = JSON.parse(sessionStorage.getItem(LAST));
    sessionStorage.removeItem(LAST);
    const isOfHere = last?.id === id && last.owner === screen.dataset.owner;
    return isOfHere && Date.now() - last.at < STILL_THE_NEXT ? last : null;
  } catch {
    return null;
  }
}

// What this browser kept of the item on the screen, into its form.
export async function restoreTyped() {
  const here = isInHand() && item();
  const last = here && handedOver(here.dataset.item);
  const typed = last || (here && (await kept.get("typed", here.dataset.item)));
  if (!typed || here !== item()) return;
  fillIn(form(), typed.pairs);
  screen.dispatchEvent(new Event("filled"));
  goOn({ dirty: true });
}

function tell(text, tone = "") {
  const place = item()?.querySelector("[data-draft-status]");
  if (!place) return;
  place.textContent = text;
  place.dataset.tone = tone;
}

function later(wait) {
  clearTimeout(timer);
  if (!isHeld) timer = setTimeout(save, wait);
}

function save() {
  clearTimeout(timer);
  if (!isDirty || isHeld || !isInHand()) return saving ?? Promise.resolve();
  saving ??= saveOnce().finally(() => {
    saving = null;
    if (isDirty && !isHeld) later(failures ? TRIES[Math.min(failures, TRIES.length) - 1] : SOON);
  });
  return saving;
}

async function saveOnce() {
  const here = form();
  const body = new FormData(here);
  isDirty = false;
  tell(words.saving);
  let outcome;
  try {
    outcome = await send(here.dataset.draftUrl, body);
  } catch {
    outcome = { status: -1 };
  }
  if (outcome.status === 200) here.elements.draft_revision.value = outcome.answer.draft_revision;
  if (here !== form()) return; // another item is shown by now
  if (outcome.status === 200) {
    failures = 0;
    if (!isDirty) {
      tell(words.saved);
      rest();
      kept.forget("typed", item().dataset.item);
    }
    return;
  }
  if (outcome.answer?.kind) {
    // Refused: it stays on this page, and the next step is said.
    isHeld = true;
    tell(words.refused, "bad");
    if (outcome.answer.kind === "invalid") tell(outcome.answer.message, "bad");
    else showConflict(outcome.answer);
    isDirty = true;
    return;
  }
  failures += 1;
  isDirty = true;
  tell(outcome.status === -1 ? words.offline : words.refused, "bad");
}

// Keep what is typed now; done when the server has it or refused it.
export async function flush() {
  keepNow();
  await save();
  if (isDirty && !failures) await save(); // typed while an older draft was on its way
}

// While a submit is on its way nothing else is sent.
export function hold() {
  isHeld = true;
  clearTimeout(timer);
}

// It went into the outbox as it is: there is no draft of it any more.
export function letGo() {
  hold();
  rest();
  isDirty = false;
  kept.forget("typed", item().dataset.item);
}

export function goOn({ dirty = isDirty } = {}) {
  isHeld = false;
  isDirty = dirty;
  if (!dirty) return;
  later(SOON);
  keepHere();
}

function changed(event) {
  if (!event.target.closest?.("[data-decision-form]") || !isInHand()) return;
  isDirty = true;
  if (!isHeld) tell(words.unsaved);
  later(SOON);
  keepHere();
}
screen.addEventListener("input", changed);
screen.addEventListener("change", changed);
screen.addEventListener("focusout", (event) => {
  if (event.target.matches("textarea") && isDirty) save();
});
addEventListener("online", () => isDirty && save());

document.addEventListener("signing-out", (event) => event.detail.wait(flush()));

addEventListener("pagehide", () => {
  if (!isDirty || !isInHand() || "signingOut" in document.documentElement.dataset) return;
  handOver();
  if (isHeld) return;
  const here = form();
  const body = new FormData(here);
  const size = [...body.values()].reduce((sum, value) => sum + new Blob([value]).size, 0);
  send(here.dataset.draftUrl, body, { keepalive: size < KEEPALIVE_LIMIT }).catch(() => {});
});
addEventListener("beforeunload", (event) => {
  if ("indexedDB" in self) return;
  if ((isDirty && (failures || isHeld)) || !outbox.isIdle()) event.preventDefault();
});

// Two windows, two drafts: the one that is kept is chosen here.
screen.addEventListener("click", (event) => {
  const mine = event.target.closest("[data-keep-mine]");
  if (mine) {
    form().elements.draft_revision.value = mine.dataset.keepMine;
    item().querySelector("[data-conflict]").replaceChildren();
    goOn({ dirty: true });
    save();
  }
  if (event.target.closest("[data-take-other]")) {
    isDirty = false;
    kept.forget("typed", item().dataset.item);
  }
});

onItem(() => {
  clearTimeout(timer);
  rest();
  isDirty = isHeld = false;
  failures = 0;
});
