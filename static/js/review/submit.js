// Submit and skip: keep the answer, then the next item is simply there. Whatever goes wrong, all that
// was typed stays, and what to do is said at the field.

import { takeAhead } from "./ahead.js";
import * as draft from "./draft.js";
import {
  clearConflict,
  form,
  isInHand,
  item,
  open,
  screen,
  send,
  show,
  showConflict,
  toast,
  whatWentWrong,
  words,
} from "./item.js";

let isSending = false;

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
  const left = [];
  let first = null;
  for (const [path, sentence] of Object.entries(errors)) {
    const group = form().querySelector(
      `[data-errors-for="${CSS.escape(path)}"], [data-errors-for="${CSS.escape(path.split(".")[0])}"]`,
    );
    const place = group?.querySelector("[data-error]");
    if (!place) {
      left.push(sentence);
      continue;
    }
    place.textContent = sentence;
    place.hidden = false;
    first ??= group;
  }
  const other = form().querySelector("[data-other-error]");
  other.textContent = left.join(" ");
  other.hidden = left.length === 0;
  screen.dispatchEvent(new Event("refused"));
  first?.querySelector("input, textarea, button")?.focus();
  (first ?? other).scrollIntoView({ block: "nearest" });
}

// --- on to the next ----------------------------------------------------------------------------

async function goOn(answer) {
  const { message, next, next_url: nextUrl, undo_url: undoUrl, undo_seconds: seconds } = answer;
  const ahead = next && takeAhead(next);
  if (ahead) show(ahead);
  else if (next) await open(next.url);
  else {
    location.assign(nextUrl);
    return;
  }
  toast({ text: message, level: "success", undo_url: undoUrl, seconds });
}

async function sendForm(url, body, isSubmit) {
  if (isSending || !isInHand()) return;
  isSending = true;
  draft.hold();
  clearErrors();
  const here = form();
  const submit = item().querySelector("[data-submit]");
  submit.setAttribute("aria-busy", "true");
  try {
    const { status, answer } = await send(url, body);
    if (here !== form()) return;
    if (status === 200) {
      clearConflict();
      await goOn(answer);
      return;
    }
    if (answer?.kind === "invalid") {
      showErrors(answer.errors);
      draft.goOn({ dirty: true });
    } else if (answer?.kind) {
      showConflict(answer);
      if (answer.kind === "key_reused") here.elements.submit_key.value = crypto.randomUUID();
    } else {
      toast({ text: whatWentWrong(status), level: "error" });
      draft.goOn({ dirty: true });
    }
  } catch {
    if (here === form()) {
      toast({ text: isSubmit ? words.notSent : words.offline, level: "error" });
      draft.goOn({ dirty: true });
    }
  } finally {
    isSending = false;
    submit.removeAttribute("aria-busy");
  }
}

screen.addEventListener("submit", (event) => {
  if (event.target.matches("[data-decision-form]")) {
    event.preventDefault();
    const body = new FormData(event.target);
    body.set("seconds_spent", String(spent.item === item().dataset.item ? spent.seconds : 0));
    sendForm(event.target.action, body, true);
  }
  if (event.target.matches("[data-skip-form]") && !event.submitter?.matches("[data-release]")) {
    event.preventDefault();
    const body = new FormData(event.target, event.submitter);
    event.target.hidePopover();
    draft.flush().then(() => sendForm(event.target.action, body, false));
  }
});
