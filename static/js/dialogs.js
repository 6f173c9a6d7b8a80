// [data-opens="id"] opens that dialog or drawer. [data-confirm="question"] on a button, link or
// form asks first, as does hx-confirm. An answer's HX-Trigger "close-dialogs" closes what is open.

function open(dialog) {
  if (!dialog || dialog.open) return;
  dialog.dispatchEvent(new Event("opens", { bubbles: true })); // others fill it just before
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-opens]");
  if (opener && !event.defaultPrevented) {
    const dialog = document.getElementById(opener.dataset.opens);
    if (dialog) {
      event.preventDefault();
      opener.closest("[popover]")?.hidePopover();
      open(dialog);
    }
    return;
  }
  // A click beside a dialog closes it, but not one that began inside, as a selection does.
  const dialog = event.target;
  if (dialog instanceof HTMLDialogElement && dialog.open && pressedOn === dialog) {
    const box = dialog.getBoundingClientRect();
    const isInside =
      event.clientX >= box.left &&
      event.clientX <= box.right &&
      event.clientY >= box.top &&
      event.clientY <= box.bottom;
    if (!isInside) dialog.close();
  }
});

let pressedOn = null;
document.addEventListener("pointerdown", (event) => {
  pressedOn = event.target;
});

document.addEventListener("close-dialogs", () => {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
});

// Questions

const confirmed = new WeakSet();

function ask(question, verb) {
  const dialog = document.getElementById("confirm");
  if (!dialog) return Promise.resolve(window.confirm(question));
  dialog.querySelector("#confirm-text").textContent = question;
  const yes = dialog.querySelector('[value="yes"]');
  yes.textContent = verb || yes.dataset.yesWord;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

async function hold(event, control, goOn) {
  if (confirmed.delete(control)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (await ask(control.dataset.confirm, control.dataset.confirmLabel)) {
    confirmed.add(control);
    goOn();
    confirmed.delete(control);
  }
}

document.addEventListener(
  "click",
  (event) => {
    const control = event.target.closest?.(":is(a, button, input)[data-confirm]");
    if (control) hold(event, control, () => control.click());
  },
  true,
);

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (form.matches("[data-confirm]")) {
      hold(event, form, () => form.requestSubmit(event.submitter));
    }
  },
  true,
);

document.addEventListener("htmx:confirm", async (event) => {
  const { question, elt, issueRequest } = event.detail;
  if (!question) return;
  event.preventDefault();
  if (await ask(question, elt.dataset.confirmLabel)) issueRequest(true);
});

// The first thing that is wrong with a form gets the focus (but for samples: data-no-focus).
[...document.querySelectorAll('[data-focus], [aria-invalid="true"]')]
  .find((broken) => !broken.closest("[data-no-focus]"))
  ?.focus();
