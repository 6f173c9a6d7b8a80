// [data-whole-text]: what was cut for its length is fetched whole and put in its place. Offsets of
// marks stay true, since what was shown is its beginning.

import { item, screen, toast, words } from "./item.js";

screen.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-whole-text]");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  try {
    const response = await fetch(link.href);
    if (!response.ok) throw new Error(response.statusText);
    const text = await response.text();
    const place = item().querySelector(`[data-text="${CSS.escape(link.dataset.wholeText)}"]`);
    if (!place) return;
    place.firstChild.data = text;
    place.focus();
    link.closest(".review-cut").remove();
  } catch {
    toast({ text: words.broken, level: "error" });
  }
});
