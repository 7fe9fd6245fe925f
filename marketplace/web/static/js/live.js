// Live parts of a page. An element with data-live="2", hx-get and hx-trigger="live" asks again every 2 seconds, sends the
// ETag of what it shows, and its content is replaced only when the answer differs. It rests while the page is hidden,
// keeps asking (slower) while the connection is lost and says so at the top of the page, and ends for good when the
// content holds data-final. While a stream tells of changes (stream.js), a part with data-stream="KIND KIND" is asked for
// at once when something of one of those kinds is told, and otherwise seldom. A part with data-seen goes on, seldom, while the page is
// hidden: its asking says that its reader is at work. What a part becomes is told
// before it is drawn anew (`live:swap`): a page may change it otherwise (morph.js).
const SLOWEST = 15000;
const TOLD = 20000; // how often a part is asked for that a stream tells of
const ABOUT_TO_ACT = 10000; // so long after it moved a pointer that rests on a button may still press it
const state = { failures: 0, offline: false, timer: 0, shownAt: Date.now(), movedAt: 0, told: false, behind: false };

const regions = () => document.querySelectorAll(document.hidden ? "[data-live][data-seen]" : "[data-live]");

function period(region) {
  if (document.hidden) return state.failures ? TOLD / 4 : TOLD;
  if (state.told && region.dataset.stream && !state.behind && !state.failures) return TOLD;
  return Math.max(1, Number(region.dataset.live) || 2) * 1000;
}

function plan() {
  clearTimeout(state.timer);
  const all = [...regions()];
  if (!all.length) return;
  const often = Math.min(...all.map(period));
  state.timer = setTimeout(ask, Math.max(often, Math.min(often * 2 ** Math.min(state.failures, 4), SLOWEST)));
}

// A reader who is inside the region with an open choice must not lose it to a swap, and what she is about to press must
// not become something else under her pointer.
function held(region) {
  if (region.querySelector("dialog[open], input:focus, textarea:focus, select:focus, [data-hold]:checked")) return true;
  return Date.now() - state.movedAt < ABOUT_TO_ACT && region.querySelector("button:hover, button:focus, a:hover") !== null;
}

function ask() {
  clearTimeout(state.timer);
  state.behind = false;
  for (const region of regions()) {
    if (!held(region)) htmx.trigger(region, "live");
    else state.behind = true;
  }
  plan();
}

// Several things that happen together are asked for once.
function soon() {
  if (document.hidden) return;
  clearTimeout(state.timer);
  state.timer = setTimeout(ask, 30);
}

function reached() {
  state.failures = 0;
  state.shownAt = Date.now();
  show(false);
}

function lost() {
  state.failures += 1;
  show(true);
  plan();
}

function show(offline) {
  if (state.offline === offline) return;
  state.offline = offline;
  document.documentElement.classList.toggle("is-offline", offline);
  const notice = document.getElementById("offline");
  if (!notice) return;
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
  const time = notice.querySelector("[data-shown-at]");
  if (time) time.textContent = clock.format(state.shownAt);
  notice.hidden = !offline;
}

// What changed is read out once, from a region that stays in the page.
function announce(region) {
  const said = region.querySelector("[data-announce]")?.textContent.trim().replace(/\s+/g, " ");
  const voice = document.getElementById("announce");
  if (said && voice && voice.textContent !== said) voice.textContent = said;
}

function changed(region, answer) {
  region.dataset.etag = answer.getResponseHeader("ETag") || "";
  if (region.querySelector("[data-final]")) delete region.dataset.live;
  announce(region);
}

document.addEventListener("htmx:configRequest", (event) => {
  const tag = event.detail.elt.dataset?.etag;
  if (tag) event.detail.headers["If-None-Match"] = tag;
});
document.addEventListener("htmx:afterRequest", (event) => {
  const answer = event.detail.xhr;
  if (!answer || answer.status === 0 || answer.status >= 500) return;
  reached();
  plan();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const region = event.detail.target;
  // An answer that was on its way already; the region keeps its ETag, so that it is given again.
  if (region?.dataset?.live && held(region)) {
    event.detail.shouldSwap = false;
    state.behind = true;
  } else if (region?.dataset?.live && event.detail.shouldSwap) {
    const told = { bubbles: true, cancelable: true, detail: event.detail.serverResponse };
    if (region.dispatchEvent(new CustomEvent("live:swap", told))) return;
    event.detail.shouldSwap = false;
    changed(region, event.detail.xhr);
  }
});
document.addEventListener("htmx:afterSwap", (event) => {
  const region = event.detail.target;
  if (region?.dataset?.live) changed(region, event.detail.xhr);
});
for (const failure of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(failure, lost);
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status >= 500) lost();
  else if (event.detail.xhr.status === 401) location.reload();
});
for (const moved of ["pointermove", "pointerdown", "keydown"]) {
  document.addEventListener(moved, () => (state.movedAt = Date.now()), { passive: true });
}
document.addEventListener("stream:up", (event) => {
  state.told = event.detail;
  plan();
});
document.addEventListener("stream:anew", soon);
document.addEventListener("stream:events", (event) => {
  const kinds = new Set(event.detail.map((each) => each.kind));
  const follows = (region) => (region.dataset.stream || "").split(" ").some((kind) => kinds.has(kind));
  if ([...regions()].some(follows)) soon();
});
document.addEventListener("visibilitychange", () => (document.hidden ? plan() : ask()));
// A part that asks by itself says how it went.
document.addEventListener("live:reached", reached);
document.addEventListener("live:lost", lost);
window.addEventListener("online", ask);
window.addEventListener("offline", lost);
if (navigator.onLine === false) lost();
plan();
