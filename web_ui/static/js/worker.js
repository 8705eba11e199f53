// Keeps the one page that says the box cannot be reached, and nothing else: no page of the floor, no answer, no data.
// `KEPT` (paths) and `VERSION` stand before this, written by the server.

const CACHE = `mamori-shell-${VERSION}`;
const PATIENCE_MS = 8000; // A box that does not answer a page for so long is not there for whoever waits.

self.addEventListener("install", (event) => {
  const fresh = KEPT.map((path) => new Request(path, { cache: "reload", credentials: "omit" }));
  event.waitUntil(caches.open(CACHE).then((kept) => kept.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(pageOf(request));
  else if (KEPT.includes(new URL(request.url).pathname)) event.respondWith(partOf(request));
});

async function pageOf(request) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("late")), PATIENCE_MS));
  try {
    return await Promise.race([fetch(request), late]);
  } catch {
    return (await caches.match(KEPT[0])) ?? Response.error();
  }
}

async function partOf(request) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(request, { ignoreSearch: true })) ?? Response.error();
  }
}
