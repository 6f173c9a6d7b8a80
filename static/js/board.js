// [data-board]: cards are dragged to another column, or walked with the arrow keys and moved with M.
// What moves a card is its menu's form; a drop presses the button of that column in it, so that the
// server hears the same either way, and a column without such a button takes no card.
// [data-adds] writes its word into the form's list of problems.

const cardOf = (element) => element?.closest?.("[data-card]");
const menuOf = (card) => card?.querySelector("[data-menu] form");
const moveTo = (card, column) =>
  menuOf(card)?.querySelector(`button[value="${CSS.escape(column.dataset.column)}"]`);
const columnsOf = (board) => [...board.querySelectorAll("[data-column]")];

let dragged = null;
let movedId = "";

function settle() {
  dragged?.classList.remove("is-dragged");
  for (const column of document.querySelectorAll("[data-column]")) {
    column.classList.remove("takes", "is-over");
  }
  dragged = null;
}

document.addEventListener("dragstart", (event) => {
  const card = cardOf(event.target);
  if (!card || card.getAttribute("draggable") !== "true") return;
  dragged = card;
  card.classList.add("is-dragged");
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", card.id);
  for (const column of columnsOf(card.closest("[data-board]"))) {
    column.classList.toggle("takes", Boolean(moveTo(card, column)));
  }
});

document.addEventListener("dragover", (event) => {
  const column = dragged && event.target.closest?.("[data-column]");
  for (const other of document.querySelectorAll(".is-over")) {
    if (other !== column) other.classList.remove("is-over");
  }
  if (!column || !moveTo(dragged, column)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "move";
  column.classList.add("is-over");
});

document.addEventListener("drop", (event) => {
  const column = dragged && event.target.closest?.("[data-column]");
  const button = column && moveTo(dragged, column);
  if (!button) return;
  event.preventDefault();
  button.click(); // not requestSubmit: htmx asks which button was clicked
  settle();
});

document.addEventListener("dragend", settle);

// htmx carries a style over to what replaces its element; our policy takes none from an attribute.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.detail.target.matches?.("[data-board]")) return;
  for (const menu of event.detail.target.querySelectorAll("[data-menu][style]")) {
    menu.removeAttribute("style");
  }
});

// The card that was moved keeps the focus in its new place.
document.addEventListener("submit", (event) => {
  const card = cardOf(event.target);
  if (card) movedId = card.id;
});
document.addEventListener("htmx:load", (event) => {
  if (!movedId || !event.target.matches?.("[data-board]")) return;
  document.getElementById(movedId)?.querySelector("[data-open]")?.focus({ preventScroll: true });
  movedId = "";
});

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

document.addEventListener("keydown", (event) => {
  const card = cardOf(event.target);
  if (!card || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("[data-menu]")) return;
  if (event.key.toLowerCase() === "m") {
    const opener = card.querySelector("[data-move]");
    if (!opener) return;
    event.preventDefault();
    opener.click();
    card.querySelector("[data-menu] button")?.focus();
    return;
  }
  const step = STEPS[event.key];
  if (!step) return;
  const columns = columnsOf(card.closest("[data-board]"));
  let across = columns.indexOf(card.closest("[data-column]"));
  const cardsIn = (column) => [...column.querySelectorAll("[data-card]")];
  let down = cardsIn(columns[across]).indexOf(card) + step[1];
  do across += step[0];
  while (step[0] && columns[across] && !cardsIn(columns[across]).length);
  if (!columns[across]) return;
  const cards = cardsIn(columns[across]);
  const next = cards[Math.min(Math.max(down, 0), cards.length - 1)];
  if (!next) return;
  event.preventDefault();
  next.querySelector("[data-open]").focus();
  next.scrollIntoView({ block: "nearest", inline: "nearest" });
});

document.addEventListener("click", (event) => {
  const adder = event.target.closest?.("[data-adds]");
  const field = adder?.form?.elements.problems;
  if (!field) return;
  const words = field.value.split(/[\s,;]+/).filter(Boolean);
  const word = adder.dataset.adds;
  const at = words.indexOf(word);
  if (at < 0) words.push(word);
  else words.splice(at, 1);
  field.value = words.join(", ");
  field.dispatchEvent(new Event("input", { bubbles: true }));
});
