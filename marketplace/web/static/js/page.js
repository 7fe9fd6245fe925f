// Small manners of the pages: the theme switch, sheets, the chosen time in the dock, the search in a list, choices that
// send their form. Every page works without this file; it only saves taps.
document.addEventListener("change", (event) => {
  const input = event.target;
  if (input.name === "theme") {
    document.documentElement.dataset.theme = input.value;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${input.form.dataset.cookie}=${input.value}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  }
  if (input.dataset.label) {
    const say = document.getElementById("chosen");
    if (say) say.textContent = input.dataset.label;
  }
  if (input.dataset.submit !== undefined) input.form.requestSubmit();
});

// A link that opens the sheet it names; without a script the same link leads to a page of its own.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-sheet]");
  const sheet = opener && document.getElementById(opener.dataset.sheet);
  if (sheet?.showModal) {
    event.preventDefault();
    sheet.showModal();
    return;
  }
  const closer = event.target.closest("[data-close]");
  if (closer?.closest("dialog")) {
    event.preventDefault();
    closer.closest("dialog").close();
  }
  if (event.target.nodeName === "DIALOG") event.target.close();
});

// A list that narrows while one types: <input data-narrow="#list"> over items with data-words.
document.addEventListener("input", (event) => {
  const list = event.target.dataset.narrow && document.querySelector(event.target.dataset.narrow);
  if (!list) return;
  const wanted = event.target.value.trim().toLowerCase();
  let seen = 0;
  for (const item of list.querySelectorAll("[data-words]")) {
    const hit = item.dataset.words.toLowerCase().includes(wanted);
    item.hidden = !hit;
    seen += hit;
  }
  for (const group of list.querySelectorAll("[data-group]")) group.hidden = !group.querySelector("[data-words]:not([hidden])");
  const none = document.getElementById("narrow-none");
  if (none) none.hidden = seen > 0;
});

// One press sends a form once.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent === "yes") {
    event.preventDefault();
    return;
  }
  if (event.target.method === "post") event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
document.addEventListener("DOMContentLoaded", () => {
  document.querySelector(".days .day input:checked")?.closest(".day").scrollIntoView({ inline: "center", block: "nearest" });
  document.querySelector("[aria-invalid=true]")?.focus();
});

// A file that is too large is refused before it is sent: the answer could not give the rest of the form back.
document.addEventListener("change", ({ target }) => {
  if (!target.dataset.largest) return;
  const large = [...target.files].some((file) => file.size > Number(target.dataset.largest));
  target.setCustomValidity(large ? target.dataset.tooLarge : "");
  target.reportValidity();
});

// Copy and share what a field holds. The buttons appear where the device can do it, and what was done is said aloud.
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
  for (const button of document.querySelectorAll("[data-share]")) button.hidden = !navigator.share;
});
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-share]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy ?? button.dataset.share);
  if (button.dataset.share !== undefined) {
    await navigator.share({ title: button.dataset.title, url: field.value }).catch(() => {}); // given up by the reader
    return;
  }
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    field.focus();
    field.select();
    return;
  }
  const label = button.textContent;
  button.textContent = button.dataset.said;
  const voice = document.getElementById("announce");
  if (voice) voice.textContent = button.dataset.said;
  setTimeout(() => {
    button.textContent = label;
    if (voice) voice.textContent = "";
  }, 4000);
});

// Without a connection a tap shows a page of ours: the worker keeps that page and its looks, and nothing of anybody's.
navigator.serviceWorker?.register(`/sw.js?language=${document.documentElement.lang.slice(0, 2)}`).catch(() => {});
