// Once a minute the lease is extended, as long as somebody is at work here: a forgotten window lets
// the item go to a colleague. When the lease is lost, that is said with the next step.

import * as draft from "./draft.js";
import { form, isInHand, item, send, showConflict } from "./item.js";
import * as kept from "./kept.js";

const EVERY = 60_000;
const AT_WORK = 10 * 60_000;
let lastAct = performance.now();
for (const name of ["pointerdown", "keydown", "wheel"]) {
  addEventListener(name, () => (lastAct = performance.now()), { passive: true, capture: true });
}

async function beat() {
  const here = form();
  const { item: id } = item()?.dataset ?? {};
  if (!isInHand() || performance.now() - lastAct > AT_WORK) return;
  if (item().querySelector(".review-conflict")) return;
  const body = new FormData();
  body.set("fence", here.elements.fence.value);
  try {
    const { answer } = await send(here.dataset.heartbeatUrl, body);
    if (answer?.lease_until) {
      kept.extendLease(id, answer.lease_until);
    }
    if (here === form() && answer?.kind) {
      draft.hold();
      showConflict(answer);
    }
  } catch {
    // No connection: the draft says so.
  }
}

setInterval(beat, EVERY);
