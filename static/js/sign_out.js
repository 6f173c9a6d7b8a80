// [data-sign-out]: what this browser kept of one's work goes with the session. Answers that are not sent
// yet are told first.

const PREFIX = "feedbackhub.review.";

const done = (request) =>
  new Promise((resolve) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => resolve(null);
  });

async function names() {
  const databases = (await self.indexedDB?.databases?.()) ?? [];
  return databases.map(({ name }) => name).filter((name) => name.startsWith(PREFIX));
}

async function unsentCount() {
  let count = 0;
  for (const name of await names()) {
    const database = await done(indexedDB.open(name));
    if (database?.objectStoreNames.contains("outbox")) {
      count += await done(database.transaction("outbox").objectStore("outbox").count());
    }
    database?.close();
  }
  return count;
}

async function wipe() {
  for (const name of await names()) await done(indexedDB.deleteDatabase(name));
  for (const name of (await self.caches?.keys()) ?? []) {
    if (name.startsWith(PREFIX)) await caches.delete(name);
  }
}

document.addEventListener("submit", async (event) => {
  const button = event.submitter;
  if (!button?.matches("[data-sign-out]") || "wiped" in button.dataset) return;
  event.preventDefault();
  try {
    const count = await unsentCount();
    if (count && !confirm(button.dataset.unsent.replace("{n}", String(count)))) return;
    await wipe();
  } catch {
    // A browser that keeps nothing has nothing to wipe.
  }
  button.dataset.wiped = "";
  event.target.requestSubmit(button);
});
