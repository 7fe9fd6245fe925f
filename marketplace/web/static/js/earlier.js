// The earlier messages of a conversation, above those that are shown. Without this file the link leads to them.
const talk = document.getElementById("talk");

// What was said before stands above without moving what one reads, and is not read aloud as if it were news.
const before = document.getElementById("earlier");
before?.addEventListener("click", async (event) => {
  event.preventDefault();
  if (before.getAttribute("aria-busy")) return;
  before.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(before.href, { headers: { "HX-Request": "true" }, cache: "no-store", signal: AbortSignal.timeout(8000) });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const lines = [...page.querySelectorAll("[data-part=lines] > [data-line]")];
    if (!lines.length) throw new Error("no lines");
    const log = talk.querySelector("[data-part=lines]");
    const height = document.scrollingElement.scrollHeight;
    log.setAttribute("aria-live", "off");
    log.prepend(...lines);
    const more = page.getElementById("earlier");
    if (more) before.href = more.getAttribute("href");
    else before.parentElement.remove();
    scrollBy({ top: document.scrollingElement.scrollHeight - height, behavior: "instant" });
    if (!more) {
      lines.at(-1).tabIndex = -1;
      lines.at(-1).focus({ preventScroll: true });
    }
    setTimeout(() => log.removeAttribute("aria-live"), 500);
    say(talk.dataset.earlier);
  } catch {
    location.assign(before.href); // as without scripts; it says itself what is wrong
  } finally {
    before.removeAttribute("aria-busy");
  }
});

function say(text) {
  const voice = document.getElementById("announce");
  if (voice) voice.textContent = text;
}
