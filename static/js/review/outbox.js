// The answers that are on their way: kept in this browser first, then sent one after the other, again and
// again until the server has them. Each submit carries its key, so twice is once. Whoever cares hears
// "sent" and "turned-down" on the screen, with {entry, answer}; "outbox" when the count changes.

import { bodyOf } from "./filling.js";
import { item, screen, send } from "./item.js";
import * as kept from "./kept.js";

const TRIES = [1_000, 2_000, 5_000, 10_000, 20_000];

let waiting = []; // {key, id, kind, url, pairs, typed, title, state: waiting|refused, tries}
let isSending = false;
let timer = null;
let isSignedOut = false;

const tell = (name, detail) => screen.dispatchEvent(new CustomEvent(name, { detail }));

function changed() {
  screen.dataset.unsent = String(waiting.length);
  tell("outbox", { entries: waiting, isSignedOut });
}

export const entries = () => waiting;
export const has = (id) => waiting.some((entry) => entry.id === id);
export const newest = () => waiting.at(-1) ?? null;
export const isIdle = () => waiting.every((entry) => entry.state === "refused" || entry.isHeld);

// What an earlier page left here.
export async function load() {
  const left = await kept.all("outbox");
  waiting = [...left.filter((entry) => !waiting.some((each) => each.key === entry.key)), ...waiting];
  waiting.sort((one, other) => (one.key < other.key ? -1 : 1));
  changed();
  return waiting;
}

let last = 0;
function newKey() {
  last = Math.max(last + 1, Date.now());
  return String(last).padStart(16, "0");
}

export function add(entry) {
  const added = { key: newKey(), state: "waiting", tries: 0, ...entry };
  waiting.push(added);
  kept.put("outbox", added);
  changed();
  flush();
  return added;
}

// While it is being shown again it is not sent; what this browser keeps of it stays. False when it is held already.
export function hold(entry) {
  if (entry.isHeld) return false;
  entry.isHeld = true;
  return true;
}

export function letGo(entry) {
  entry.isHeld = false;
  flush();
}

export function remove(entry) {
  waiting = waiting.filter((each) => each.key !== entry.key);
  kept.forget("outbox", entry.key);
  changed();
}

export async function flush() {
  if (isSending) return;
  isSending = true;
  clearTimeout(timer);
  await null; // the next item is shown before anything is sent
  try {
    // Two windows send one after the other.
    if (navigator.locks) await navigator.locks.request("feedbackhub.outbox", sendAll);
    else await sendAll();
  } finally {
    isSending = false;
  }
}

async function sendAll() {
  for (;;) {
    const entry = waiting.find((each) => each.state === "waiting" && !each.isHeld);
    if (!entry) return;
    entry.isOnItsWay = true;
    const isDone = await sendOne(entry);
    entry.isOnItsWay = false;
    if (isDone) continue;
    entry.tries += 1;
    timer = setTimeout(flush, TRIES[Math.min(entry.tries, TRIES.length) - 1]);
    changed();
    tell("held-up", { entry });
    return;
  }
}

// True when this one needs no other try.
async function sendOne(entry) {
  let outcome;
  try {
    const body = bodyOf(entry.pairs);
    const showing = item()?.dataset.item ?? "";
    if (showing !== entry.id) body.set("showing", showing);
    outcome = await send(entry.url, body);
  } catch {
    outcome = { status: -1, answer: null };
  }
  const { status, answer } = outcome;
  isSignedOut = status === 0 || status === 401 || status === 403;
  if (status === 200) {
    remove(entry);
    tell("sent", { entry, answer });
    return true;
  }
  if (answer?.kind) return refused(entry, answer);
  if (status === -1 || isSignedOut || status === 429 || status >= 500) return false;
  return park(entry, { kind: "gone", status });
}

async function refused(entry, answer) {
  if (entry.kind === "skip" && answer.state === "skipped") {
    remove(entry);
    tell("sent", { entry, answer: { message: answer.message, next: null } });
    return true;
  }
  // Only time has passed, and nobody took it: take it up again and go on.
  if (answer.take_up_url && !entry.isTakenUp) {
    try {
      const taken = await send(answer.take_up_url, new FormData());
      if (taken.status === 200) {
        entry.isTakenUp = true;
        const fence = String(taken.answer.fence);
        entry.pairs = entry.pairs.map(([name, value]) => [name, name === "fence" ? fence : value]);
        kept.put("outbox", { ...entry, isOnItsWay: false });
        return sendOne(entry);
      }
    } catch {
      return false;
    }
  }
  return park(entry, answer);
}

function park(entry, answer) {
  entry.state = "refused";
  kept.put("outbox", { ...entry, isOnItsWay: false });
  changed();
  tell("turned-down", { entry, answer });
  return true;
}

// Once more, after a person has seen to it.
export function retry(entry) {
  entry.state = "waiting";
  flush();
}

addEventListener("online", flush);
addEventListener("focus", () => waiting.length && flush()); // signed in again in another window
