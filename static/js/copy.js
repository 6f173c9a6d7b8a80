// [data-copy="text"]: a click copies the text and says so.

const SHOWN_FOR = 1500;

async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  const host = document.querySelector("dialog[open]") ?? document.body;
  host.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

function announce(text) {
  const spoken = document.createElement("span");
  spoken.className = "visually-hidden";
  spoken.textContent = text;
  document.getElementById("toasts")?.append(spoken);
  setTimeout(() => spoken.remove(), SHOWN_FOR);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const hadFocus = document.activeElement;
  try {
    await copy(button.dataset.copy);
  } catch {
    return; // the reader's browser forbids it; the text can still be selected
  }
  hadFocus?.focus?.();
  button.dataset.copiedNow = "";
  announce(button.dataset.copied ?? "");
  clearTimeout(button.copyTimer);
  button.copyTimer = setTimeout(() => delete button.dataset.copiedNow, SHOWN_FOR);
});
