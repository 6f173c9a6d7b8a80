// Verdict, severity, categories: an untouched severity follows verdict and categories, the focused
// category's meaning stands below, a chosen cause is taken off by choosing it again.

import { onItem, screen } from "./item.js";

const RANKS = ["none", "low", "medium", "high", "critical"];

// The same rule as annotation.answers.suggested_severity.
function suggested(form) {
  const verdict = form.elements.verdict?.value;
  if (!verdict) return "";
  if (verdict === "correct") return "none";
  const defaults = [...form.querySelectorAll('[name="categories"]:checked')].map((box) =>
    RANKS.indexOf(box.dataset.defaultSeverity),
  );
  if (verdict === "harmful") defaults.push(RANKS.indexOf("critical"));
  return RANKS[defaults.length ? Math.max(...defaults) : RANKS.indexOf("medium")];
}

// Correct has no severity, wrong and harmful have one: a choice that the verdict rules out follows too.
function isRuledOut(verdict, severity) {
  return verdict === "correct"
    ? severity !== "none"
    : severity === "none" && ["wrong", "harmful"].includes(verdict);
}

function followSeverity(form) {
  const chosen = form.querySelector('[name="severity"]:checked');
  const isFree = !chosen || "suggested" in chosen.dataset;
  if (!isFree && !isRuledOut(form.elements.verdict?.value, chosen.value)) return;
  if (chosen) {
    delete chosen.dataset.suggested;
    chosen.checked = false;
  }
  const name = suggested(form);
  const radio = name && form.querySelector(`[name="severity"][value="${name}"]`);
  if (radio) {
    radio.dataset.suggested = "";
    radio.checked = true;
  }
}

function showMeaning(form, key) {
  for (const each of form.querySelectorAll("[data-meaning]")) {
    each.toggleAttribute("data-shown", each.dataset.meaning === key);
  }
}

function lastChecked(form) {
  return [...form.querySelectorAll('[name="categories"]:checked')].at(-1)?.value;
}

onItem((item) => {
  const form = item.querySelector("[data-decision-form]");
  if (!form) return;
  showMeaning(form, lastChecked(form));
  const chosen = form.querySelector('[name="severity"]:checked'); // as a draft kept it
  if (chosen && chosen.value === suggested(form)) chosen.dataset.suggested = "";
  if ("inHand" in item.dataset) followSeverity(form);
});

screen.addEventListener("change", (event) => {
  const { target } = event;
  const form = target.closest?.("[data-decision-form]");
  if (!form) return;
  if (target.name === "severity") {
    for (const each of form.querySelectorAll('[name="severity"]')) delete each.dataset.suggested;
  }
  if (target.name === "verdict" || target.name === "categories") followSeverity(form);
  if (target.name === "categories") {
    showMeaning(form, target.checked ? target.value : lastChecked(form));
  }
});

screen.addEventListener("filled", () => {
  const form = screen.querySelector("[data-decision-form]");
  if (form) showMeaning(form, lastChecked(form));
});

screen.addEventListener("focusin", (event) => {
  if (event.target.name === "categories") showMeaning(event.target.form, event.target.value);
});

// A radio cannot be unchecked; these can.
let wasChecked = null;
screen.addEventListener(
  "pointerdown",
  (event) => {
    const radio = event.target.closest?.("label")?.querySelector("[data-clearable]");
    wasChecked = radio?.checked ? radio : null;
  },
  true,
);
screen.addEventListener("click", (event) => {
  if (event.target === wasChecked) {
    wasChecked = null;
    clear(event.target);
  }
});

export function clear(radio) {
  radio.checked = false;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
}
