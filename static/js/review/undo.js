// Undo: the toast's button, its key or the figures' takes the last submit back and shows that item again.
// What is typed in the item that is open by then is kept first.

import * as draft from "./draft.js";
import { open, say, screen, send, toast, whatWentWrong, words } from "./item.js";

async function showAgain({ url, message }) {
  await draft.flush();
  await open(url);
  say(message);
  toast({ text: message, level: "info" });
}

document.addEventListener("review-open", (event) => showAgain(event.detail));

screen.addEventListener("submit", async (event) => {
  const undo = event.target.closest("[data-undo]");
  if (!undo) return;
  event.preventDefault();
  try {
    const { status, answer } = await send(undo.action, new FormData(undo));
    undo.remove();
    if (status === 200) await showAgain(answer);
    else toast({ text: answer?.message ?? whatWentWrong(status), level: "warning" });
  } catch {
    toast({ text: words.offline, level: "error" });
  }
});

// The key takes the newest submit back first; the frame's own would find the oldest.
addEventListener(
  "keydown",
  (event) => {
    const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
    if (!isUndo || event.key?.toLowerCase() !== "z" || event.repeat) return;
    if (event.target.closest?.("textarea, input:not([type='checkbox'], [type='radio'])")) return;
    const newest = [...document.querySelectorAll('#toasts [data-key="mod+z"]')].at(-1);
    if (!newest) return;
    event.preventDefault();
    event.stopPropagation();
    newest.click();
  },
  true,
);

setInterval(() => {
  const undo = screen.querySelector("[data-undo]");
  if (undo && new Date(undo.dataset.until) <= new Date()) undo.remove();
}, 500);
