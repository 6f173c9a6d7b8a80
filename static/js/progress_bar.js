// [data-waiting]: a thin line at the top once an answer takes longer than 400 ms.

const DELAY = 400;
const line = document.querySelector("[data-waiting]");
let waiting = 0;
let timer = 0;

function begin() {
  waiting += 1;
  if (waiting === 1) timer = setTimeout(() => (line.dataset.on = ""), DELAY);
}

function end() {
  waiting = Math.max(0, waiting - 1);
  if (waiting === 0) {
    clearTimeout(timer);
    delete line.dataset.on;
  }
}

if (line) {
  document.addEventListener("htmx:beforeSend", begin);
  document.addEventListener("htmx:afterRequest", end);
  // Leaving the page: forms and links that take their time.
  addEventListener("submit", (event) => {
    if (!event.defaultPrevented && event.target.method !== "dialog") begin();
  });
  addEventListener("pageshow", () => {
    waiting = 0;
    end();
  });
}
