// One stream of server-sent events a browser, whatever the number of its tabs. A page that is seen and has a part with
// data-stream waits for a lock; who has it gets a ticket (body data-ticket, fetched anew for each connection: a ticket is
// good once), opens the stream and passes on what comes to the other tabs. A page that is hidden lets go of both. Every
// page tells its own scripts by events of the document: `stream:up` (detail: whether changes are told), `stream:events`
// (detail: a list) and `stream:anew` (something may have been missed). Without a stream, pages ask by themselves (live.js).
const SILENT = 40000; // the server gives a sign of life each 15 seconds
const LONGEST = 60000;
const STEADY = 10000;
const { ticket: tickets, token } = document.body.dataset;
const name = `stream ${tickets}`;
const others = "BroadcastChannel" in window ? new BroadcastChannel(name) : null;
const state = { up: false, heardAt: 0, last: "", failures: 0, ended: false };
let source = null; // the stream, where this page has it
let turn = null; // ends this page's waiting for the lock, or its having it
let leads = false; // whether it has the lock
let tried = 0; // connections that were begun: what comes of an earlier one counts no more
let again = 0;

const tell = (what, detail) => document.dispatchEvent(new CustomEvent(`stream:${what}`, { detail }));

function heard(message) {
  state.heardAt = Date.now();
  if (message.last) state.last = message.last;
  if (message.up !== undefined && message.up !== state.up) {
    state.up = message.up;
    tell("up", state.up);
  }
  if (message.anew) tell("anew");
  if (message.events) tell("events", message.events);
}

function pass(message) {
  heard(message);
  others?.postMessage(message);
}

function close() {
  tried += 1;
  clearTimeout(again);
  source?.close();
  source = null;
}

// Backing off, by chance too: after a restart not all browsers come back at the same moment.
function later() {
  close();
  if (state.up) pass({ up: false });
  if (state.ended) letGo();
  if (!leads) return;
  state.failures += 1;
  again = setTimeout(connect, Math.min(LONGEST, 1000 * 2 ** (state.failures - 1)) * (0.5 + Math.random()));
}

async function ticket() {
  const answer = await fetch(tickets, {
    method: "POST",
    headers: { "X-CSRFToken": token },
    redirect: "manual",
    signal: AbortSignal.timeout?.(8000),
  });
  if (answer.ok) return answer.json();
  // Signed out, or the form's token is of another session: the page's own asking finds out which.
  if (answer.type === "opaqueredirect" || [401, 403, 404].includes(answer.status)) state.ended = true;
  throw new Error("no ticket");
}

async function connect() {
  close();
  const mine = tried;
  let found;
  try {
    found = await ticket();
  } catch {
    if (mine === tried) later();
    return;
  }
  if (mine !== tried) return;
  const query = new URLSearchParams({ ticket: found.ticket });
  if (state.last) query.set("after", state.last);
  state.heardAt = Date.now();
  source = new EventSource(`${found.url}?${query}`);
  const opened = source;
  const on = (kind, what) =>
    opened.addEventListener(kind, (event) => opened === source && what(event.lastEventId, event));
  const ready = () => setTimeout(() => (opened === source ? (state.failures = 0) : 0), STEADY);
  on("on", () => (pass({ up: true }), ready()));
  on("anew", (last) => (pass({ up: true, anew: true, last }), ready()));
  on("beat", (last) => pass({ up: true, last }));
  on("message", (last, event) => pass({ up: true, last, events: JSON.parse(event.data) }));
  on("end", (last, event) => {
    // The session is over, or has its streams elsewhere: there is nothing to come back for.
    if (["session_over", "replaced"].includes(JSON.parse(event.data).why)) state.ended = true;
    later();
  });
  on("error", later); // never the browser's own second try: it would show the ticket once more
}

// Without locks each page has a stream of its own while it is seen.
function want() {
  if (turn || state.ended || document.hidden || !document.querySelector("[data-stream]")) return;
  const mine = (turn = new AbortController());
  const lead = () => {
    leads = true;
    connect();
  };
  if (!navigator.locks || !others) return lead();
  others.postMessage({ ask: true });
  const held = () =>
    new Promise((done) => {
      if (mine.signal.aborted) return done();
      mine.signal.addEventListener("abort", done);
      lead();
    });
  navigator.locks.request(name, { signal: mine.signal }, held).catch(() => {});
}

// What it heard last stays known, so that it goes on from there, or another tab does.
function letGo() {
  close();
  turn?.abort();
  turn = null;
  leads = false;
}

function watch() {
  if (Date.now() - state.heardAt < SILENT) return;
  if (source) later();
  else if (state.up) heard({ up: false });
}

if (tickets && "EventSource" in window) {
  others?.addEventListener("message", ({ data }) => {
    if (!data.ask) heard(data);
    else if (source) others.postMessage({ up: state.up, last: state.last });
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? letGo() : want()));
  window.addEventListener("pagehide", letGo);
  window.addEventListener("pageshow", want);
  window.addEventListener("online", () => leads && !source && connect());
  setInterval(watch, 5000);
  want();
}
