// [data-own-key-map]: a pressed key goes into its field, and two acts on one key are told at once.

const form = document.querySelector("[data-own-key-map]");
const inputs = [...form.querySelectorAll(".own-key-input")];
const { also, impossible, taken } = form.dataset;

const labelOf = (input) => input.closest(".own-key").querySelector("label").textContent;
const scopeOf = (input) => input.closest(".own-key").dataset.scope;

function sentenceFor(input) {
  const key = input.value.trim().toLowerCase();
  if (!key) return "";
  if (taken.includes(key)) return impossible;
  const sharing = inputs.filter(
    (other) =>
      other !== input &&
      scopeOf(other) === scopeOf(input) &&
      other.value.trim().toLowerCase() === key,
  );
  return sharing.length ? also.replace("{names}", sharing.map(labelOf).join(", ")) : "";
}

function draw() {
  for (const input of inputs) {
    const sentence = sentenceFor(input);
    input.closest(".own-key").querySelector("[data-said]").textContent = sentence;
    if (sentence) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    input.classList.toggle("is-own", input.value !== input.dataset.default);
  }
  return inputs.some((input) => input.getAttribute("aria-invalid"));
}

form.addEventListener("keydown", (event) => {
  const input = event.target.closest(".own-key-input");
  if (!input || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if ([...event.key].length !== 1 || event.key === " ") return;
  event.preventDefault();
  input.value = event.key.toLowerCase();
  draw();
  form.querySelector("[data-conflict-said]").textContent = sentenceFor(input);
});
form.addEventListener("input", draw);
form.addEventListener("focusin", (event) => event.target.closest(".own-key-input")?.select());
form.addEventListener("submit", (event) => {
  if (event.submitter?.name === "defaults" || !draw()) return;
  event.preventDefault();
  form.querySelector('[aria-invalid="true"]').focus();
});
draw();
