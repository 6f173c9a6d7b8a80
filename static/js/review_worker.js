// The worker of the review screen: when the server does not answer, the screen's frame comes from here.
// It keeps no item and no answer: those are in the page's own hands (review/kept.js).

const PATIENCE = 8_000; // a server that says nothing is not there
const AWAY = [502, 503, 504];
let isAway = false; // as the last page found it: its parts need not ask again

const scope = new URL(self.registration.scope).pathname;
const CACHE = `feedbackhub.review.frame ${scope}`;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function keep({ shell, statics }) {
  const cache = await caches.open(CACHE);
  const wanted = new Set([shell, ...statics].map((url) => new URL(url, self.location).href));
  for (const request of await cache.keys()) {
    if (!wanted.has(request.url)) await cache.delete(request);
  }
  await Promise.all(
    [...wanted].map(async (url) => {
      const response = await fetch(url, { redirect: "error" });
      if (response.ok) await cache.put(url, response);
    }),
  );
  await cache.put(`${scope}frame`, new Response(new URL(shell, self.location).href));
}

self.addEventListener("message", (event) => {
  event.waitUntil(
    keep(event.data)
      .then(() => event.source?.postMessage("kept"))
      .catch(() => {}), // what was kept before is still there
  );
});

async function frame() {
  const cache = await caches.open(CACHE);
  const named = await cache.match(`${scope}frame`);
  return named && cache.match(await named.text());
}

async function page(request) {
  const asked = fetch(request).catch(() => null);
  const tooLong = new Promise((resolve) => setTimeout(() => resolve(null), PATIENCE));
  const answer = await Promise.race([asked, tooLong]);
  isAway = !answer || AWAY.includes(answer.status);
  if (!isAway) return answer;
  return (await frame()) ?? answer ?? (await asked) ?? Response.error();
}

async function part(request) {
  const kept = await (await caches.open(CACHE)).match(request, { ignoreVary: true });
  if (isAway && kept) return kept;
  try {
    return await fetch(request, kept && { signal: AbortSignal.timeout(PATIENCE) });
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

const PARTS = ["script", "style", "image", "font"];

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (url.pathname === scope || /^[0-9a-f-]{36}\/$/.test(url.pathname.slice(scope.length))) {
      event.respondWith(page(request));
    }
  } else if (PARTS.includes(request.destination)) event.respondWith(part(request));
});
