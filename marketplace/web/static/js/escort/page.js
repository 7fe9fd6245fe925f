// The escort worker's pages: what she records stands on the phone first and is sent from there (outbox.js, send.js), so
// that it makes no difference whether there is a connection. What the server has is in the page; what it has not yet,
// or has taken since the page was made, is drawn from what is stored here.
import { signing, smaller } from "./drawn.js";
import * as outbox from "./outbox.js";
import * as send from "./send.js";
import { LONGEST as LONGEST_LOOK, measure } from "./where.js";

const strip = document.getElementById("unsent");
const one = document.getElementById("escort");
const list = document.getElementById("deeds");
const say = (text) => {
  const voice = document.getElementById("announce");
  if (voice) voice.textContent = text;
};
const LONGEST = 57600000; // what was sent stands here until the page has it, as long at most as pages are kept
let how = "idle";
let drawing = Promise.resolve();

// ---------- what is not sent ----------
async function draw() {
  const found = await outbox.all().catch(() => []);
  const waiting = found.filter((deed) => deed.state === "waiting").length;
  const refused = found.filter((deed) => deed.state === "refused").length;
  const words = strip.dataset;
  const numbered = (number, single, several) => (number === 1 ? single : several.replace("{number}", number));
  const lines = [];
  const held = found.some((deed) => deed.state === "waiting" && deed.held);
  if (waiting) lines.push(held ? words.memory : numbered(waiting, words.one, words.many));
  if (waiting && words[how]) lines.push(words[how]);
  if (refused) lines.push(numbered(refused, words.refusedOne, words.refusedMany));
  const text = lines.join(" ");
  const says = strip.querySelector("[data-says]");
  if (says.textContent !== text) says.textContent = text;
  strip.hidden = !lines.length;
  strip.dataset.waiting = waiting;
  strip.dataset.held = held ? "yes" : "no";
  strip.querySelector("[data-send]").hidden = !waiting || how === "signedOut";
  strip.querySelector("[data-again]").hidden = !waiting || how !== "signedOut";
  const old = (deed) => deed.state === "sent" && Date.now() - Date.parse(deed.at) > LONGEST;
  for (const deed of found.filter(old)) await outbox.change(deed.key, null);
  if (one) await drawDeeds(found.filter((deed) => deed.assignment === one.dataset.assignment && !old(deed)));
}

// One drawing after the other: two at a time would draw twice.
const redraw = () => (drawing = drawing.then(draw, draw));

async function drawDeeds(found) {
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const key = focused?.closest("li").dataset.key;
  for (const item of list.querySelectorAll("[data-local]")) item.remove();
  const known = new Map([...list.children].map((item) => [item.dataset.key, item]));
  for (const deed of found) {
    const taken = known.has(deed.key) && deed.state !== "refused"; // the page has it
    if (taken) {
      await outbox.change(deed.key, null);
      continue;
    }
    const item = drawn(deed);
    const next = [...list.children].find((each) => Number(each.dataset.number) > deed.number);
    list.insertBefore(item, next ?? null);
  }
  document.querySelector("[data-empty]").hidden = list.children.length > 0;
  chooseNext();
  if (focused && !focused.isConnected) refocus(key, focused.dataset.act);
}

// The button that had it before the drawing; where that is gone, the heading of the list.
function refocus(key, act) {
  const item = [...list.children].find((each) => each.dataset.key === key);
  (item?.querySelector(`[data-act="${act}"]`) ?? document.getElementById("done")).focus();
}

function drawn(deed) {
  const item = document.getElementById("deed").content.firstElementChild.cloneNode(true);
  item.dataset.key = deed.key;
  item.dataset.number = deed.number;
  item.dataset.kind = deed.kind;
  item.dataset.local = deed.state;
  item.className = deed.state === "sent" ? "done" : deed.state === "refused" ? "fail" : "now";
  if (deed.state !== "sent") item.querySelector(".dot").replaceChildren();
  item.querySelector("h3").textContent = nameOf(deed.kind);
  item.querySelector(".cap").textContent = clock(deed.at);
  const more = [costOf(deed), deed.told.words ?? "", deed.picture || deed.photo ? one.dataset.photo : ""].filter(Boolean);
  item.querySelector("[data-more]").textContent = more.join("\n");
  const status = item.querySelector("[data-status]");
  const waits = deed.stuck ? one.dataset.stuck : one.dataset.waits;
  status.textContent = deed.state === "sent" ? one.dataset.sent : deed.state === "waiting" ? waits : `${one.dataset.refused} ${deed.error}`.trim();
  if (deed.state === "refused") {
    status.classList.add("bad");
    const act = (name, text, does) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn--text";
      button.dataset.act = name;
      button.textContent = text;
      button.addEventListener("click", does);
      status.append(" ", button);
    };
    if (deed.field === "code") act("code", one.dataset.code, () => correct(deed));
    act("remove", one.dataset.remove, () => outbox.change(deed.key, null).then(redraw));
  }
  return item;
}

const nameOf = (kind) => document.querySelector(`form[data-deed="${kind}"]`)?.dataset.name ?? kind;
const clock = (at) => new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: one.dataset.zone }).format(new Date(at));

function costOf({ told }) {
  if (!told.amount_minor) return "";
  const sum = new Intl.NumberFormat(one.dataset.language, { style: "currency", currency: told.currency });
  return `${sum.format(told.amount_minor / 10 ** Number(one.dataset.digits))} ${told.what}`;
}

// The step after the last one that stands there.
function chooseNext() {
  const steps = [...document.querySelectorAll("[data-next]")];
  const done = new Set([...list.children].filter((item) => item.dataset.local !== "refused").map((item) => item.dataset.kind));
  const last = steps.findLastIndex((button) => done.has(button.dataset.next));
  steps.forEach((button, place) => (button.hidden = place !== last + 1));
  document.querySelector("[data-none]").hidden = last + 1 < steps.length;
}

// ---------- recording ----------
function refuse(form, field, text) {
  const error = form.querySelector("[data-error]");
  error.textContent = text;
  error.hidden = !text;
  for (const each of form.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
  if (text && field) {
    if (field.matches("input, textarea")) field.setAttribute("aria-invalid", "true");
    field.focus();
  }
  return null;
}

// What a sheet says, or null where something is missing: then it says so.
async function read(form, pad) {
  const told = {};
  const kind = form.dataset.deed;
  const { words, amount, what, code, picture } = form.elements;
  for (const field of [picture, amount, what, words]) {
    const blank = field?.type === "file" ? !field.files.length : !field?.value.trim();
    if (field?.required && blank) return refuse(form, field, field.dataset.needed);
  }
  if (words?.value.trim()) told.words = words.value.trim();
  if (amount) {
    const digits = Number(one.dataset.digits);
    const sum = amount.value.trim().replace(/[,，。]/g, ".");
    const minor = /^\d+(\.\d+)?$/.test(sum) && (sum.split(".")[1] ?? "").length <= digits ? Math.round(Number(sum) * 10 ** digits) : 0;
    if (minor < 1 || minor > Number(amount.dataset.most)) return refuse(form, amount, amount.dataset.needed);
    Object.assign(told, { amount_minor: minor, currency: one.dataset.currency, what: what.value.trim() });
  }
  if (kind === "signed") {
    const strokes = pad.lines();
    if (!strokes.length) return refuse(form, form.querySelector("canvas"), form.querySelector("canvas").dataset.needed);
    told.strokes = strokes;
  }
  if (form.elements.proof?.value === "code") {
    if (!/^[0-9]{4}$/.test(code.value)) return refuse(form, code, code.dataset.needed);
    told.code = code.value;
  }
  return told;
}

// The photo of a sheet as it is sent, null without one; undefined where it can't be taken: then the sheet says so.
async function photo(form) {
  const field = form.elements.picture;
  if (!field?.files.length) return null;
  const made = await smaller(field.files[0]);
  const wrong = !made ? field.dataset.broken : made.size > Number(field.dataset.most) ? field.dataset.tooLarge : "";
  if (!wrong) return made;
  refuse(form, field, wrong);
  return undefined;
}

const place = () => (one.dataset.latitude ? { latitude: Number(one.dataset.latitude), longitude: Number(one.dataset.longitude) } : null);
const looks = (form) => form.elements.proof?.value === "position";
const until = (form) => (looks(form) ? Date.now() + LONGEST_LOOK : 0);

// Where she is, for a deed that stands there already and waits for it a little.
async function locate(key) {
  say(one.dataset.looking);
  const found = await measure(place());
  await outbox.change(key, (deed) => (deed.state === "waiting" && deed.until ? { told: { ...deed.told, ...found }, until: 0 } : {}));
}

async function record(form, pad) {
  const at = new Date().toISOString(); // when it was done, whatever takes its time below
  const told = await read(form, pad);
  if (told === null) return;
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  let made = null;
  try {
    const picture = await photo(form);
    if (picture === undefined) return;
    const highest = Math.max(Number(one.dataset.highest), ...[...list.children].map((item) => Number(item.dataset.number)));
    made = await outbox.add({ assignment: one.dataset.assignment, kind: form.dataset.deed, at, told, picture, until: until(form) }, highest);
  } catch (error) {
    if (!(error instanceof outbox.Anothers)) throw error;
    return location.reload();
  } finally {
    button.disabled = false;
  }
  say(`${form.dataset.name}: ${one.dataset.saved}`);
  await finish(form, pad, made.key);
}

// The sheet is done with its deed, which is sent as soon as it may be.
async function finish(form, pad, key) {
  const measured = looks(form) ? locate(key) : null;
  form.closest("dialog").close();
  form.reset();
  pad?.wipe();
  settle(form);
  await redraw();
  send.now();
  if (!measured) return;
  await measured.catch(() => {}); // its time is over at any rate
  send.now();
}

// A deed whose code was wrong keeps its key, its number, its time and its words.
function correct(deed) {
  const sheet = document.getElementById(`sheet-${deed.kind}`);
  const form = sheet.querySelector("form");
  form.dataset.corrects = deed.key;
  form.elements.proof.value = "code";
  form.elements.words.value = deed.told.words ?? "";
  settle(form);
  sheet.showModal();
  form.elements.code.focus();
}

async function corrected(form) {
  const key = form.dataset.corrects;
  const told = await read(form, null);
  if (told === null) return;
  await outbox.change(key, { told, state: "waiting", error: "", field: "", until: until(form) });
  await finish(form, null, key);
}

function settle(form) {
  const field = form.querySelector("[data-code-field]");
  if (field) field.hidden = form.elements.proof.value !== "code";
}

function prepare(form) {
  const canvas = form.querySelector("canvas");
  const pad = canvas && signing(canvas);
  form.querySelector("[data-wipe]")?.addEventListener("click", () => pad.wipe());
  form.addEventListener("change", () => settle(form));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation(); // the same sheet records the next one, too: page.js lets a form go once
    refuse(form, null, "");
    if (form.dataset.corrects) corrected(form);
    else record(form, pad);
  });
  form.closest("dialog").addEventListener("close", () => {
    if (form.dataset.corrects) form.reset();
    delete form.dataset.corrects;
    settle(form);
  });
  settle(form);
}

// Somebody else goes, or nobody, since this page was made: steps are offered no more. What was forgotten can be told.
function stands(state) {
  const over = !["accepted", "done"].includes(state) && one.dataset.goes === "yes";
  document.getElementById("taken").hidden = !over;
  for (const each of document.querySelectorAll("[data-steps]")) each.hidden = over;
}

// ---------- the app ----------
// The worker keeps this page from the first visit on; later visits pass through it by themselves.
async function install() {
  const { worker, scope } = strip.dataset;
  const registered = await navigator.serviceWorker?.register(worker, { scope }).catch(() => null);
  if (!registered || navigator.serviceWorker.controller?.scriptURL.includes(scope)) return;
  await navigator.serviceWorker.ready;
  const addresses = [location.href, ...[...document.querySelectorAll("a[data-keep=yes]")].map((link) => link.href)];
  const active = registered.active ?? (await navigator.serviceWorker.getRegistration(scope))?.active;
  active?.postMessage({ keep: addresses });
}

for (const form of document.querySelectorAll("form[data-deed]")) prepare(form);
strip?.querySelector("[data-send]").addEventListener("click", () => send.now());
if (strip) {
  outbox.watch(redraw, () => location.reload());
  redraw();
  const became = (what) => {
    how = what;
    redraw();
  };
  send.begin(strip.dataset, one?.dataset.assignment ?? "", became, stands);
  addEventListener("beforeunload", (event) => strip.dataset.held === "yes" && event.preventDefault());
  install();
  addEventListener("pageshow", async (event) => {
    if (event.persisted && !(await outbox.ours())) location.reload();
  });
}
