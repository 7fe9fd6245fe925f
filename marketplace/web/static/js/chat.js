// A conversation with a doctor: what one writes is kept on the device until the server has it, and what others write
// appears by itself. Each message has an id of its own that it keeps for every try, so that it is taken once however
// often it is sent; its echo replaces what stands here for it. The page works without this file, by its forms.
import { keep, kept, newId, ours } from "./kept.js";

const talk = document.getElementById("talk");
const words = talk.dataset;
const conversation = words.conversation;
const part = (name) => talk.querySelector(`[data-part="${name}"]`);
const field = document.getElementById("say");
const form = document.getElementById("say-form");
const file = document.querySelector("#show [type=file]");
const outbox = document.getElementById("outbox");
const token = document.querySelector("[name=csrf_token]")?.value ?? "";
const PERIOD = 2000;
const TOLD = 5000; // while a stream tells what is said
const SLOWEST = 15000;
const TYPING_EVERY = 3000;
const JUST_LOADED = 10000; // a page so young gains nothing by being loaded again
const state = { after: 0, tag: words.tag, failures: 0, poll: 0, polling: false, again: false, told: false, read: 0, typed: 0, wrote: false, sending: false, tries: 0, resend: 0, waits: [] };

// ---------- sending ----------
function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function button(text, does) {
  const made = element("button", "btn btn--text", text);
  made.type = "button";
  made.addEventListener("click", does);
  return made;
}

// What stands for a message until its echo is here. `how` is sending, waits, sent or failed.
function draw(entry, how, error = "") {
  let item = outbox.querySelector(`[data-id="${entry.id}"]`);
  if (!item) {
    item = element("li", "said said--mine");
    item.dataset.id = entry.id;
    const bubble = element("div", "bubble bubble--me");
    bubble.append(element("span", "sr", words.me), element("span", "prose", entry.blob ? words.picture : entry.text));
    item.append(bubble, element("div", "status"));
    outbox.append(item);
  }
  item.dataset.how = how;
  const status = item.querySelector(".status");
  status.replaceChildren(how === "failed" ? `${words.failed} ${error}`.trim() : words[how]);
  if (how === "sending" && entry.blob) {
    const progress = element("progress", "mt-1");
    progress.max = 1;
    progress.value = 0;
    progress.setAttribute("aria-label", words.sending);
    status.append(progress);
  }
  if (how === "failed") status.append(button(words.retry, () => retry(entry)), button(words.remove, () => remove(entry.id)));
  outbox.hidden = false;
}

async function remove(id) {
  state.waits = state.waits.filter((entry) => entry.id !== id);
  outbox.querySelector(`[data-id="${id}"]`)?.remove();
  outbox.hidden = !outbox.children.length;
  await keep(["outbox", "delete", id]).catch(() => {});
}

async function retry(entry) {
  delete entry.error;
  draw(entry, "waits");
  await keep(["outbox", "put", entry]).catch(() => {});
  send();
}

async function enter(content) {
  const entry = { id: newId(), conversation, at: Date.now() + state.waits.length / 1000, ...content };
  state.waits.push(entry);
  draw(entry, "sending");
  toEnd();
  const changes = [["outbox", "put", entry]];
  if (entry.text) changes.push(["drafts", "delete", conversation]);
  await keep(...changes).catch(() => {}); // a full disk keeps nothing, and the message is sent all the same
  send();
}

function request(entry) {
  const body = new FormData();
  body.set("csrf_token", token);
  body.set("client_message_id", entry.id);
  if (entry.blob) body.set("picture", entry.blob, "picture");
  else {
    body.set("text", entry.text);
    body.set("seen", String(document.hidden ? 0 : state.after));
  }
  return new Promise((done) => {
    const asked = new XMLHttpRequest(); // fetch says nothing of what has gone out
    asked.open("POST", entry.blob ? words.showUrl : words.sayUrl);
    asked.setRequestHeader("Accept", "application/json");
    asked.setRequestHeader("HX-Request", "true"); // a session that has ended is said, not led to the sign-in
    asked.responseType = "json";
    asked.timeout = entry.blob ? 120000 : 20000;
    asked.upload.onprogress = (event) => {
      const progress = outbox.querySelector(`[data-id="${entry.id}"] progress`);
      if (progress && event.lengthComputable) progress.value = event.loaded / event.total;
    };
    asked.onload = () => done(asked);
    asked.onerror = asked.ontimeout = asked.onabort = () => done(null);
    asked.send(body);
  });
}

const later = (answer) => !answer || answer.status >= 500 || [408, 429].includes(answer.status) || answer.getResponseHeader("X-Code") === "busy";

// One after the other, in the order in which they were written.
async function send() {
  if (state.sending) return;
  state.sending = true;
  clearTimeout(state.resend);
  await sendAll().finally(() => (state.sending = false));
}

async function sendAll() {
  for (let entry; (entry = state.waits.find((each) => !each.error)); ) {
    draw(entry, "sending");
    if (!(await ours().catch(() => true))) return location.reload(); // another account is signed in here now: these are not its words
    const answer = await request(entry);
    if ((answer?.status === 401 || answer?.status === 403) && performance.now() > JUST_LOADED) {
      location.reload(); // signed out, or the form's token is too old: what waits is sent afterwards
      return;
    }
    if (later(answer)) {
      draw(entry, "waits");
      const wait = Number(answer?.getResponseHeader("Retry-After")) * 1000 || Math.min(30000, 1000 * 2 ** state.tries);
      state.tries += 1;
      state.resend = setTimeout(send, wait);
      break;
    }
    state.tries = 0;
    if (answer.status < 300) {
      state.waits = state.waits.filter((each) => each.id !== entry.id);
      if (outbox.querySelector(`[data-id="${entry.id}"]`)) draw(entry, "sent");
      await keep(["outbox", "delete", entry.id]).catch(() => {});
      poll();
    } else {
      entry.error = answer.response?.error || words.failed;
      entry.ended = answer.getResponseHeader("X-Code") === "conversation_closed"; // it is sent once it is open again
      draw(entry, "failed", answer.response?.error ?? (answer.status === 413 ? file?.dataset.tooLarge : ""));
      await keep(["outbox", "put", entry]).catch(() => {});
    }
  }
}

// ---------- what others say ----------
const atEnd = () => innerHeight + scrollY >= document.scrollingElement.scrollHeight - 120;
const toEnd = () => scrollTo({ top: document.scrollingElement.scrollHeight });
const active = (mode) => mode !== "closed" && mode !== "given_up";
const held = (region) => region.querySelector("select:focus, input:focus") !== null;

function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const given = (name) => fresh.querySelector(`[data-part="${name}"]`);
  const foot = given("foot").dataset;
  if (active(foot.mode) !== active(words.mode)) {
    location.reload(); // another dock, and what only a closed one has
    return;
  }
  const stays = atEnd();
  for (const name of ["alert", "head", "foot"]) {
    const region = part(name);
    if (region.innerHTML === given(name).innerHTML || held(region)) continue;
    region.replaceChildren(...given(name).childNodes);
    if (name === "head") announce(region);
  }
  Object.assign(part("foot").dataset, foot);
  document.querySelector(".bar .title").textContent = foot.title;
  words.mode = foot.mode;
  let news = false;
  for (const line of [...given("lines").children]) {
    if (line.dataset.status !== undefined) continue;
    part("lines").append(line);
    if (line.dataset.mine) remove(line.dataset.mine);
    news = true;
  }
  state.after = Math.max(state.after, Number(foot.last));
  state.again ||= state.after < Number(foot.newest); // a long absence is made up for part by part
  marks();
  if (news && stays) toEnd();
  if (news && !stays) newer.hidden = false;
  read();
}

function announce(region) {
  const said = region.querySelector("[data-announce]")?.textContent.trim().replace(/\s+/g, " ");
  const voice = document.getElementById("announce");
  if (said && voice && voice.textContent !== said) voice.textContent = said;
}

// Below the last of one's own: whether it was read, or is still on its way; and below each that did not arrive.
function marks() {
  for (const old of part("lines").querySelectorAll("[data-status]")) old.remove();
  const { othersRead, onTheWay, notDelivered } = part("foot").dataset;
  const among = (numbers, line) => (numbers ?? "").split(" ").includes(line.dataset.seq);
  const mine = [...part("lines").querySelectorAll("[data-mine]")];
  for (const line of mine) {
    const lost = among(notDelivered, line);
    if (!lost && line !== mine.at(-1)) continue;
    const arrived = among(onTheWay, line) ? words.sent : words.delivered;
    const done = Number(othersRead) >= Number(line.dataset.seq) ? words.read : arrived;
    const mark = element("p", lost ? "status bad" : "status", lost ? words.lost : done);
    mark.dataset.status = "";
    line.after(mark);
  }
}

async function poll() {
  clearTimeout(state.poll);
  if (state.polling) {
    state.again = true;
    return;
  }
  state.polling = true;
  try {
    const headers = { "If-None-Match": state.tag, "HX-Request": "true" };
    const answer = await fetch(`${words.liveUrl}?after=${state.after}`, { headers, cache: "no-store", signal: AbortSignal.timeout(8000) });
    if (answer.status === 401 || answer.status === 404) return location.reload();
    if (answer.status !== 304 && !answer.ok) throw new Error(String(answer.status));
    state.failures = 0;
    document.dispatchEvent(new CustomEvent("live:reached"));
    if (answer.status === 200) {
      const html = await answer.text();
      state.tag = answer.headers.get("ETag") ?? "";
      show(html);
    }
  } catch {
    state.failures += 1;
    document.dispatchEvent(new CustomEvent("live:lost"));
  } finally {
    state.polling = false;
    plan();
  }
}

function plan() {
  clearTimeout(state.poll);
  if (document.hidden || !active(words.mode)) return;
  const wait = state.again ? 0 : Math.min(SLOWEST, (state.told ? TOLD : PERIOD) * 2 ** Math.min(state.failures, 4));
  state.again = false;
  state.poll = setTimeout(poll, wait);
}

function post(url, values) {
  const body = new URLSearchParams({ csrf_token: token, ...values });
  return fetch(url, { method: "POST", body, headers: { Accept: "application/json", "HX-Request": "true" }, keepalive: true }).catch(() => null);
}

async function read() {
  if (document.hidden || state.read >= state.after || words.mode === "given_up") return; // a summary is read as well
  const before = state.read;
  state.read = state.after;
  const answer = await post(words.readUrl, { seen: String(state.after) });
  if (!answer?.ok) state.read = before; // with the next news
}

// ---------- the composer ----------
let draft = 0;
function written() {
  state.wrote = true;
  clearTimeout(draft);
  draft = setTimeout(store, 300);
  if (Date.now() - state.typed < TYPING_EVERY || !field.value.trim()) return;
  state.typed = Date.now();
  post(words.typingUrl, {});
}

function store() {
  clearTimeout(draft);
  const text = field.value;
  keep(text.trim() ? ["drafts", "put", { conversation, text }] : ["drafts", "delete", conversation]).catch(() => {});
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation(); // it may be sent again at once: page.js lets a form go once
  const text = field.value.trim();
  if (!text) return field.focus();
  clearTimeout(draft);
  field.value = ""; // before anything is waited for: the next press finds nothing to send
  enter({ text });
  field.focus();
});
field?.addEventListener("input", written);
field?.addEventListener("keydown", (event) => {
  const types = event.isComposing || event.keyCode === 229; // an input method takes this Enter for itself
  if (event.key !== "Enter" || event.shiftKey || types || !matchMedia("(hover: hover) and (pointer: fine)").matches) return;
  event.preventDefault();
  form.requestSubmit();
});
file?.closest("details").querySelector("summary").addEventListener("click", (event) => {
  event.preventDefault();
  file.click();
});
file?.addEventListener("change", () => {
  const chosen = file.files[0];
  if (!chosen) return;
  if (chosen.size > Number(file.dataset.largest)) {
    draw({ id: newId(), blob: chosen }, "failed", file.dataset.tooLarge);
    outbox.lastElementChild.querySelector(".btn").remove(); // trying again would not help
  } else enter({ blob: chosen });
  file.value = "";
  file.setCustomValidity("");
});

const newer = button(words.new, () => {
  toEnd();
  newer.hidden = true;
});
newer.className = "btn btn--main newer";
newer.hidden = true;
document.querySelector(".dock--chat")?.prepend(newer);
addEventListener("scroll", () => (newer.hidden ||= atEnd()), { passive: true });

// Whoever learns sooner that something was said. A stream tells of words, not of typing and reading.
document.addEventListener("live:conversation", () => document.hidden || poll());
const told = () => document.dispatchEvent(new CustomEvent("live:conversation"));
document.addEventListener("stream:events", (event) => {
  if (event.detail.some((each) => each.kind === "conversation" && each.conversation === conversation)) told();
});
document.addEventListener("stream:anew", told);
document.addEventListener("stream:up", (event) => {
  state.told = event.detail;
  plan();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return clearTimeout(state.poll);
  read();
  poll();
  send();
});
addEventListener("online", () => {
  state.tries = state.failures = 0;
  poll();
  send();
});
addEventListener("pagehide", () => field && store());

async function begin() {
  state.after = Number(part("foot").dataset.last);
  marks();
  if (active(words.mode)) document.getElementById("later")?.parentElement.remove(); // it comes by itself
  const first = talk.querySelector("[data-first-new]"); // where she stopped reading
  if (first) first.scrollIntoView({ block: "center", behavior: "instant" });
  else if (words.mode === "open") toEnd();
  const before = (await kept("outbox", conversation).catch(() => [])).sort((a, b) => a.at - b.at);
  const meanwhile = new Set(state.waits.map((entry) => entry.id)); // what she wrote while it was looked for
  const found = before.filter((entry) => !meanwhile.has(entry.id));
  state.waits = [...found, ...state.waits];
  for (const entry of found) {
    if (entry.ended && active(words.mode)) delete entry.error;
    if (part("lines").querySelector(`[data-mine="${entry.id}"]`)) await remove(entry.id);
    else draw(entry, entry.error || !active(words.mode) ? "failed" : "waits", entry.error); // a closed one takes no more
  }
  const drafted = (await kept("drafts", conversation).catch(() => []))[0]?.text;
  if (field && drafted && !field.value && !state.wrote) field.value = drafted; // never over what she writes meanwhile
  if (active(words.mode)) send();
  read();
  state.again = state.after < Number(part("foot").dataset.newest);
  plan();
}
begin();
