// What this browser keeps of one's work, so that nothing is lost without a connection: the items in hand,
// what was typed in them, and the answers not sent yet. One IndexedDB per project, of one person at a
// time; the items go with their lease, all of it at sign-out (sign_out.js).

import { screen } from "./item.js";

const PREFIX = "feedbackhub.review.";
const STORES = { items: "id", typed: "id", outbox: "key", about: "name" };

let opening = null;
const memory = Object.fromEntries(Object.keys(STORES).map((name) => [name, new Map()]));

function open() {
  opening ??= new Promise((resolve) => {
    let request;
    try {
      request = indexedDB.open(PREFIX + screen.dataset.project, 1);
    } catch {
      resolve(null); // a browser that keeps nothing: memory has to do
      return;
    }
    request.onupgradeneeded = () => {
      for (const [name, keyPath] of Object.entries(STORES)) {
        request.result.createObjectStore(name, { keyPath });
      }
    };
    request.onerror = () => resolve(null);
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
  }).then(async (database) => {
    await ofThisPerson(database);
    return database;
  });
  return opening;
}

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

// Somebody else signed in here: what the one before left is not theirs to see.
async function ofThisPerson(database) {
  if (!database) return;
  const owner = screen.dataset.owner;
  const known = await done(database.transaction("about").objectStore("about").get("owner"));
  if (known?.value === owner) return;
  const change = database.transaction(Object.keys(STORES), "readwrite");
  for (const name of Object.keys(STORES)) change.objectStore(name).clear();
  change.objectStore("about").put({ name: "owner", value: owner });
  await new Promise((resolve) => {
    change.oncomplete = change.onerror = resolve;
  });
}

async function inStore(name, mode, act, inMemory) {
  try {
    const database = await open();
    if (database) return await done(act(database.transaction(name, mode).objectStore(name)));
  } catch {
    // The disk is full, or the database was wiped under us.
  }
  return inMemory(memory[name]);
}

export const put = (name, row) =>
  inStore(
    name,
    "readwrite",
    (store) => store.put(row),
    (rows) => rows.set(row[STORES[name]], row),
  );

export const forget = (name, id) =>
  inStore(
    name,
    "readwrite",
    (store) => store.delete(id),
    (rows) => rows.delete(id),
  );

export const get = (name, id) =>
  inStore(
    name,
    "readonly",
    (store) => store.get(id),
    (rows) => rows.get(id),
  );

export const all = (name) =>
  inStore(
    name,
    "readonly",
    (store) => store.getAll(),
    (rows) => [...rows.values()],
  );

// An item as the server drew it, until its lease is over.
export const keepItem = (element, html) =>
  put("items", {
    id: element.dataset.item,
    fence: element.dataset.fence,
    url: element.dataset.url,
    until: element.dataset.leaseUntil,
    html,
  });

export async function extendLease(id, until) {
  const kept = await get("items", id);
  if (kept) await put("items", { ...kept, until });
}

// The items whose lease still runs, oldest first; the others are forgotten.
export async function itemsInHand() {
  const items = await all("items");
  const isOver = (item) => !(new Date(item.until) > new Date());
  for (const item of items.filter(isOver)) forget("items", item.id);
  return items.filter((item) => !isOver(item));
}

setInterval(itemsInHand, 60_000);
