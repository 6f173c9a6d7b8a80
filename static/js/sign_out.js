// [data-sign-out]: what this browser kept of one's work goes with the session. What is typed is sent first
// ("signing-out": whoever has something to send says so by detail.wait), and what could not be sent is told.

const PREFIX = "feedbackhub.review.";
const PATIENCE = 3_000;

const done = (request) =>
  new Promise((resolve) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => resolve(null);
  });

async function names() {
  const databases = (await self.indexedDB?.databases?.()) ?? [];
  return databases.map(({ name }) => name).filter((name) => name.startsWith(PREFIX));
}

async function sendWhatIsTyped() {
  const sending = [];
  const wait = (promise) => sending.push(promise);
  document.dispatchEvent(new CustomEvent("signing-out", { detail: { wait } }));
  const tooLong = new Promise((resolve) => setTimeout(resolve, sending.length ? PATIENCE : 0));
  await Promise.race([Promise.allSettled(sending), tooLong]);
}

async function rowsOf(database, store) {
  if (!database?.objectStoreNames.contains(store)) return [];
  return (await done(database.transaction(store).objectStore(store).getAll())) ?? [];
}

// Answers that wait to be sent, and items in hand with something typed that the server does not have.
async function unsentCount() {
  const unsent = new Set();
  for (const name of await names()) {
    const database = await done(indexedDB.open(name));
    const inHand = new Set((await rowsOf(database, "items")).map(({ id }) => id));
    for (const { id } of await rowsOf(database, "outbox")) unsent.add(id);
    for (const { id } of await rowsOf(database, "typed")) if (inHand.has(id)) unsent.add(id);
    database?.close();
  }
  return unsent.size;
}

async function wipe() {
  document.documentElement.dataset.signingOut = ""; // the page that goes keeps nothing any more
  for (const name of await names()) await done(indexedDB.deleteDatabase(name));
  for (const name of (await self.caches?.keys()) ?? []) {
    if (name.startsWith(PREFIX)) await caches.delete(name);
  }
  for (const worker of (await navigator.serviceWorker?.getRegistrations()) ?? []) {
    await worker.unregister();
  }
  sessionStorage.clear();
}

document.addEventListener("submit", async (event) => {
  const button = event.submitter;
  if (!button?.matches("[data-sign-out]") || "wiped" in button.dataset) return;
  event.preventDefault();
  try {
    await sendWhatIsTyped();
    const count = await unsentCount();
    if (count && !confirm(button.dataset.unsent.replace("{n}", String(count)))) return;
    await wipe();
  } catch {
    // A browser that keeps nothing has nothing to wipe.
  }
  button.dataset.wiped = "";
  event.target.requestSubmit(button);
});
