"""Every page, in a real browser: accessible, inside the content policy, never wider than the window, easy to tap."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.marketplace.web.gallery import SHOWN

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
WINDOWS = ((360, "100%"), (390, "200%"), (360, "200%"), (1440, "100%"))

TOO_WIDE = """() => [...document.querySelectorAll("body *")]
    .filter((it) => it.getBoundingClientRect().right > innerWidth + 1
        && !it.closest(".sr, .skip, .days, .filters, .plate, .tablewrap, dialog:not([open]), svg"))
    .map((it) => it.outerHTML.slice(0, 160))"""

# Few questions to the browser: each costs some milliseconds of four processes.
WITH_TEXT_OF = f"""(size) => {{
    document.documentElement.style.fontSize = size;
    return [({TOO_WIDE})(), document.scrollingElement.scrollWidth];
}}"""

TOO_SMALL = """() => [...document.querySelectorAll("a, button, summary, input:not([type=hidden]), select")]
    .filter((it) => it.offsetParent && !it.closest("p, .sr") && !it.matches(".skip"))
    .map((it) => [it, (it.closest("label, .affix, .searchbox") ?? it).getBoundingClientRect()])
    .filter(([, box]) => box.height < 43.5 || box.width < 43.5)
    .map(([it, box]) => `${Math.round(box.width)}x${Math.round(box.height)} ${it.outerHTML.slice(0, 120)}`)"""


# What a voice says to tap must be in the name: the visible words stand in the accessible name.
UNLIKE = """() => [...document.querySelectorAll("a[aria-label], button[aria-label], summary[aria-label]")]
    .map((it) => [it, it.innerText.replace(/\\s+/g, " ").trim()])
    .filter(([it, seen]) => seen && it.checkVisibility() && !it.querySelector("[aria-hidden]")
        && !it.getAttribute("aria-label").toLowerCase().includes(seen.toLowerCase()))
    .map(([it]) => it.outerHTML.slice(0, 160))"""

# What has the focus is seen: neither the tab bar nor the dock lies over it.
COVERED = """() => {
    const sticky = (it) => getComputedStyle(it).position === "sticky";
    const bars = [...document.querySelectorAll(".tabs, .dock")].filter(sticky);
    return [...document.querySelectorAll("main, footer")]
        .flatMap((part) => [...part.querySelectorAll("a, button, summary, input:not([type=hidden]), select")])
        .filter((it) => it.checkVisibility() && !it.disabled && !it.closest("dialog, .sr"))
        .filter((it) => {
            it.focus();
            const box = (it.closest("label") ?? it).getBoundingClientRect();
            return bars.map((bar) => bar.getBoundingClientRect())
                .some((at) => at.height && box.height < 300 && box.top < at.bottom - 1 && box.bottom > at.top + 1);
        })
        .map((it) => it.outerHTML.slice(0, 160));
}"""

# What folds is opened; the height of all.
OPENED = """() => {
    for (const it of document.querySelectorAll("details")) it.open = true;
    return document.scrollingElement.scrollHeight;
}"""


@pytest.fixture(scope="module", params=[("zh", "light"), ("en", "dark")], ids=lambda it: "-".join(it))
def look(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[tuple[Page, str, list[str]]]:
    """A page in one language and colour, and the list of what its console complains about."""
    lang, scheme = request.param
    complaints: list[str] = []
    context = chromium.new_context(reduced_motion="reduce", color_scheme=scheme)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page, lang, complaints
    context.close()


@pytest.mark.parametrize("name", SHOWN)
def test_page_is_accessible_and_fits(look: tuple[Page, str, list[str]], gallery: str, name: str) -> None:
    page, lang, complaints = look
    complaints.clear()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{gallery}/{name}?lang={lang}")
    small, unlike, covered = page.evaluate(f"[({TOO_SMALL})(), ({UNLIKE})(), ({COVERED})()]")
    assert (small, unlike, covered) == ([], [], [])
    # As tall as the page: a bar that lies over a button until one scrolls says nothing about the button's size.
    page.set_viewport_size({"width": 390, "height": page.evaluate(OPENED)})
    found = Axe().run(page, options=RULES).response["violations"]
    assert [(it["id"], [node["html"] for node in it["nodes"]]) for it in found] == []
    for width, text in WINDOWS:
        page.set_viewport_size({"width": width, "height": 844})
        found, whole = page.evaluate(WITH_TEXT_OF, text)
        assert (found, max(whole, width)) == ([], width), f"{width} px, text {text}"
    assert complaints == []
