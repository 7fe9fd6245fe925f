// Shows a page of ours when a page can't be fetched. It keeps that page and its looks, and nothing of anybody's.
const NAME = {{ ("anxiang-offline-" ~ version)|tojson }};
const PAGE = {{ page|tojson }};
const KEPT = {{ kept|tojson }};

self.addEventListener("install", (event) => {
  const fetched = [PAGE, ...KEPT].map((address) => new Request(address, { credentials: "omit", cache: "reload" }));
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(fetched)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith("anxiang-") && name !== NAME);
  event.waitUntil(caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name)))));
});

self.addEventListener("fetch", (event) => {
  const asked = event.request;
  if (asked.mode === "navigate") {
    event.respondWith(fetch(asked).catch(() => caches.match(PAGE, { ignoreVary: true })));
  } else if (KEPT.some((address) => asked.url === new URL(address, location).href)) {
    event.respondWith(fetch(asked).catch(() => caches.match(asked, { ignoreVary: true })));
  }
});
