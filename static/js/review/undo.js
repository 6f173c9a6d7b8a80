// Undo: the toast's button, its key or the figures' takes the last submit back and shows that item again.
// What is typed in the item that is open by then is kept first. What has not been sent yet is taken out
// of the outbox; what is on its way is taken back when it has arrived.

import { comeBack, putBack } from "./ahead.js";
import * as draft from "./draft.js";
import { isInHand, item, open, say, screen, send, toast, whatWentWrong, words } from "./item.js";
import * as outbox from "./outbox.js";
import { bringBack } from "./submit.js";

let wanted = null; // the entry to take back once it has arrived
const together = new Map(); // address of an undo → what goes back with it

async function showAgain({ url, message }) {
  await draft.flush();
  if (isInHand()) putBack(item());
  await open(url);
  say(message);
  toast({ text: message, level: "info" });
}

async function takeBack(url) {
  try {
    const { status, answer } = await send(url, new FormData());
    if (status === 200) {
      for (const id of together.get(url) ?? []) comeBack(id);
      await showAgain(answer);
    }
    else toast({ text: answer?.message ?? whatWentWrong(status), level: "warning" });
    return status === 200;
  } catch {
    toast({ text: words.offline, level: "error" });
    return false;
  }
}

// What is on its way may be arriving right now: it comes back when that try has an outcome.
async function takeOutUnsent(entry) {
  if (entry.isOnItsWay) wanted = entry.key;
  else if (await bringBack(entry)) {
    say(words.takenBack);
    toast({ text: words.takenBack, level: "info" });
  }
}

screen.addEventListener("turned-down", ({ detail: { entry } }) => {
  if (entry.key === wanted) wanted = null; // it comes back by itself
});
screen.addEventListener("held-up", ({ detail: { entry } }) => {
  if (entry.key !== wanted) return;
  wanted = null;
  takeOutUnsent(entry);
});

screen.addEventListener("sent", ({ detail: { entry, answer } }) => {
  if (answer.undo_url) together.set(answer.undo_url, entry.together ?? []);
  if (entry.key !== wanted) return;
  wanted = null;
  if (answer.undo_url) takeBack(answer.undo_url);
});

// The toast's own button: which of them it was is not said, so all that went with one may come again.
document.addEventListener("review-open", (event) => {
  for (const id of [...together.values()].flat()) comeBack(id);
  showAgain(event.detail);
});

document.addEventListener("undo-local", ({ detail: { key } }) => {
  const entry = outbox.entries().find((each) => each.key === key);
  if (entry) takeOutUnsent(entry);
});

screen.addEventListener("submit", async (event) => {
  const undo = event.target.closest("[data-undo]");
  if (!undo) return;
  event.preventDefault();
  if (await takeBack(undo.action)) undo.remove();
});

// The key takes the newest back first; the frame's own would find the oldest.
addEventListener(
  "keydown",
  (event) => {
    const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
    if (!isUndo || event.key?.toLowerCase() !== "z" || event.repeat) return;
    if (event.target.closest?.("textarea, input:not([type='checkbox'], [type='radio'])")) return;
    const unsent = outbox.newest();
    const newest = [...document.querySelectorAll('#toasts [data-key="mod+z"]')].at(-1);
    if (!newest && !unsent) return;
    event.preventDefault();
    event.stopPropagation();
    if (unsent) takeOutUnsent(unsent);
    else newest.click();
  },
  true,
);

setInterval(() => {
  const undo = screen.querySelector("[data-undo]");
  if (undo && new Date(undo.dataset.until) <= new Date()) undo.remove();
}, 500);
