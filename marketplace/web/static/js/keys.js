// Keys of the pages about consultations. What has aria-keyshortcuts="Alt+X" is pressed by Alt and that key, or given the
// focus where it is a field; Alt+J and Alt+K lead to the next and the one before of data-turns; a question mark opens the
// sheet that tells them (#keys), but not while something is written. Each needs Alt, which screen readers leave to pages,
// and all can be turned off on the sheet. The pages work without this file.
const STORED = "desk-keys";
const sheet = document.getElementById("keys");
const box = document.getElementById("keys-on");
const writes = "input:not([type=checkbox], [type=radio], [type=file]), textarea, select, [contenteditable]";

function stored() {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true; // a browser that stores nothing: as long as the page lives
  }
}

let on = stored();

const shown = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;

function press(element) {
  if (element.matches(`${writes}, [tabindex]`)) element.focus();
  else element.click();
}

// From the one that is shown to its neighbour, around the end; from elsewhere to the first or the last.
function turn(step) {
  const links = [...document.querySelectorAll("[data-turns] a")].filter(shown);
  if (!links.length) return;
  const here = links.findIndex((link) => link.getAttribute("aria-current") === "page");
  const next = here < 0 ? (step > 0 ? 0 : links.length - 1) : (here + step + links.length) % links.length;
  if (next !== here) location.assign(`${links[next].href}#say`);
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.defaultPrevented || !on || document.querySelector("dialog[open]")) return;
  if (event.key === "?" && !event.ctrlKey && !event.altKey && !event.metaKey && !event.target.closest(writes)) {
    event.preventDefault();
    sheet?.showModal();
    return;
  }
  if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || !event.code.startsWith("Key")) return;
  const key = event.code.slice(3);
  const found = [...document.querySelectorAll(`[aria-keyshortcuts="Alt+${key}"]`)].find(shown);
  if (key === "J" || key === "K") turn(key === "J" ? 1 : -1);
  else if (found) press(found);
  else return;
  event.preventDefault();
});
if (box) {
  box.checked = on;
  box.addEventListener("change", () => {
    on = box.checked;
    try {
      localStorage.setItem(STORED, on ? "on" : "off");
    } catch {
      // the choice lasts as long as the page
    }
  });
}
for (const button of document.querySelectorAll("[data-keys]")) button.hidden = false;
