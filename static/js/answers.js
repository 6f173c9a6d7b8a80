// What htmx does with answers that are not plain successes.
// 409 and 422 carry what to show (both versions, the form with its errors), so they are swapped in.
// A whole page is never put inside a page: signed out or moved, we go there. The rest is said.

const words = () => document.getElementById("toast-blank")?.dataset ?? {};

const say = (text, level = "error") => {
  if (text) document.dispatchEvent(new CustomEvent("toast", { detail: { text, level } }));
};

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, target } = event.detail;
  if (xhr.status === 409 || xhr.status === 422) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
  if (target !== document.body && /^\s*<!doctype html/i.test(xhr.responseText)) {
    event.detail.shouldSwap = false;
    if (xhr.status < 400) {
      const there = new URL(xhr.responseURL, location.href);
      if (there.searchParams.has("next")) {
        there.searchParams.set("next", location.pathname + location.search);
      }
      location.assign(there);
    }
  }
});

document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  const said = words();
  if (status === 401 || status === 403) say(said.notAllowedWord);
  else if (status === 404 || status === 410) say(said.goneWord);
  else if (status === 429) say(said.tooManyWord);
  else say(said.brokenWord);
});

for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => say(words().noNetworkWord));
}
