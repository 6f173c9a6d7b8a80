// #toasts: messages go after a while (not while hovered or focused), bad ones stay until
// dismissed, Undo counts its seconds down and goes with them. A "toast" event makes one:
// {text, level, undo_url, seconds}, from a script or from an answer's HX-Trigger header. With `undo_local`
// instead of an address Undo is an "undo-local" event with that key.

const LASTS = 6;
const region = document.getElementById("toasts");
const blank = document.getElementById("toast-blank");

function remove(toast) {
  clearInterval(toast.ticking);
  if (toast.contains(document.activeElement)) document.getElementById("main")?.focus();
  toast.remove();
}

function start(toast) {
  if ("stays" in toast.dataset || toast.ticking) return;
  const hasUndo = "seconds" in toast.dataset;
  const shown = toast.querySelector(".seconds");
  const ends = performance.now() + Number(toast.dataset.seconds ?? LASTS) * 1000;
  let held = 0;
  toast.ticking = setInterval(() => {
    // Undo ends when the server's does, whatever the pointer is doing.
    if (!hasUndo && toast.matches(":hover, :focus-within")) held += 250;
    const left = Math.ceil((ends + held - performance.now()) / 1000);
    if (shown && left > 0) {
      shown.textContent = (blank?.dataset.secondsWord ?? "{n} s").replace("{n}", String(left));
    }
    if (left <= 0) remove(toast);
  }, 250);
}

function make({ text, level = "success", undo_url: undoUrl, undo_local: key, seconds = 10 }) {
  const toast = blank.content.querySelector("[data-toast]").cloneNode(true);
  const tone = { success: "good", info: "info", warning: "caution", error: "bad" }[level] ?? "info";
  toast.className = `toast tone-${tone}`;
  toast.querySelector(".toast-text").textContent = text;
  for (const icon of toast.querySelectorAll("[data-tone]")) {
    if (icon.dataset.tone !== tone) icon.remove();
  }
  const form = toast.querySelector("form");
  if (undoUrl || key) toast.dataset.seconds = String(seconds);
  if (undoUrl) {
    form.action = undoUrl;
    form.setAttribute("hx-post", undoUrl);
  } else if (key) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      remove(toast);
      document.dispatchEvent(new CustomEvent("undo-local", { detail: { key } }));
    });
  } else {
    delete toast.dataset.seconds;
    form?.remove();
    if (level === "error" || level === "warning") toast.dataset.stays = "";
  }
  region.append(toast);
  window.htmx?.process(toast);
  return toast;
}

if (region && blank) {
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) {
        const toast = node.matches?.("[data-toast]") ? node : node.querySelector?.("[data-toast]");
        if (toast) start(toast);
      }
    }
  }).observe(region, { childList: true });
  for (const toast of region.querySelectorAll("[data-toast]")) start(toast);

  document.addEventListener("toast", (event) => make(event.detail));
  region.addEventListener("click", (event) => {
    const toast = event.target.closest("[data-toast]");
    if (toast && event.target.closest("[data-dismiss]")) remove(toast);
  });
  region.addEventListener("htmx:afterRequest", (event) => {
    const toast = event.target.closest?.("[data-toast]");
    if (toast && event.detail.successful) remove(toast);
  });
}
