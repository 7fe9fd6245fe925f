"""Signing in and out in a browser: codes, cookies, where one comes back to, and what is refused."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from marketplace.app import create_app
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.errors import Unauthenticated
from marketplace.core.sending import outgoing
from marketplace.core.sending import sms as sms_port
from marketplace.web import development, session
from marketplace.web.cookies import SIGNED_IN
from marketplace.web.session import safe_path
from marketplace.web.urls import PAGES
from tests.marketplace.web.surfer import Surfer, surfer, text_of
from tests.people import NOON, PHONE, SmsBox, make_customer
from vip.signin.authentication import authenticate

HOSTILE = [
    "\0",
    "\ud800",
    "é" * 5000,
    "'; DROP TABLE booking; --",
    "<script>alert(1)</script>",
    "９" * 40,
    "-1",
    "1e999",
]


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    """The application."""
    return create_app()


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch, db: Engine) -> SmsBox:
    """Where codes arrive."""
    made = SmsBox()
    monkeypatch.setattr(sms_port, "backend", lambda: made)
    return made


@pytest.fixture
def stranger(app: Flask, box: SmsBox) -> Surfer:
    """A browser that nobody signed in with; the customer exists."""
    make_customer(PHONE)
    client = app.test_client()
    client.set_cookie("lang", "en")
    return Surfer(client)


def test_in_development_the_code_stands_on_the_page_where_it_is_typed(
    stranger: Surfer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(outgoing, "settings", lambda: replace(settings(), state_dir=tmp_path))
    monkeypatch.setattr(sms_port, "backend", lambda: sms_port.PrintSms(shown))
    with clock.frozen(NOON):
        stranger.post("/sign-in", phone=PHONE)
        page = text_of(stranger.get("/sign-in/code"))
    [code] = re.findall(r"\d{6}", shown.getvalue().split(": ", 1)[1])
    assert "Only in development: the text message that would arrive" in page and code in page
    for elsewhere in ({"env": "production"}, {"sms_backend": "shop.sms:Gateway"}):
        monkeypatch.setattr(development, "settings", lambda changed=elsewhere: replace(settings(), **changed))
        with clock.frozen(NOON):
            assert code not in text_of(stranger.get("/sign-in/code"))


def ask_for_code(browser: Surfer, box: SmsBox, following: str = "") -> str:
    with clock.frozen(NOON):
        browser.post("/sign-in", phone=PHONE, next=following)
    return box.code_for(PHONE)


def enter(browser: Surfer, code: str, following: str = "") -> TestResponse:
    with clock.frozen(NOON):
        return browser.post("/sign-in/code", code=code, next=following)


def token_in(answer: TestResponse) -> str:
    return next(
        cookie.split(";")[0].split("=", 1)[1]
        for cookie in answer.headers.getlist("Set-Cookie")
        if cookie.startswith(f"{SIGNED_IN.name}=")
    )


def test_a_customer_signs_in_and_comes_back_to_the_page_she_wanted(stranger: Surfer, box: SmsBox) -> None:
    wanted = stranger.get("/places?city=x")
    assert (wanted.status_code, wanted.location) == (303, "/sign-in?next=/places?city%3Dx")
    answer = enter(stranger, ask_for_code(stranger, box, "/places?city=x"), "/places?city=x")
    assert (answer.status_code, answer.location) == (303, "/places?city=x")
    with clock.frozen(NOON):
        assert stranger.get("/").status_code == 200


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(stranger: Surfer, box: SmsBox) -> None:
    answer = enter(stranger, ask_for_code(stranger, box))
    cookie = next(line for line in answer.headers.getlist("Set-Cookie") if line.startswith(f"{SIGNED_IN.name}="))
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie


def test_the_session_before_ends_at_sign_in(app: Flask, box: SmsBox) -> None:
    make_customer(PHONE)
    browser = surfer(app, PHONE)
    before = browser.client.get_cookie(SIGNED_IN.name)
    assert before is not None
    answer = enter(browser, ask_for_code(browser, box))
    assert token_in(answer) != before.value
    with pytest.raises(Unauthenticated):
        authenticate(before.value, now=NOON)


def test_a_forms_token_from_before_the_sign_in_is_worth_nothing_after_it(stranger: Surfer, box: SmsBox) -> None:
    code, before = ask_for_code(stranger, box), stranger.token()
    with clock.frozen(NOON):
        assert stranger.post("/sign-in/code", code=code).status_code == 303
        stranger.get("/me")  # the page whose forms have the token of now
        answer = stranger.client.post("/sign-out", data={"csrf_token": before})
        assert answer.status_code == 403 and "was open too long" in text_of(answer)
        assert stranger.get("/me").status_code == 200, "nothing was changed"


def test_a_wrong_code_says_how_many_tries_are_left(stranger: Surfer, box: SmsBox) -> None:
    right = ask_for_code(stranger, box)
    answer = enter(stranger, f"{(int(right) + 1) % 10**6:06d}")
    assert answer.status_code == 422
    assert "Tries left: 4." in text_of(answer)
    assert "4 tries left" not in text_of(answer)  # said once


def test_a_code_of_yesterday_is_refused_in_words(stranger: Surfer, box: SmsBox) -> None:
    code = ask_for_code(stranger, box)
    with clock.frozen(NOON + timedelta(hours=1)):
        answer = stranger.post("/sign-in/code", code=code)
    assert answer.status_code == 422
    assert "Ask for a new one" in text_of(answer)


def test_a_short_number_is_told_what_is_missing(stranger: Surfer) -> None:
    answer = stranger.post("/sign-in", phone="1380000")
    assert answer.status_code == 422
    assert "4 digits are missing" in text_of(answer)


def test_the_phone_stands_in_no_address_and_no_readable_cookie(stranger: Surfer, box: SmsBox) -> None:
    with clock.frozen(NOON):
        answer = stranger.post("/sign-in", phone=PHONE)
    assert PHONE not in (answer.location or "")
    assert all(PHONE not in cookie for cookie in answer.headers.getlist("Set-Cookie"))


def test_the_sixth_code_within_an_hour_is_refused_with_the_wait(stranger: Surfer, box: SmsBox) -> None:
    for _number in range(5):
        ask_for_code(stranger, box)
    with clock.frozen(NOON):
        answer = stranger.post("/sign-in", phone=PHONE)
    assert answer.status_code == 429
    assert "Too many tries" in text_of(answer)
    assert answer.headers["Retry-After"] == "720"
    assert len(box.texts) == 1


def test_signing_out_ends_the_session_in_the_database_too(app: Flask, box: SmsBox) -> None:
    make_customer(PHONE)
    browser = surfer(app, PHONE)
    kept = browser.client.get_cookie(SIGNED_IN.name)
    with clock.frozen(NOON):
        assert kept is not None and browser.post("/sign-out").location == "/sign-in"
        assert browser.get("/").status_code == 303
    with pytest.raises(Unauthenticated):
        authenticate(kept.value, now=NOON)


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)", "/a\r\nX: y", ""],
)
def test_nobody_is_sent_to_another_site(wanted: str) -> None:
    assert safe_path(wanted) == ""


@pytest.mark.parametrize("page", [page for page in PAGES if not page.open], ids=lambda page: page.endpoint)
def test_every_page_that_is_not_open_asks_to_sign_in(app: Flask, db: Engine, page: object) -> None:
    rule = page.rule.replace("<", "").replace(">", "")  # type: ignore[attr-defined]
    client = app.test_client()
    for method in page.methods:  # type: ignore[attr-defined]
        answer = client.open(rule, method=method)
        assert answer.status_code == 303
        assert str(answer.location).startswith("/sign-in")


def test_a_live_part_answers_401_so_that_its_page_can_ask_to_sign_in(app: Flask, db: Engine) -> None:
    assert app.test_client().get("/live", headers={"HX-Request": "true"}).status_code == 401


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/code", "/preferences"])
def test_a_form_without_its_token_changes_nothing(app: Flask, db: Engine, path: str) -> None:
    answer = app.test_client().post(path, data={"phone": PHONE, "lang": "en"}, headers={"Accept-Language": "en"})
    assert answer.status_code == 403
    assert "Open the page again" in text_of(answer)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_input_is_refused_in_words(stranger: Surfer, text: str) -> None:
    sent = text.encode("utf-8", "surrogatepass")
    with clock.frozen(NOON):
        answers = [
            stranger.post("/sign-in", phone=sent, next=sent),
            stranger.post("/preferences", theme=sent, lang=sent),
            stranger.get("/sign-in", query_string={"next": sent, "lang": sent}),
        ]
    assert [answer.status_code for answer in answers[1:]] == [303, 200]
    assert answers[0].status_code == 422
    assert "<script>alert" not in answers[0].get_data(as_text=True)


def test_pages_carry_the_strict_policy_and_stay_in_no_cache(stranger: Surfer) -> None:
    headers = stranger.get("/sign-in").headers
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"


def test_an_unknown_address_is_a_page_for_people(stranger: Surfer) -> None:
    answer = stranger.get("/nothing/here")
    assert answer.status_code == 404
    assert "There is nothing here" in text_of(answer)


def test_a_fault_of_ours_gives_a_number_to_call_with(
    stranger: Surfer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(session, "visitor", lambda: 1 / 0)
    answer = stranger.get("/sign-in")
    assert answer.status_code == 500
    assert answer.headers["X-Request-Id"] in text_of(answer)


def test_the_look_and_language_are_kept(stranger: Surfer) -> None:
    answer = stranger.post("/preferences", theme="dark", lang="zh", next="/sign-in")
    kept = {cookie.split(";")[0] for cookie in answer.headers.getlist("Set-Cookie")}
    assert {"theme=dark", "lang=zh"} <= kept
    assert 'data-theme="dark"' in stranger.get("/sign-in").get_data(as_text=True)
