// The page stands without the server: a worker keeps its frame, this browser keeps the items in hand and
// what was typed in them. Here a page that was loaded takes up what the one before it left.

import { fetchAhead, keepAhead, takeAhead } from "./ahead.js";
import { restoreTyped } from "./draft.js";
import { item, itemIn, onItem, patience, screen, show, words } from "./item.js";
import * as kept from "./kept.js";
import * as outbox from "./outbox.js";
import { bringBack } from "./submit.js";

const isShell = () => "shell" in item().dataset;

// Drawn without the server: the item of the address, else the first that is here and not answered yet.
async function showKept() {
  const items = (await kept.itemsInHand()).filter((each) => !outbox.has(each.id));
  const wanted = items.find((each) => location.pathname.includes(each.id)) ?? items[0];
  for (const each of items) if (each !== wanted) keepAhead(itemIn(each.html));
  if (wanted) show(itemIn(wanted.html));
  else waitForServer();
}

// Nothing is left to judge here: the next item comes with the connection.
function waitForServer() {
  item().querySelector("[data-shell-text]").textContent = words.nothingHere;
  const look = setInterval(async () => {
    try {
      const response = await fetch(screen.dataset.reviewUrl, { redirect: "manual", signal: patience() });
      if (response.status >= 500) return;
      if (!outbox.isIdle()) await outbox.flush();
      clearInterval(look);
      location.assign(screen.dataset.reviewUrl);
    } catch {
      // Still away.
    }
  }, 4_000);
}

async function begin() {
  await outbox.load();
  if (isShell()) await showKept();
  else if (outbox.has(item().dataset.item)) leaveAnswered();
  if (!isShell()) await restoreTyped();
  outbox.flush();
  const refused = outbox.entries().find((entry) => entry.state === "refused");
  if (refused) await bringBack(refused);
  screen.dataset.isReady = "";
}

// The server drew an item that was answered here before it heard of it: on to the next.
function leaveAnswered() {
  const id = item().dataset.item;
  const goOn = () => {
    if (item().dataset.item !== id || outbox.has(id)) return;
    screen.removeEventListener("sent", goOn);
    if (!("answered" in item().dataset)) return; // it was taken back
    const ahead = takeAhead();
    if (ahead) show(ahead);
    else location.assign(screen.dataset.reviewUrl);
  };
  delete item().dataset.inHand;
  item().dataset.answered = "";
  screen.addEventListener("sent", goOn);
}

// The item on the screen is kept as it was drawn, before anything is typed in it.
onItem((element) => {
  if (!("shell" in element.dataset) && "inHand" in element.dataset) {
    const html = element.outerHTML;
    kept.get("items", element.dataset.item).then((known) => {
      if (known?.fence !== element.dataset.fence) kept.keepItem(element, html);
    });
  }
});

// --- the worker that keeps the frame ------------------------------------------------------------

const statics = () => [
  ...new Set(
    performance
      .getEntriesByType("resource")
      .map(({ name }) => name)
      .filter((name) => name.startsWith(location.origin) && /\.(js|css|svg|woff2)(\?|$)/.test(name)),
  ),
];

if ("serviceWorker" in navigator && screen.dataset.workerUrl) {
  navigator.serviceWorker
    .register(screen.dataset.workerUrl)
    .then(() => navigator.serviceWorker.ready)
    .then(({ active }) => {
      if (!isShell()) active.postMessage({ shell: screen.dataset.shellUrl, statics: statics() });
    })
    .catch(() => {
      // A browser without workers: a reload needs the server, what is kept stays kept.
    });
  navigator.serviceWorker.addEventListener("message", ({ data }) => {
    if (data === "kept") screen.dataset.isKept = "";
  });
}

addEventListener("online", () => outbox.isIdle() && fetchAhead());
begin();
