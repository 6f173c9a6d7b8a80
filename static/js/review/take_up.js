// [data-take-up]: take the item up again, here, with all that was typed on this page.

import * as draft from "./draft.js";
import {
  clearConflict,
  form,
  isInHand,
  item,
  open,
  screen,
  send,
  showConflict,
  toast,
  whatWentWrong,
  words,
} from "./item.js";

screen.addEventListener("submit", async (event) => {
  const taking = event.target.closest("[data-take-up]");
  if (!taking) return;
  event.preventDefault();
  try {
    const { status, answer } = await send(taking.action, new FormData(taking));
    if (status !== 200) {
      if (answer?.html) showConflict(answer);
      else toast({ text: whatWentWrong(status), level: "error" });
      return;
    }
    if (!isInHand()) {
      await open(answer.url);
      await draft.restoreTyped();
    } else {
      // What is typed here goes on under the new lease, on top of the answer that was shown.
      for (const hidden of item().querySelectorAll('[name="fence"]')) hidden.value = answer.fence;
      form().elements.draft_revision.value = answer.draft_revision;
      form().elements.revision.value = answer.revision;
      clearConflict();
      draft.goOn({ dirty: true });
      draft.flush();
    }
    toast({ text: answer.message, level: "info" });
  } catch {
    toast({ text: words.offline, level: "error" });
  }
});
