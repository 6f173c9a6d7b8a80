// [data-view]: the answer rendered or raw, as the reader last chose it; kept in this browser.

import { onItem, screen } from "./item.js";

const KEPT = "feedbackhub.review.view";

export function choose(name, { keep = true } = {}) {
  const radio = screen.querySelector(`[data-view="${name}"]`);
  if (!radio) return false;
  radio.checked = true;
  try {
    if (keep) localStorage.setItem(KEPT, name);
  } catch {
    // A browser that keeps nothing.
  }
  return true;
}

onItem(() => {
  try {
    if (localStorage.getItem(KEPT) === "raw") choose("raw", { keep: false });
  } catch {
    // A browser that keeps nothing shows it rendered.
  }
});

screen.addEventListener("change", (event) => {
  if (event.target.matches("[data-view]")) choose(event.target.dataset.view);
});

screen.addEventListener("click", (event) => {
  if (!event.target.closest("[data-toggle-view]")) return;
  choose(screen.querySelector('[data-view="raw"]').checked ? "rendered" : "raw");
});
