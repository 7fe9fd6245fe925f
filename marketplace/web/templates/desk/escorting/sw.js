// The escort worker's pages go on without a connection: a page that was opened is kept for some hours, for the one member
// whose it is, and shown where it can't be fetched. Nothing else of anybody's is kept; signing out deletes it (guard.js).
const FILES = {{ ("escort-files-" ~ version)|tojson }};
const PAGES = "escort-pages-";
const KEPT = {{ kept|tojson }};
const OFFLINE = {{ page|tojson }};
const SCOPE = {{ scope|tojson }};
const ACCOUNT = {{ account|tojson }};
const LONGEST = {{ milliseconds|tojson }};
const AT = "X-Kept-At";
const PATIENCE = 8000;

self.addEventListener("install", (event) => {
  const fetched = KEPT.map((address) => new Request(address, { credentials: "omit", cache: "reload" }));
  event.waitUntil(caches.open(FILES).then((cache) => cache.addAll(fetched)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith("escort-files-") && name !== FILES);
  event.waitUntil(
    caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name)))).then(() => self.clients.claim()),
  );
});

const isPage = (address) => address.pathname === SCOPE || /^\/[^/]+$/.test(address.pathname.slice(SCOPE.length));

// For whom the server says that it may be kept; what was kept for another one goes.
async function keep(address, response) {
  const account = response.headers.get(ACCOUNT);
  if (signedOut(response)) return forgetAll();
  if (response.status === 404) return forget(address);
  if (!response.ok || response.redirected || !account) return;
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PAGES) && name !== PAGES + account).map((name) => caches.delete(name)));
  const headers = new Headers(response.headers);
  headers.set(AT, String(Date.now()));
  const cache = await caches.open(PAGES + account);
  await cache.put(address, new Response(await response.blob(), { status: 200, headers }));
}

async function forget(address) {
  const names = (await caches.keys()).filter((name) => name.startsWith(PAGES));
  await Promise.all(names.map((name) => caches.open(name).then((cache) => cache.delete(address))));
}

// Nobody is signed in here any more: her pages lead to the sign-in.
const signedOut = (response) => response.status === 401 || response.type === "opaqueredirect" || response.redirected;

async function forgetAll() {
  const names = (await caches.keys()).filter((name) => name.startsWith(PAGES));
  await Promise.all(names.map((name) => caches.delete(name)));
}

const lasts = (response) => Date.now() - Number(response.headers.get(AT)) < LONGEST;

// Whatever was kept for too long goes, whosever it is and whether or not it is asked for again.
async function sweep() {
  for (const name of (await caches.keys()).filter((each) => each.startsWith(PAGES))) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const found = await cache.match(request, { ignoreVary: true });
      if (found && !lasts(found)) await cache.delete(request, { ignoreVary: true });
    }
  }
}

const plain = (address) => address.origin + address.pathname; // whatever its query: a language, a mark

async function kept(address) {
  for (const name of (await caches.keys()).filter((each) => each.startsWith(PAGES))) {
    const cache = await caches.open(name);
    const found = await cache.match(plain(address), { ignoreVary: true });
    if (!found) continue;
    if (lasts(found)) return found;
    await cache.delete(plain(address));
  }
}

async function page(event, address) {
  const fetched = fetch(event.request);
  event.waitUntil(fetched.then((response) => keep(plain(address), response.clone())).catch(() => {}));
  let failed;
  try {
    failed = await Promise.race([fetched, late()]);
    if (failed.status < 500) return failed;
  } catch {} // no connection, or none worth waiting for
  return (await kept(address)) ?? failed ?? caches.match(OFFLINE, { ignoreVary: true });
}

const late = () => new Promise((_done, failed) => setTimeout(failed, PATIENCE));

// One with its version in its address never changes: what is kept is as good as what would be fetched. A page that was
// kept before this release asks for versions that are not kept any more: without a connection it has the ones that are.
async function file(event, address) {
  const cached = await caches.match(event.request, { ignoreVary: true });
  if (cached && address.searchParams.has("v")) return cached;
  const instead = cached ?? (await caches.match(event.request, { ignoreVary: true, ignoreSearch: true }));
  if (!instead) return fetch(event.request);
  try {
    return await Promise.race([fetch(event.request), late()]);
  } catch {
    return instead;
  }
}

self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.method !== "GET" || address.origin !== location.origin) return;
  if (address.pathname.startsWith("/static/")) return event.respondWith(file(event, address));
  event.waitUntil(sweep().catch(() => {}));
  if (event.request.mode === "navigate" && isPage(address)) event.respondWith(page(event, address));
});

// Pages that were open before this worker was there.
self.addEventListener("message", (event) => {
  const { keep: addresses } = event.data ?? {};
  if (!Array.isArray(addresses)) return;
  const all = addresses.map((each) => new URL(each)).filter((each) => each.origin === location.origin && isPage(each));
  event.waitUntil(
    Promise.all(all.map((each) => fetch(each, { cache: "no-store" }).then((response) => keep(plain(each), response)).catch(() => {}))),
  );
});
