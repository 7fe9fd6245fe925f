"""Every page, in a real browser: accessible, inside the content policy, and never wider than the window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.web.gallery import SHOWN

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@contextmanager
def opened(chromium: Browser, **window: Any) -> Iterator[tuple[Page, list[str]]]:
    """A page without motion, and the list of what its console complains about."""
    complaints: list[str] = []
    context = chromium.new_context(reduced_motion="reduce", bypass_csp=False, **window)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page, complaints
    context.close()


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize(("lang", "scheme"), [("zh", "light"), ("en", "dark")])
def test_axe_finds_nothing(chromium: Browser, gallery: str, name: str, lang: str, scheme: Any) -> None:
    with opened(chromium, viewport={"width": 390, "height": 844}, color_scheme=scheme) as (page, complaints):
        page.goto(f"{gallery}/{name}?lang={lang}")
        for details in page.locator("details").all():
            details.evaluate("element => { element.open = true }")
        found = Axe().run(page, options=RULES).response["violations"]
        assert [(it["id"], [node["html"] for node in it["nodes"]]) for it in found] == []
        assert complaints == []


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize(("width", "text"), [(360, "100%"), (390, "200%"), (360, "200%"), (1440, "100%")])
def test_nothing_scrolls_sideways(chromium: Browser, gallery: str, name: str, width: int, text: str) -> None:
    for lang in ("zh", "en"):
        with opened(chromium, viewport={"width": width, "height": 844}) as (page, _complaints):
            page.goto(f"{gallery}/{name}?lang={lang}")
            page.evaluate("size => { document.documentElement.style.fontSize = size }", text)
            for details in page.locator("details").all():
                details.evaluate("element => { element.open = true }")
            wide = page.evaluate(
                """() => [...document.querySelectorAll("body *")]
                    .filter((it) => !it.closest(".sr, .skip, .days, .filters, .ticket__art, .plate, dialog:not([open]), svg")
                        && it.getBoundingClientRect().right > innerWidth + 1)
                    .map((it) => it.outerHTML.slice(0, 120))"""
            )
            assert wide == []
            assert page.evaluate("document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize("name", SHOWN)
def test_what_can_be_tapped_is_large_enough(chromium: Browser, gallery: str, name: str) -> None:
    with opened(chromium, viewport={"width": 390, "height": 844}) as (page, _complaints):
        page.goto(f"{gallery}/{name}?lang=zh")
        small = page.evaluate(
            """() => [...document.querySelectorAll("a, button, summary, input:not([type=hidden]), select")]
                .filter((it) => it.offsetParent && !it.closest("p, .sr") && !it.matches(".skip, h3 a"))
                .map((it) => [it.outerHTML.slice(0, 90), it.closest("label, .affix, .searchbox, .row")?.getBoundingClientRect() ?? it.getBoundingClientRect()])
                .filter(([, box]) => box.height < 43.5 || box.width < 43.5)
                .map(([html, box]) => `${Math.round(box.width)}x${Math.round(box.height)} ${html}`)"""
        )
        assert small == []
