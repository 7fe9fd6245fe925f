// Live parts of a page. An element with data-live="2", hx-get and hx-trigger="live" asks again every 2 seconds, sends the
// ETag of what it shows, and its content is replaced only when the answer differs. It rests while the page is hidden,
// keeps asking (slower) while the connection is lost and says so at the top of the page, and ends for good when the
// content holds data-final.
const SLOWEST = 15000;
const state = { failures: 0, offline: false, timer: 0, shownAt: Date.now() };

const regions = () => document.querySelectorAll("[data-live]");
const period = (region) => Math.max(1, Number(region.dataset.live) || 2) * 1000;

function plan() {
  clearTimeout(state.timer);
  const all = [...regions()];
  if (!all.length || document.hidden) return;
  const wait = Math.min(...all.map(period)) * 2 ** Math.min(state.failures, 4);
  state.timer = setTimeout(ask, Math.min(wait, SLOWEST));
}

function ask() {
  clearTimeout(state.timer);
  for (const region of regions()) {
    // A reader who is inside the region with an open choice must not lose it to a swap.
    if (!region.querySelector("dialog[open], input:focus, textarea:focus, select:focus")) htmx.trigger(region, "live");
  }
  plan();
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
document.addEventListener("htmx:afterSwap", (event) => {
  const region = event.detail.target;
  if (!region?.dataset?.live) return;
  region.dataset.etag = event.detail.xhr.getResponseHeader("ETag") || "";
  if (region.querySelector("[data-final]")) delete region.dataset.live;
  announce(region);
});
for (const failure of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(failure, lost);
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status >= 500) lost();
  else if (event.detail.xhr.status === 401) location.reload();
});
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(state.timer) : ask()));
window.addEventListener("online", ask);
window.addEventListener("offline", lost);
if (navigator.onLine === false) lost();
plan();
