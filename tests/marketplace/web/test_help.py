"""How people reach us, how they are spoken to, and what is passed on: on every page, and without a connection too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import force_locale
from playwright.sync_api import Browser, Page, expect

from marketplace.app import create_app
from marketplace.core.config import ConfigError
from marketplace.core.contact import contact
from marketplace.web.people import addressed
from tests.marketplace.web.conftest import Site
from tests.marketplace.web.visitors import Visitor, words
from tests.people import NOON
from tests.world import World
from vip.signin.signin import issue_token

PHONE = "13800000021"
SOON = 20_000


@pytest.mark.parametrize("path", ["/", "/places", "/bookings", "/reports", "/me", "/no/such/page", "/offline"])
def test_every_page_and_every_error_says_how_to_reach_us(visitor: Visitor, world: World, path: str) -> None:
    assert "Help 400 000 0000" in words(visitor.get(path))


def test_phone_hours_and_address_are_those_of_the_settings(db: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELP_PHONE", "+86 (571) 8888-0000")
    monkeypatch.setenv("HELP_HOURS_EN", "Day and night")
    monkeypatch.setenv("HELP_EMAIL", "care@anxiang.example")
    page = create_app().test_client().get("/sign-in", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert 'href="tel:+865718888-0000"' in page and "Day and night" in page
    assert 'href="mailto:care@anxiang.example"' in page


def test_in_production_nothing_is_invented(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HELP_PHONE", "HELP_EMAIL", "HELP_HOURS_ZH", "HELP_HOURS_EN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANXIANG_ENV", "production")
    assert (contact().phone, contact().email) == ("", "")


@pytest.mark.parametrize(("name", "value"), [("HELP_PHONE", "call us"), ("HELP_PHONE", "1"), ("HELP_EMAIL", "care")])
def test_a_setting_that_cannot_be_right_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name):
        contact()


@pytest.mark.parametrize(
    ("name", "sex", "zh", "en"),
    [
        ("沈静宜", "female", "沈女士", "Ms Shen"),
        ("沈伯年", "male", "沈先生", "Mr Shen"),
        ("欧阳明", "male", "欧阳先生", "Mr Ouyang"),
        ("欧阳", "female", "欧女士", "Ms Ou"),
        ("单秀英", "female", "单女士", "Ms Shan"),
        ("曾国强", "male", "曾先生", "Mr Zeng"),
        ("吕梅", "female", "吕女士", "Ms Lü"),
        ("Anna Weber", "female", "Anna Weber", "Anna Weber"),
        ("沈", "female", "沈", "沈"),
    ],
)
def test_a_customer_is_spoken_to_by_her_surname(app: Flask, name: str, sex: str, zh: str, en: str) -> None:
    for code, locale, said in (("zh", "zh_Hans_CN", zh), ("en", "en", en)):
        with app.test_request_context(f"/?lang={code}"), force_locale(locale):
            assert addressed(name, sex) == said


# --- in a browser ----------------------------------------------------------------------------------------------------


@pytest.fixture
def page(chromium: Browser, site: Site) -> Iterator[Page]:
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, reduced_motion="reduce", extra_http_headers={"Accept-Language": "en"}
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.url(""))
    token = issue_token(PHONE, NOON).token
    context.add_cookies([{"name": "signed_in", "value": token, "domain": "127.0.0.1", "path": "/"}])
    yield context.new_page()
    context.close()


_ACTIVE = """navigator.serviceWorker.ready.then(({ active }) => new Promise((done) => {
    if (active.state === "activated") done(); else active.addEventListener("statechange", done); }))"""
_KEPT = """caches.keys().then((names) => Promise.all(names.map((name) => caches.open(name))))
    .then((all) => Promise.all(all.map((one) => one.keys()))).then((keys) => keys.flat().map((it) => it.url))"""


def test_a_tap_without_a_connection_shows_a_page_of_ours_and_nothing_of_hers_is_kept(page: Page, site: Site) -> None:
    page.goto(site.url("/bookings"))
    page.evaluate(_ACTIVE)
    page.goto(site.url("/"))
    styles = {f"/static/css/{name}.css" for name in ("tokens", "base", "components")}
    kept = {url.removeprefix(site.url("")).split("?")[0] for url in page.evaluate(_KEPT)}
    assert kept == {"/offline", "/static/img/favicon.svg", *styles}
    text = page.evaluate("caches.match('/offline?lang=en', { ignoreVary: true }).then((it) => it.text())")
    assert "No connection" in text and "沈静宜" not in text
    site.stop()
    page.get_by_role("link", name="Bookings").click()
    expect(page.get_by_role("heading", name="No connection")).to_be_visible(timeout=SOON)
    assert page.url == site.url("/bookings")
    site.start()
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("heading", name="My bookings")).to_be_visible(timeout=SOON)


def test_a_link_is_copied_with_one_tap_and_that_is_said(page: Page, site: Site) -> None:
    page.goto(site.url("/me/messages"))
    page.get_by_role("button", name="Make an address").click()
    made = page.get_by_label("The address, shown this once").input_value()
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#announce")).to_have_text("Copied", timeout=SOON)
    assert page.evaluate("navigator.clipboard.readText()") == made
