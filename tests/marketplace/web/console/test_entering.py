"""The door of the console: who comes in, for how long, and who does not."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.database.db import reading
from tests.marketplace.web.console.entering import DOOR, PAGES, PASSWORD, enter
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON, PHONE, make_customer
from vip.models import SignInSession
from vip.signin import authentication


def test_a_forms_token_from_before_an_operators_sign_in_is_worth_nothing_after_it(door: Visitor) -> None:
    before = re.search(r'name="csrf_token" value="([^"]+)"', door.get(DOOR).text)
    assert before is not None
    enter(door)
    door.get("/operators/password")  # the page whose form has the token of now
    answer = door.client.post("/operators/sign-out", data={"csrf_token": before[1]})
    assert answer.status_code == 403 and door.get("/operators").status_code == 200


def test_an_operator_signs_in_and_out(door: Visitor) -> None:
    answer = enter(door)
    assert answer.headers["Location"] == "/operators"
    cookie = answer.headers["Set-Cookie"] if "operator=" in answer.headers["Set-Cookie"] else str(answer.headers)
    assert "Path=/operators" in cookie and "HttpOnly" in cookie and "SameSite=Strict" in cookie
    home = door.get("/operators")
    assert home.status_code == 200 and "林默" in home.text and home.headers["Cache-Control"] == "no-store"
    assert door.get(DOOR).headers["Location"] == "/operators"
    out = door.post("/operators/sign-out", "/operators")
    assert out.headers["Location"] == DOOR
    assert door.get("/operators").headers["Location"].startswith(DOOR)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("lin", "another long one"),
        ("nobody", PASSWORD),
        ("", ""),
        ("lin\0", PASSWORD),
        ("x" * 500, "x" * 5_000),
        ("' OR 1=1 --", "a quite long one"),
    ],
)
def test_a_wrong_password_and_no_such_name_are_told_alike(door: Visitor, name: str, password: str) -> None:
    answer = enter(door, name, password)
    assert answer.status_code == 422 and "Login or password is wrong." in main(answer)
    assert not password or password not in answer.text
    assert door.get("/operators").status_code == 303


def test_who_tried_ten_wrong_passwords_has_to_wait(door: Visitor) -> None:
    for _ in range(10):
        assert enter(door, password="wrong").status_code == 422
    assert enter(door).status_code == 429
    with clock.frozen(NOON + timedelta(minutes=16)):
        assert enter(door).status_code == 303


def test_a_session_ends_after_twelve_hours_however_busy(operator: Visitor) -> None:
    for minutes in range(20, 12 * 60, 20):
        with clock.frozen(NOON + timedelta(minutes=minutes)):
            assert operator.get("/operators/password").status_code == 200, minutes
    with clock.frozen(NOON + timedelta(hours=12, minutes=1)):
        assert operator.get("/operators").status_code == 303


def test_a_session_that_stands_idle_for_half_an_hour_is_over(operator: Visitor) -> None:
    with clock.frozen(NOON + timedelta(minutes=29)):
        assert operator.get("/operators").status_code == 200
    with clock.frozen(NOON + timedelta(minutes=58)):
        assert operator.get("/operators").status_code == 200
    with clock.frozen(NOON + timedelta(minutes=89)):
        assert operator.get("/operators").status_code == 303


def test_an_operator_may_stand_idle_for_as_long_as_the_setting_says(
    operator: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "settings", lambda: replace(settings(), operator_idle_minutes=5))
    with clock.frozen(NOON + timedelta(minutes=4)):
        assert operator.get("/operators").status_code == 200
    with clock.frozen(NOON + timedelta(minutes=9)):
        assert operator.get("/operators").status_code == 303


def test_a_session_in_use_is_written_once_in_three_minutes(operator: Visitor) -> None:
    seen = []
    for seconds in (0, 60, 179, 180, 200, 359, 360):
        with clock.frozen(NOON + timedelta(seconds=seconds)):
            operator.get("/operators/password")
        with reading() as session:
            seen.append(
                session.scalars(select(SignInSession.seen_at).where(SignInSession.operator_id.is_not(None))).one()
            )
    first, second = (NOON + timedelta(seconds=seconds) for seconds in (180, 360))
    assert seen == [None, None, None, first, first, first, second]


def test_a_form_from_elsewhere_is_refused(operator: Visitor) -> None:
    for path in (DOOR, "/operators/sign-out"):
        assert operator.client.post(path, data={"name": "lin", "password": PASSWORD}).status_code == 403
    assert operator.get("/operators").status_code == 200


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example", "//evil.example/operators", "/operators/../me", "/me", "/operators\\@evil", "/operatorsx"],
)
def test_signing_in_leads_into_the_console_only(door: Visitor, wanted: str) -> None:
    assert enter(door, next=wanted).headers["Location"] == "/operators"


def test_one_comes_back_to_the_page_one_wanted(door: Visitor) -> None:
    asked = door.get("/operators/jobs")
    assert asked.headers["Location"] == f"{DOOR}?next=/operators/jobs"
    assert enter(door, next="/operators/jobs").headers["Location"] == "/operators/jobs"


@pytest.mark.parametrize("path", PAGES)
def test_a_customer_is_no_operator(app: Flask, door: Visitor, path: str) -> None:
    make_customer(PHONE)
    customer = Visitor.signed_in(app, PHONE)
    token = customer.client.get_cookie("signed_in")
    assert token is not None
    customer.client.set_cookie("operator", token.value, path="/operators")
    for visitor in (customer, Visitor(app)):
        assert visitor.get(path).headers["Location"].startswith(DOOR)


def test_an_operator_is_no_customer(app: Flask, operator: Visitor) -> None:
    token = operator.client.get_cookie("operator", path="/operators")
    assert token is not None
    visitor = Visitor(app)
    visitor.client.set_cookie("signed_in", token.value)
    assert visitor.get("/me").headers["Location"].startswith("/sign-in")
