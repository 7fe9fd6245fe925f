// What conversations keep on the device: messages that are not sent yet (`outbox`, by id) and drafts (`drafts`, by
// conversation). They are somebody's words about her health, and the device may be shared: they belong to the account
// that the page is of (body data-account), and whatever page is of another one, or of nobody (blank), deletes them. A
// page of which that isn't known (no data-account) touches nothing. Each reading and writing looks first, in its own
// transaction, whose the store is now: a tab that another account has overtaken neither stores nor finds anything.
const { account } = document.body.dataset;
const memory = { outbox: new Map(), drafts: new Map() }; // where the browser keeps nothing, for as long as the page lives
const others = "BroadcastChannel" in globalThis ? new BroadcastChannel("conversations") : null;
let base = account === undefined ? Promise.resolve(null) : open();

function open() {
  return new Promise((done) => {
    let asked = null;
    try {
      asked = globalThis.indexedDB?.open("conversations", 2);
    } catch {} // a browser that blocks storage throws
    if (!asked) return done(null);
    asked.onupgradeneeded = () => {
      for (const old of [...asked.result.objectStoreNames]) asked.result.deleteObjectStore(old); // it said not whose it was
      asked.result.createObjectStore("outbox", { keyPath: "id" });
      asked.result.createObjectStore("drafts", { keyPath: "conversation" });
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
    const transaction = db.transaction(["outbox", "drafts", "owner"], "readwrite", { durability: "strict" });
    const owner = transaction.objectStore("owner");
    const asked = owner.get("account");
    asked.onsuccess = () => {
      if ((asked.result ?? "") === account) return;
      transaction.objectStore("outbox").clear();
      transaction.objectStore("drafts").clear();
      owner.put(account, "account");
    };
    transaction.oncomplete = () => {
      others?.postMessage({ account });
      done();
    };
    transaction.onerror = transaction.onabort = () => failed(transaction.error);
  });
}

// `does` with the transaction, if the store is still this account's; whether it was.
async function within(mode, does) {
  const db = await base;
  return new Promise((done, failed) => {
    let transaction;
    try {
      transaction = db.transaction(["outbox", "drafts", "owner"], mode, mode === "readwrite" ? { durability: "strict" } : {});
    } catch (closed) {
      base = open(); // by the browser, or for a newer page: the next one has it again
      return failed(closed);
    }
    const asked = transaction.objectStore("owner").get("account");
    let ours = false;
    asked.onsuccess = () => {
      ours = (asked.result ?? "") === account;
      if (ours) does(transaction);
    };
    transaction.oncomplete = () => done(ours);
    transaction.onerror = transaction.onabort = () => failed(transaction.error);
  });
}

// Several changes at once, all or none: [store, "put", value] or [store, "delete", key].
export async function keep(...changes) {
  if (!(await base)) {
    for (const [store, what, value] of changes) what === "put" ? memory[store].set(value.id ?? value.conversation, value) : memory[store].delete(value);
    return;
  }
  await within("readwrite", (transaction) => {
    for (const [store, what, value] of changes) transaction.objectStore(store)[what](value);
  });
}

// All of a store that belong to a conversation.
export async function kept(store, conversation) {
  let all = [...memory[store].values()];
  if (await base) {
    all = [];
    await within("readonly", (transaction) => {
      const asked = transaction.objectStore(store).getAll();
      asked.onsuccess = () => (all = asked.result);
    });
  }
  return all.filter((each) => each.conversation === conversation);
}

// Whether this browser is still this account's: else nothing of this page may be sent.
export async function ours() {
  return !(await base) || within("readonly", () => {});
}

// An id that no other message has, on any device.
export const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// A page of an account that has been overtaken shows what is no longer hers to show: it asks who she is.
others?.addEventListener("message", ({ data }) => {
  if (account && data.account !== account) location.reload();
});
addEventListener("pageshow", async (event) => {
  if (event.persisted && account && !(await ours())) location.reload();
});
