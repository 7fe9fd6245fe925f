// A conversation at the desk: Ctrl and Enter send, phrases are inserted where one writes, what is written stays while one
// looks at another patient, and the newest stays in sight. The page works without this file.
const talk = document.getElementById("talk");
const form = document.getElementById("say-form");
const field = document.getElementById("say");
const fold = document.getElementById("phrases");
const find = document.getElementById("f-find");

const toEnd = () => (talk.scrollTop = talk.scrollHeight);
const atEnd = () => talk.scrollTop + talk.clientHeight >= talk.scrollHeight - 80;
let stays = true;

talk.addEventListener("live:before", () => (stays = atEnd()));
talk.addEventListener("live:after", () => stays && toEnd());
if (!location.hash.startsWith("#m-")) toEnd(); // an earlier part was asked for

field?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  event.preventDefault();
  form?.requestSubmit();
});
if (location.hash === "#say" && matchMedia("(pointer: fine)").matches) field?.focus();

// Phrases: between blanks or lines of its own, where the caret is; reading it again and sending it are hers.
function insert(text) {
  const before = field.value.slice(0, field.selectionStart);
  const behind = field.value.slice(field.selectionEnd);
  const lead = before && !/\s$/.test(before) ? "\n" : "";
  const tail = behind && !/^\s/.test(behind) ? "\n" : "";
  field.setRangeText(lead + text + tail, field.selectionStart, field.selectionEnd, "end");
  field.selectionEnd = field.selectionStart -= tail.length;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  back();
}

function back() {
  fold.open = false;
  field.focus();
}

const picks = () => [...fold.querySelectorAll("[data-insert]")].filter((pick) => !pick.closest("[hidden]"));

fold?.addEventListener("toggle", () => fold.open && find?.focus());
fold?.addEventListener("click", (event) => {
  const pick = event.target.closest("[data-insert]");
  if (!pick) return;
  event.preventDefault();
  insert(pick.dataset.insert);
});
fold?.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const all = picks();
  const at = all.indexOf(document.activeElement);
  if (event.key === "Escape") back();
  else if (event.key === "ArrowDown") (all[at + 1] ?? all[at])?.focus();
  else if (event.key === "ArrowUp") at < 1 ? find?.focus() : all[at - 1].focus();
  else if (event.key === "Enter" && event.target === find && all.length) insert(all[0].dataset.insert);
  else return;
  event.preventDefault();
});

// Drafts stay in this tab until they are sent or she signs out; those of somebody else are dropped.
const DRAFT = "draft ";
const key = form?.dataset.draft ? DRAFT + form.dataset.draft : "";
const mine = key.slice(0, key.lastIndexOf(" ") + 1);

function drop(which) {
  for (const each of Object.keys(sessionStorage)) if (each.startsWith(DRAFT) && which(each)) sessionStorage.removeItem(each);
}

try {
  if (key) {
    drop((each) => !each.startsWith(mine));
    // What was sent stays until it is seen to be said: the answer to its form may be lost, with or without it.
    const kept = JSON.parse(sessionStorage.getItem(key) ?? "null");
    const said = kept?.id && talk.querySelector(`[data-client-id="${CSS.escape(kept.id)}"]`);
    const id = form.elements.client_message_id;
    if (said) sessionStorage.removeItem(key);
    else if (kept && !field.value) {
      field.value = kept.text;
      if (kept.id) id.value = kept.id;
    }
    const store = (sent) => sessionStorage.setItem(key, JSON.stringify({ text: field.value, id: sent ? id.value : "" }));
    if (field.value && !kept) store(false);
    field.addEventListener("input", () => store(false));
    form.addEventListener("submit", () => store(true));
  }
  document.addEventListener("submit", (event) => event.target.action.endsWith("/sign-out") && drop(() => true));
} catch {
  // a browser that stores nothing
}

// The patient is told that somebody is typing, once in so long.
const TYPING_EVERY = 3000;
let typed = 0;
field?.addEventListener("input", () => {
  if (!field.value.trim() || Date.now() - typed < TYPING_EVERY) return;
  typed = Date.now();
  const body = new URLSearchParams([...new FormData(form)].filter(([name]) => name === "csrf_token" || name === "desk"));
  fetch(form.action.replace(/words$/, "typing"), { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => {});
});
