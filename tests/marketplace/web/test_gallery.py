"""Every page, in a real browser: accessible, inside the content policy, never wider than the window, easy to tap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.marketplace.web.gallery import AXE
from tests.marketplace.web.shown.every import PARTS, SHOWN

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
    "elementRef": True,
    "selectors": False,
    "preload": False,
}
OF_WORDS_AND_COLOURS = [
    "cat.color", "cat.forms", "cat.language", "cat.name-role-value", "cat.sensory-and-visual-cues",
    "cat.text-alternatives",
]  # fmt: skip
"""What may differ between two languages or colours of a page. The other rules are about its structure, which is the
same in both: they are asked of the first look alone."""
WINDOWS = ((390, ("200%",)), (360, ("100%", "200%")), (1440, ("100%",)))
"""The widths, and the sizes of text in each. The first is the width that the page has been looked at."""

TOO_WIDE = """() => [...document.querySelectorAll("body *")]
    .filter((it) => it.getBoundingClientRect().right > innerWidth + 1
        && !it.closest(".sr, .skip, .days, .filters, .chips--scroll, .plate, .tablewrap, dialog:not([open]), svg"))
    .map((it) => it.outerHTML.slice(0, 160))"""

# A choice whose words don't fit goes into the next row, and its words stay whole.
BROKEN = """() => [...document.querySelectorAll(".seg label span, .seg a")].filter((it) => it.checkVisibility())
    .flatMap((it) => [...it.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE))
    .flatMap((node) => [...node.data.matchAll(/[A-Za-z]{2,}/g)].filter((word) => {
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1;
    })).map(([word]) => `broken: ${word}`)"""

# Few questions to the browser, and few other sizes of its window: each costs some milliseconds of four processes.
WITH_TEXTS_OF = f"""(sizes) => sizes.map((size) => {{
    document.documentElement.style.fontSize = size;
    return [[...({TOO_WIDE})(), ...({BROKEN})()], document.scrollingElement.scrollWidth];
}})"""

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

FIRST_LOOK = f"() => [({TOO_SMALL})(), ({UNLIKE})(), ({COVERED})(), ({OPENED})()]"

# The script comes as a file of the site: the browser keeps it compiled, where one sent with each question would not be.
AXE_FINDS = f"""async ([address, options, only, sizes]) => {{
    await new Promise((loaded, failed) => {{
        const script = document.createElement("script");
        Object.assign(script, {{src: address, onload: loaded, onerror: failed}});
        document.head.append(script);
    }});
    axe.configure({{noHtml: true}});
    const left = axe.getRules().filter((it) => only.length && !it.ruleId.endsWith("-name"))
        .filter((it) => !it.tags.some((tag) => only.includes(tag)));
    const rules = Object.fromEntries(left.map((it) => [it.ruleId, {{enabled: false}}]));
    const found = await axe.run(document, {{...options, rules}});
    const faults = found.violations.map((it) => [it.id, it.nodes.map((node) => node.element.outerHTML.slice(0, 300))]);
    return [Object.fromEntries(faults), ({WITH_TEXTS_OF})(sizes)];
}}"""


# One fault of each kind, in a page with a tab bar.
PLANT = """() => {
    const add = (html, style = {}) => {
        document.querySelector("main").insertAdjacentHTML("beforeend", html);
        Object.assign(document.querySelector("main").lastElementChild.style, style);
    };
    const large = {display: "block", height: "60px", width: "200px"};
    add('<button>tiny</button>', {height: "30px", minHeight: "0", width: "60px"});
    add('<a href="#a" aria-label="away">stay</a>', large);
    add('<button>below</button>', {...large, position: "fixed", bottom: "0", left: "0"});
    add('<p>pale</p>', {color: "#777", background: "#888"});
    add('<img src="/static/img/favicon.svg">');
    add('<p>wide on a telephone</p>', {width: "385px"});
    add('<div class="seg"><label><span>unbreakable</span></label></div>', {width: "4rem"});
    add('<p>wide with large letters</p>', {width: "88rem"});
    document.querySelector("main").setAttribute("style", "opacity: 1");
}"""


@dataclass(frozen=True)
class Look:
    """A page in one language and colour, what its console complains about, and which rules it is examined by (none:
    all)."""

    page: Page
    lang: str
    complaints: list[str]
    rules: Sequence[str]


@pytest.fixture(scope="module", params=[("zh", "light"), ("en", "dark")], ids=lambda it: "-".join(it))
def look(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Look]:
    """The first one by all rules."""
    lang, scheme = request.param
    complaints: list[str] = []
    context = chromium.new_context(reduced_motion="reduce", color_scheme=scheme)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield Look(page, lang, complaints, [] if lang == "zh" else OF_WORDS_AND_COLOURS)
    context.close()


def faults_of(page: Page, only: Sequence[str] = ()) -> dict[str, Any]:
    """What is wrong with the page that is shown, by kind; nothing is empty. `only`: rules of these categories."""
    small, unlike, covered, height = page.evaluate(FIRST_LOOK)
    found: dict[str, Any] = {"small": small, "unlike": unlike, "covered": covered}

    def measured(width: int, texts: Sequence[str], sizes: Sequence[tuple[list[str], int]]) -> None:
        for text, (wide, whole) in zip(texts, sizes, strict=True):
            found[f"{width} px, text {text}"] = [*wide, *([f"{whole} px"] if whole > width else [])]

    (width, texts), *others = WINDOWS
    # As tall as the page: a bar that lies over a button until one scrolls says nothing about the button's size.
    page.set_viewport_size({"width": width, "height": height})
    examined, sizes = page.evaluate(AXE_FINDS, [AXE, RULES, only, texts])
    found.update(examined)
    measured(width, texts, sizes)
    for width, texts in others:
        page.set_viewport_size({"width": width, "height": 844})
        measured(width, texts, page.evaluate(WITH_TEXTS_OF, texts))
    return {kind: faults for kind, faults in found.items() if faults}


def show(page: Page, address: str) -> None:
    """The page on a telephone."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)


@pytest.mark.parametrize("name", SHOWN)
def test_page_is_accessible_and_fits(look: Look, gallery: str, name: str) -> None:
    look.complaints.clear()
    show(look.page, f"{gallery}/{name}?lang={look.lang}")
    assert faults_of(look.page, look.rules) == {}
    assert look.complaints == []


def test_no_name_hides_a_page_of_another_part() -> None:
    assert len(SHOWN) == sum(len(part.PAGES) for part in PARTS)


def test_a_fault_of_each_kind_would_be_found(look: Look, gallery: str) -> None:
    look.complaints.clear()
    show(look.page, f"{gallery}/home?lang={look.lang}")
    look.page.evaluate(PLANT)
    found = faults_of(look.page, look.rules)
    assert [len(found.pop(kind)) for kind in ("small", "unlike", "covered")] == [1, 1, 1]
    assert set(found) == {
        "color-contrast",
        "image-alt",
        "390 px, text 200%",
        "360 px, text 100%",
        "360 px, text 200%",
        "1440 px, text 100%",
    }
    assert [each for each in look.complaints if "style-src" in each]
