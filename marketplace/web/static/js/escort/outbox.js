// What an escort worker's phone keeps of her deeds: those that wait (`deeds`, by key), and how far their numbers have
// come (`numbers`, by assignment). They are words about somebody's health, and the phone may be shared: each is read by
// the member alone who recorded it. A page of another one deletes what is sent, and what is older than LONGEST; what was
// not sent waits for her to sign in again. Signing out deletes all that is her own, a session that merely ended nothing.
// Each reading and writing looks first, in its own transaction, whose the store is now.
const NAME = "escorts";
const STORES = ["deeds", "numbers", "owner"];
const PAGES = "escort-pages-"; // the caches of templates/desk/escorting/sw.js
const LONGEST = 7 * 86400000; // for so long another member's deeds wait here for her
const memory = { deeds: new Map(), numbers: new Map() }; // what the browser can't store, for as long as the page lives
const others = "BroadcastChannel" in globalThis ? new BroadcastChannel("escorts") : null;
const account = document.querySelector("meta[name=desk-member]")?.content ?? "";
let base = account ? open() : Promise.resolve(null);

function open() {
  return new Promise((done) => {
    let asked = null;
    try {
      asked = globalThis.indexedDB?.open(NAME, 1);
    } catch {} // a browser that blocks storage throws
    if (!asked) return done(null);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("deeds", { keyPath: "key" });
      asked.result.createObjectStore("numbers", { keyPath: "assignment" });
      asked.result.createObjectStore("owner");
    };
    asked.onsuccess = () => {
      const db = asked.result;
      db.onversionchange = () => db.close();
      overtake(db).then(() => done(db), () => done(null));
    };
    asked.onerror = asked.onblocked = () => done(null);
  });
}

function overtake(db) {
  return new Promise((done, failed) => {
    const transaction = db.transaction(STORES, "readwrite", { durability: "strict" });
    const owner = transaction.objectStore("owner");
    const asked = owner.get("account");
    let anothers = false;
    asked.onsuccess = () => {
      if (asked.result === account) return;
      anothers = asked.result !== undefined;
      sweep(transaction, (it) => it.account !== account && (it.state === "sent" || !(Date.now() - Date.parse(it.at) < LONGEST)));
      owner.put(account, "account");
    };
    transaction.oncomplete = () => {
      others?.postMessage({ account });
      (anothers ? forgetPages(account) : Promise.resolve()).then(done, done);
    };
    transaction.onerror = transaction.onabort = () => failed(transaction.error);
  });
}

// Takes away the deeds of which `goes` is true.
function sweep(transaction, goes) {
  const asked = transaction.objectStore("deeds").openCursor();
  asked.onsuccess = () => {
    if (!asked.result) return;
    if (goes(asked.result.value)) asked.result.delete();
    asked.result.continue();
  };
}

// `does` with the transaction, if the store is still this member's; whether it was. A store that the browser closed, or
// that a newer page had closed, is opened once more.
async function within(mode, does) {
  const db = await base;
  try {
    return await attempt(db, mode, does);
  } catch (error) {
    if (error?.name !== "InvalidStateError") throw error;
    base = open();
    return attempt(await base, mode, does);
  }
}

function attempt(db, mode, does) {
  return new Promise((done, failed) => {
    const transaction = db.transaction(STORES, mode, mode === "readwrite" ? { durability: "strict" } : {});
    const asked = transaction.objectStore("owner").get("account");
    let ours = false;
    asked.onsuccess = () => {
      ours = asked.result === account;
      if (ours) does(transaction);
    };
    transaction.oncomplete = () => done(ours);
    transaction.onerror = transaction.onabort = ({ target }) => failed(transaction.error ?? target.error);
  });
}

// The store belongs to another member now: this page is nobody's any more.
export class Anothers extends Error {}

// A number after all that this phone and (as far as the page knows) the server have, and the deed with it: in one
// transaction, so that two tabs never give the same one. Where it can't be stored (no room, no store) the page holds it
// (`held`) until it is sent. Throws Anothers.
export async function add(deed, highest) {
  let made = { ...deed, account, key: newKey(), state: "waiting" };
  const number = (last) => Math.max(last ?? 0, memory.numbers.get(deed.assignment) ?? 0, highest) + 1;
  let ours = null;
  if (await base) {
    ours = await within("readwrite", (transaction) => {
      const numbers = transaction.objectStore("numbers");
      const asked = numbers.get(deed.assignment);
      asked.onsuccess = () => {
        made = { ...made, number: number(asked.result?.last) };
        numbers.put({ assignment: deed.assignment, account, last: made.number });
        transaction.objectStore("deeds").put(made);
      };
    }).catch(() => null);
  }
  if (ours === false) throw new Anothers();
  if (ours === null) {
    made = { ...made, number: made.number ?? number(0), held: true };
    memory.numbers.set(deed.assignment, made.number);
    memory.deeds.set(made.key, made);
  }
  changed();
  return made;
}

// All deeds of hers that are kept here, in order.
export async function all() {
  let found = [];
  if (await base) {
    await within("readonly", (transaction) => {
      const asked = transaction.objectStore("deeds").getAll();
      asked.onsuccess = () => (found = asked.result.filter((deed) => deed.account === account));
    }).catch(() => {}); // what the page holds is there all the same
  }
  found.push(...memory.deeds.values());
  return found.sort((a, b) => (a.assignment === b.assignment ? a.number - b.number : a.assignment < b.assignment ? -1 : 1));
}

// Changes of one deed: values, what a function makes of it, or null, which takes it away. What is gone stays gone.
export async function change(key, values) {
  const next = (deed) => (values === null ? null : { ...deed, ...(typeof values === "function" ? values(deed) : values) });
  const held = memory.deeds.get(key);
  if (held) {
    if (next(held)) memory.deeds.set(key, next(held));
    else memory.deeds.delete(key);
  } else if (await base) {
    await within("readwrite", (transaction) => {
      const deeds = transaction.objectStore("deeds");
      if (values === null) return deeds.delete(key);
      const asked = deeds.get(key);
      asked.onsuccess = () => asked.result && deeds.put(next(asked.result));
    });
  }
  changed();
}

// The server has deeds up to `highest`, perhaps from another phone of hers: the next number, and those of what was never
// sent, come after it.
export async function after(assignment, highest) {
  const fresh = (deed) => deed.assignment === assignment && deed.state === "waiting" && !deed.offered;
  const late = (deeds) => deeds.some((deed) => fresh(deed) && deed.number <= highest);
  const top = (deeds) => Math.max(highest, ...deeds.filter((deed) => deed.assignment === assignment && !fresh(deed)).map((deed) => deed.number));
  const renumber = (deeds, put) => {
    let last = top(deeds);
    for (const deed of deeds.filter(fresh).sort((a, b) => a.number - b.number)) put({ ...deed, number: ++last });
    return last;
  };
  if (await base) {
    await within("readwrite", (transaction) => {
      const [deeds, numbers] = [transaction.objectStore("deeds"), transaction.objectStore("numbers")];
      const asked = deeds.getAll();
      const last = numbers.get(assignment);
      last.onsuccess = () => {
        const mine = asked.result.filter((deed) => deed.account === account);
        const moved = late(mine) ? renumber(mine, (deed) => deeds.put(deed)) : highest;
        if (moved > (last.result?.last ?? 0)) numbers.put({ assignment, account, last: moved });
      };
    });
  }
  const held = [...memory.deeds.values()];
  const known = Math.max(highest, ...(await all()).filter((deed) => deed.assignment === assignment && !deed.held).map((deed) => deed.number));
  if (late(held)) highest = renumber(held.concat({ assignment, state: "sent", number: known }), (deed) => memory.deeds.set(deed.key, deed));
  memory.numbers.set(assignment, Math.max(memory.numbers.get(assignment) ?? 0, highest));
}

// Whether this browser is still this member's: else nothing of this page may be sent.
export const ours = async () => !(await base) || within("readonly", () => {});

// All of hers that these pages keep on the device.
export async function forget() {
  await forgetPages("");
  memory.deeds.clear();
  const db = await base;
  if (!db) return;
  await new Promise((done) => {
    const transaction = db.transaction(STORES, "readwrite", { durability: "strict" });
    sweep(transaction, (it) => it.account === account);
    transaction.objectStore("numbers").clear(); // the server knows how far they are
    transaction.objectStore("owner").clear();
    transaction.oncomplete = transaction.onerror = transaction.onabort = done;
  });
  others?.postMessage({ account: "" });
}

// The pages that are kept (by sw.js), but those of that account.
export async function forgetPages(but) {
  if (!globalThis.caches) return;
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PAGES) && name !== PAGES + but).map((name) => caches.delete(name)));
}

function changed() {
  others?.postMessage({ changed: true });
}

// Calls when another tab has changed something, and when this one has been overtaken by another member.
export function watch(onChange, onOvertaken) {
  others?.addEventListener("message", ({ data }) => {
    if (data.changed) onChange();
    else if (data.account !== account) onOvertaken();
  });
}

// A key that no other deed has, on any device (UUID, version 4).
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

export { account };
