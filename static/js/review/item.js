// The item on the screen: which it is, how another one takes its place, how the server is asked,
// and how people are told. Every other behaviour starts from here.

export const screen = document.querySelector("[data-review]");
export const words = document.getElementById("review-words")?.dataset ?? {};

export const item = () => document.getElementById("review-item");
export const form = () => item()?.querySelector("[data-decision-form]") ?? null;
export const isInHand = () => item() != null && "inHand" in item().dataset;

// For those who do not see the screen: what just happened.
export function say(text) {
  const place = screen.querySelector("[data-review-said]");
  place.textContent = "";
  requestAnimationFrame(() => {
    place.textContent = text;
  });
}

export function toast(detail) {
  document.dispatchEvent(new CustomEvent("toast", { detail }));
}

// "{name} chosen" with {name: "Wrong"}.
export const fill = (sentence, values) =>
  (sentence ?? "").replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

const shownHandlers = [];

// Run now and each time another item is shown.
export function onItem(handler) {
  shownHandlers.push(handler);
  if (item()) handler(item());
}

export const titleOf = (element) =>
  element.querySelector("[data-text]")?.textContent.slice(0, 120) ?? "";

// Put another item in this one's place, at once; the reader starts at its title.
export function show(element) {
  item().replaceWith(element);
  history.replaceState(null, "", element.dataset.url ?? screen.dataset.reviewUrl);
  for (const handler of shownHandlers) handler(element);
  element.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true }));
  const title = element.querySelector("#review-title");
  title?.focus({ preventScroll: true });
  if (element.dataset.item) say(fill(words.itemShown, { title: titleOf(element) }));
}

export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

export const itemIn = (html) => parse(html).getElementById("review-item");

const PATIENCE = 15_000; // a server that says nothing that long is away
export const patience = () => AbortSignal.timeout(PATIENCE);

// An item as the server draws it now; null when it has no such part of a page. Throws without a connection.
export async function fetchItem(url) {
  const address = new URL(url, location.href);
  address.searchParams.set("part", "item");
  const response = await fetch(address, { headers: { Accept: "text/html" }, signal: patience() });
  return response.ok ? itemIn(await response.text()) : null;
}

// Fetch an item by its address and show it; false when there is none.
export async function open(url) {
  const element = await fetchItem(url);
  if (element) show(element);
  else location.assign(url);
  return element != null;
}

// The cookie's is today's, also after one signed in again in another window.
export const token = () =>
  document.cookie.match(/(?:^|; )fh_csrf=([^;]*)/)?.[1] ??
  document.querySelector('input[name="csrfmiddlewaretoken"]')?.value ??
  "";

// POST and read the JSON answer: {status, answer}. Throws when there is no connection, or a server that hangs: what it took all
// the same it knows again, since whatever is sent may come twice.
export async function send(url, body, options = {}) {
  body.delete("csrfmiddlewaretoken"); // the form's may be older than the header's
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: { Accept: "application/json", "X-CSRFToken": token() },
    redirect: "manual",
    signal: patience(),
    ...options,
  });
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  return { status: response.status, answer: isJson ? await response.json() : null };
}

// Say in the item why a write was refused, with both versions where there are two.
export function showConflict(answer) {
  const place = item().querySelector("[data-conflict]");
  place.replaceChildren(parse(answer.html));
  place.closest("[data-read]").scrollTop = 0;
  say(answer.message);
}

export function clearConflict() {
  item()?.querySelector("[data-conflict]")?.replaceChildren();
}

// The sentence for an answer that is neither a success nor a refusal of ours.
export function whatWentWrong(status) {
  if (status === 0 || status === 401 || status === 403) return words.signedOut;
  return words.broken;
}
