"""From the insurer's app to the pages by a link: one tap, once; used, over and nobody's links have one page."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from marketplace import edge
from marketplace.core import clock
from marketplace.core.database.db import reading
from marketplace.web.cookies import SIGNED_IN
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON, OTHER_PHONE, make_customer
from tests.vip.insurers.app import InsurersApp, insurers_app
from vip.insurers import bring

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def ours() -> InsurersApp:
    """The insurer's app, and its customer."""
    make_customer()
    return insurers_app()


def link(ours: InsurersApp, path: str = "/bookings") -> str:
    return f"/arrive/{bring.make_link(ours.bringer, 'p-1', path, now=NOON).token}"


def sessions() -> int:
    with reading() as session:
        return int(session.scalar(text("SELECT count(*) FROM sign_in_session WHERE client_id IS NOT NULL")) or 0)


def test_one_tap_opens_the_page_that_the_app_wanted_and_the_cookie_alone_carries_it_on(
    app: Flask, ours: InsurersApp
) -> None:
    for language, welcome in (("en", "You come from Demo"), ("zh", "您来自示范")):
        address, browser = link(ours), Visitor(app, language)
        with clock.frozen(NOON):
            for _ in range(3):
                page = browser.get(address)
            assert page.status_code == 200 and welcome in main(page)
            answer = browser.post(address, address)
            assert (answer.status_code, answer.headers["Location"]) == (303, "/bookings")
            assert browser.get("/me").status_code == 200
        for each in (page, answer):
            assert each.headers["Referrer-Policy"] == "strict-origin"
            assert each.headers["X-Robots-Tag"] == "noindex, nofollow"
            assert each.headers["Cache-Control"] == "no-store"
        assert "HttpOnly" in answer.headers["Set-Cookie"]
    with clock.frozen(NOON):
        assert "From your insurer's app" in main(browser.get("/me", headers={"Accept-Language": "en"}))


def test_used_over_and_nobodys_links_have_one_page_that_says_what_to_do(app: Flask, ours: InsurersApp) -> None:
    used, over = link(ours), link(ours)
    late = NOON + timedelta(seconds=61)
    with clock.frozen(NOON):
        first = Visitor(app)
        first.post(used, used)
    pages = []
    for address, now in ((used, NOON), (over, late), ("/arrive/nothing", NOON), ("/arrive/" + "x" * 60, NOON)):
        browser = Visitor(app)
        with clock.frozen(now):
            seen = browser.get(address)
            sent = browser.send(address, {**browser.hidden("/sign-in")})
        assert (seen.status_code, sent.status_code) == (404, 404), address
        pages += [re.sub(r'(csrf_token" value|nonce|next" value)="[^"]*"', "", each.text) for each in (seen, sent)]
    assert {main(each) for each in (seen, sent)} == {main(seen)}
    assert "Go back to your insurer's app" in main(seen) and sessions() == 1
    assert len({re.sub(r"\s+", " ", re.sub(r"req_\w+|/arrive/[\w.-]+", "", each)) for each in pages}) == 1
    with clock.frozen(NOON):
        assert "请回到保险公司的应用" in main(Visitor(app, "zh").get("/arrive/nothing"))


def test_a_form_of_another_site_and_a_page_asked_for_ahead_use_nothing_up(app: Flask, ours: InsurersApp) -> None:
    address, browser = link(ours), Visitor(app)
    with clock.frozen(NOON):
        forms = browser.hidden(address)
        assert browser.send(address, {}).status_code == 403
        crossed = browser.client.post(address, data=forms, headers={"Sec-Fetch-Site": "cross-site"})
        ahead = browser.get(address, headers={"Sec-Purpose": "prefetch"})
        assert (crossed.status_code, ahead.status_code, sessions()) == (403, 503, 0)
        assert browser.client.head(address).status_code == 200 and sessions() == 0
        assert browser.send(address, forms).status_code == 303


def test_somebody_else_who_is_signed_in_here_is_said_so_and_signed_out(app: Flask, ours: InsurersApp) -> None:
    make_customer(OTHER_PHONE, name="别人")
    other, address = Visitor.signed_in(app, OTHER_PHONE), link(ours)
    before = other.client.get_cookie(SIGNED_IN.name)
    with clock.frozen(NOON):
        assert "Somebody else is signed in" in main(other.get(address))
        assert other.post(address, address).status_code == 303
        assert before is not None
        stale = Visitor(app)
        stale.client.set_cookie(SIGNED_IN.name, before.value)
        assert stale.get("/me").status_code == 303
        same = link(ours)
        assert "Somebody else" not in main(other.get(same))


def test_a_path_of_another_site_leads_home(app: Flask, ours: InsurersApp) -> None:
    for path in ("//evil.example", "/\\evil.example", "https://evil.example"):
        address, browser = link(ours, path), Visitor(app)
        with clock.frozen(NOON):
            assert browser.post(address, address).headers["Location"] == "/"


def test_what_can_not_be_undone_asks_whom_the_app_brought_for_a_code(app: Flask, ours: InsurersApp) -> None:
    address, browser = link(ours), Visitor(app)
    with clock.frozen(NOON):
        browser.post(address, address)
        page = browser.get("/me/data/erase")
        assert page.status_code == 200 and "again=1" in page.text


def test_no_log_has_the_token(app: Flask, ours: InsurersApp, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    class Log:
        def __getattr__(self, level: str) -> Callable[..., None]:
            return lambda event, **fields: said.append(f"{level} {event} {fields}")

    monkeypatch.setattr(edge, "log", Log())
    address, browser = link(ours), Visitor(app)
    with clock.frozen(NOON):
        browser.post(address, address)
        browser.get(address)
    written = "".join(said)
    assert "/arrive/<token>" in written
    assert address.rpartition("/")[2] not in written
