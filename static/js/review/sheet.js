// On a phone the decision is a sheet at the bottom. It begins low, so that question and answer are
// seen; choosing a verdict raises it, the handle ([data-sheet]) moves it through its three heights.

import { form, onItem, screen } from "./item.js";

const STEPS = { low: "middle", middle: "high", high: "low" };
const isPhone = matchMedia("(width < 720px)");

const sheet = () => screen.querySelector("[data-decision]");

function raise(height) {
  if (!sheet()) return;
  sheet().dataset.height = height;
  const handle = sheet().querySelector("[data-sheet]");
  handle?.setAttribute("aria-expanded", String(height !== "low"));
}

onItem((item) => {
  if (!isPhone.matches) return;
  raise(form()?.elements.verdict?.value ? "middle" : "low");
  const turns = [...item.querySelectorAll(".review-turn")];
  const read = item.querySelector("[data-read]");
  const start = turns.at(-2) ?? turns.at(-1);
  if (start && !item.querySelector(".review-conflict")) {
    read.scrollTop += start.getBoundingClientRect().top - read.getBoundingClientRect().top - 8;
  }
});

screen.addEventListener("change", (event) => {
  if (event.target.name === "verdict" && sheet().dataset.height === "low") raise("middle");
});

screen.addEventListener("click", (event) => {
  if (event.target.closest("[data-sheet]")) raise(STEPS[sheet().dataset.height] ?? "high");
});

// What is wrong must be seen.
screen.addEventListener("refused", () => raise("high"));
