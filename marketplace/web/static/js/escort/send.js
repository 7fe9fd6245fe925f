// Sends what waits, in order, once each: whatever tab does it, a lock sees to it that no other one does. Deeds keep
// their keys for every try, so that one whose answer was lost is not taken twice. One that the server can't take holds
// up no other.
import * as outbox from "./outbox.js";
import { LONGEST as LONGEST_LOOK } from "./where.js";

const AT_ONCE = 20;
const AGAIN = 15000; // while something waits
const SLOWEST = 60000;
const LOOKS = 60000; // how often an open page asks how its escort stands
const MOST_TRIES = 3; // after so many it is said of a deed
const state = { tries: 0, timer: 0, running: false };
let words = null; // where to: the data of #unsent
let open = ""; // the escort of this page
let told = () => {}; // what became of it: sending, sent, offline, trouble, barred, signedOut, idle
let stands = () => {}; // how the open page's escort stands, as the server says

export function begin(data, assignment, onChange, onState) {
  [words, open, told, stands] = [data, assignment, onChange, onState];
  addEventListener("online", here);
  document.addEventListener("visibilitychange", here);
  addEventListener("pageshow", (event) => event.persisted && here());
  setInterval(glance, LOOKS);
  here();
}

function here() {
  if (!document.hidden) now();
  glance();
}

// How the open page's escort stands, whether or not something waits.
function glance() {
  if (open && !document.hidden && navigator.onLine) look([]).catch(() => {});
}

export function now() {
  state.tries = 0;
  return flush();
}

async function flush() {
  clearTimeout(state.timer);
  if (state.running) return;
  state.running = true;
  try {
    await (navigator.locks ? navigator.locks.request("escort outbox", sendAll) : sendAll());
  } catch {
    told("idle"); // the browser's store failed: what waits is still there, or was never stored
  } finally {
    state.running = false;
    await later();
  }
}

async function later() {
  const waiting = (await outbox.all().catch(() => [])).some((deed) => deed.state === "waiting");
  if (!waiting) return;
  clearTimeout(state.timer);
  state.timer = setTimeout(flush, Math.min(SLOWEST, AGAIN * 2 ** Math.max(0, state.tries - 4)));
}

const ask = (address, more = {}) =>
  fetch(address, {
    cache: "no-store",
    redirect: "manual",
    ...more,
    headers: { Accept: "application/json", "HX-Request": "true", ...more.headers },
    signal: AbortSignal.timeout(more.body ? 120000 : 15000),
  });

// Whose this browser is, what may be sent with, and how the escorts stand. Where that is no answer, what it means.
async function look(assignments) {
  const of = new URLSearchParams([...new Set([...assignments, open])].filter(Boolean).map((each) => ["of", each]));
  const here = await ask(`${words.here}?${of}`).catch(() => null);
  if (!here) return { failed: "offline" };
  if (here.status === 401 || here.type === "opaqueredirect") {
    await outbox.forgetPages("").catch(() => {});
    return { failed: "signedOut" };
  }
  if (here.status === 403 || here.status === 404) return { failed: "barred" };
  const said = here.ok ? await here.json().catch(() => null) : null;
  if (!said) return { failed: "trouble" };
  if (said.account === outbox.account) {
    for (const [assignment, highest] of Object.entries(said.highest ?? {})) await outbox.after(assignment, highest).catch(() => {});
    if (said.state?.[open]) stands(said.state[open]);
  }
  return said;
}

// That is still looking where it is: not for ever, whatever became of the page that did.
const looking = (deed) => deed.until > Date.now() && deed.until - Date.now() <= LONGEST_LOOK;

async function sendAll() {
  const aside = new Set(); // that are to be tried again later
  const alone = new Set(); // of a batch that was not taken as a whole
  for (;;) {
    const ready = (deed) => deed.state === "waiting" && !aside.has(deed.key) && !looking(deed);
    let waiting = (await outbox.all()).filter(ready);
    if (!waiting.length) {
      state.tries += aside.size ? 1 : 0;
      return told(aside.size ? "trouble" : "idle");
    }
    if (!(await outbox.ours())) return location.reload(); // another member is signed in here now
    told("sending");
    const { failed, account, token } = await look([waiting[0].assignment]);
    if (failed) {
      state.tries += 1;
      return told(failed);
    }
    if (account !== outbox.account) return location.reload(); // what is not hers waits for who recorded it
    waiting = (await outbox.all()).filter(ready);
    if (!waiting.length) continue;
    const keys = new Set(first(waiting, alone).map(({ key }) => key));
    for (const key of keys) await outbox.change(key, { offered: true }).catch(() => {}); // its number stays from now on; a full store sends too
    const batch = (await outbox.all()).filter((deed) => keys.has(deed.key));
    if (!batch.length) continue;
    const answer = await ask(words.deeds.replace("ASSIGNMENT", batch[0].assignment), {
      method: "POST",
      body: body(batch),
      headers: { "X-CSRFToken": token },
    }).catch((error) => error.name);
    if (answer.status === 401 || answer.type === "opaqueredirect") return told("signedOut");
    if (typeof answer === "string" && answer !== "TimeoutError") {
      state.tries += 1;
      return told("offline");
    }
    await settle(batch, answer, aside, alone);
    told("sent");
  }
}

// The next ones of one assignment; one with a picture goes alone.
function first(waiting, alone) {
  const same = waiting.filter((deed) => deed.assignment === waiting[0].assignment);
  const single = (deed) => deed.picture || alone.has(deed.key);
  if (single(same[0])) return [same[0]];
  const until = same.findIndex(single);
  return same.slice(0, Math.min(AT_ONCE, until < 0 ? same.length : until));
}

function body(batch) {
  const form = new FormData();
  form.set("deeds", JSON.stringify(batch.map(({ key, number, kind, at, told: more }) => ({ key, number, kind, at, ...more }))));
  for (const deed of batch) if (deed.picture) form.set(`picture-${deed.key}`, deed.picture, "picture");
  return form;
}

const passing = (status) => !status || status >= 500 || [403, 408, 425, 429].includes(status);

// What became of each. A batch that was refused as a whole is sent deed by deed; one that the server can't take now is
// put aside, one that it never will is refused in its words, else in ours.
async function settle(batch, answer, aside, alone) {
  const json = answer.headers?.get("Content-Type")?.startsWith("application/json");
  const said = json ? await answer.json().catch(() => null) : null;
  if (!said?.deeds) {
    if (batch.length > 1 && answer.status !== 429) return batch.forEach((deed) => alone.add(deed.key));
    const [deed] = batch;
    if (passing(answer.status)) return Promise.all(batch.map((each) => putAside(each, aside)));
    const error = said?.error || words[`error-${answer.status}`] || words.errorOther;
    return outbox.change(deed.key, { state: "refused", error, field: "" });
  }
  const answers = new Map(said.deeds.map((each) => [each.key, each]));
  for (const deed of batch) {
    const each = answers.get(deed.key);
    if (each?.taken) await sent(deed);
    else if (!each || each.refused.again) await putAside(deed, aside);
    else await outbox.change(deed.key, { state: "refused", error: each.refused.error, field: each.refused.field });
  }
}

async function sent(deed) {
  const left = { state: "sent", picture: null, photo: Boolean(deed.picture), told: drawn(deed.told), stuck: false };
  await outbox.change(deed.key, left).catch(() => outbox.change(deed.key, null)); // to take away needs no room
}

async function putAside(deed, aside) {
  aside.add(deed.key);
  const tries = (deed.tries ?? 0) + 1;
  await outbox.change(deed.key, { tries, stuck: tries >= MOST_TRIES }).catch(() => {});
}

// What of a deed is drawn until the page has it: nothing else of it stays here.
const drawn = ({ words: said, amount_minor, currency, what }) => ({ words: said, amount_minor, currency, what });
