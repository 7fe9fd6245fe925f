"""The console's second factor in pages: at sign-in, and changed by its owner."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.web.qr import qr_code
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.world import World
from vip.operators.device_changes import reset_by_command
from vip.operators.operators import create_admin, create_operator

DOOR, DEVICE, CODE = "/operators/sign-in", "/operators/sign-in/device", "/operators/sign-in/code"
PASSWORD = "a long password"
LATER = NOON + timedelta(minutes=5)


@pytest.fixture
def lin(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    """A browser of the operator `lin`, who has to have a second factor; nobody has signed in yet."""
    monkeypatch.setenv("OPERATOR_SECOND_FACTOR", "required")
    settings.cache_clear()
    create_admin("lin", PASSWORD, "林默", now=NOON)
    yield Visitor(app)
    settings.cache_clear()


def enter(visitor: Visitor, name: str = "lin", **more: str) -> TestResponse:
    return visitor.post(DOOR, DOOR, name=name, password=PASSWORD, **more)


def offered(page: TestResponse) -> tuple[str, str]:
    """The secret that a page shows for typing, and what its form sends back."""
    secret = re.search(r'(?s)class="secret"[^>]*>(.*?)</p>', page.text)
    sealed = re.search(r'name="offer" value="([^"]+)"', page.text)
    assert secret is not None and sealed is not None
    return re.sub(r"<[^>]+>|\s", "", secret[1]), sealed[1]


def set_up(visitor: Visitor) -> tuple[str, TestResponse]:
    """The device's secret, and the page with the recovery codes."""
    secret, sealed = offered(visitor.get(DEVICE))
    return secret, visitor.post(DEVICE, DEVICE, offer=sealed, code=pyotp.TOTP(secret).at(NOON), next="/operators/jobs")


def codes_of(page: TestResponse) -> list[str]:
    return re.findall(r"<li>((?:[a-z2-9]{4}-){3}[a-z2-9]{4})</li>", page.text)


def test_the_first_sign_in_sets_a_device_up_and_shows_the_recovery_codes_once(lin: Visitor) -> None:
    assert enter(lin, next="/operators/jobs").headers["Location"] == f"{DEVICE}?next=/operators/jobs"
    assert lin.get("/operators").status_code == 303, "the password alone opens nothing"
    page = lin.get(DEVICE)
    assert "<svg" in page.text and "data:" not in page.text and page.headers["Cache-Control"] == "no-store"
    secret, sealed = offered(page)
    wrong = lin.post(DEVICE, DEVICE, offer=sealed, code="000000")
    assert wrong.status_code == 422 and offered(wrong) == (secret, sealed) and 'id="f-code-error"' in wrong.text
    secret, done = set_up(lin)
    assert done.status_code == 200 and len(codes_of(done)) == 10 and 'href="/operators/jobs"' in done.text
    assert lin.get("/operators/jobs").status_code == 200
    again = lin.get(DEVICE)
    assert again.status_code == 303 and secret not in again.text


def test_the_drawing_holds_what_the_text_says() -> None:
    drawn, other = qr_code("otpauth://totp/a"), qr_code("otpauth://totp/b")
    assert drawn.startswith("<svg") and drawn != other and "style=" not in drawn and "href" not in drawn


def test_the_code_is_asked_for_and_a_wrong_one_lets_nobody_in(lin: Visitor) -> None:
    enter(lin)
    secret, done = set_up(lin)
    with clock.frozen(LATER):
        visitor = Visitor(lin.app)
        assert enter(visitor, next="/operators/jobs").headers["Location"] == f"{CODE}?next=/operators/jobs"
        wrong = visitor.post(CODE, CODE, code="000000")
        assert wrong.status_code == 422 and "That code is not right" in main(wrong)
        assert visitor.get("/operators").status_code == 303
        right = visitor.post(CODE, CODE, code=pyotp.TOTP(secret).at(LATER), next="/operators/jobs")
        assert right.headers["Location"] == "/operators/jobs" and visitor.get("/operators/jobs").status_code == 200
        other = Visitor(lin.app)
        enter(other)
        assert other.post(CODE, CODE, code=codes_of(done)[0]).headers["Location"] == "/operators"


def test_who_tries_too_many_codes_is_told_when_to_come_back(lin: Visitor) -> None:
    enter(lin)
    set_up(lin)
    with clock.frozen(LATER):
        stranger = Visitor(lin.app)
        enter(stranger)
        tried = [stranger.post(CODE, CODE, code="000000") for _ in range(6)]
        assert [one.status_code for one in tried] == [422] * 5 + [429]
        assert tried[-1].headers["Retry-After"] == "1800"
        again = lin.post(DOOR, "/operators/password", name="lin", password=PASSWORD)
        assert again.headers["Location"].startswith(CODE)
        assert lin.post(CODE, CODE, code="000000").status_code == 422, "her own device has tries of its own"


def test_a_step_that_took_too_long_begins_anew(lin: Visitor) -> None:
    enter(lin)
    with clock.frozen(NOON + timedelta(minutes=11)):
        assert lin.get(f"{DEVICE}?next=/operators/jobs").headers["Location"] == f"{DOOR}?next=/operators/jobs"
        assert "That took too long. Sign in once more." in lin.get(DOOR).text


def test_each_step_leads_to_the_one_that_is_awaited(lin: Visitor) -> None:
    enter(lin)
    assert lin.get(CODE).headers["Location"] == DEVICE
    assert lin.get("/operators/sign-in/password").headers["Location"] == DEVICE


def test_who_was_given_a_password_chooses_her_own_first(lin: Visitor) -> None:
    create_operator("mei", PASSWORD, "梅", "agent", now=NOON, password_once=True)
    page, new = "/operators/sign-in/password", "another river, another boat"
    assert enter(lin, "mei").headers["Location"] == page
    same = lin.post(page, page, new=PASSWORD)
    assert same.status_code == 422 and 'id="f-new-error"' in same.text and PASSWORD not in same.text
    assert lin.post(page, page, new=new).headers["Location"] == DEVICE
    assert enter(Visitor(lin.app), "mei").status_code == 422


def test_a_device_is_changed_with_a_code_of_the_present_one(lin: Visitor) -> None:
    enter(lin)
    secret, _ = set_up(lin)
    page = "/operators/second-factor"
    assert "10 recovery codes are good" in main(lin.get(page))
    with clock.frozen(LATER):
        new, sealed = offered(lin.get(f"{page}/device"))
        fields = {"offer": sealed, "code": pyotp.TOTP(new).at(LATER)}
        wrong = lin.post(f"{page}/device", page, present="000000", **fields)
        assert wrong.status_code == 422 and 'id="f-present-error"' in wrong.text and offered(wrong) == (new, sealed)
        done = lin.post(f"{page}/device", page, present=pyotp.TOTP(secret).at(LATER), **fields)
        assert len(codes_of(done)) == 10
        more = lin.post(page, page, present=codes_of(done)[0])
        assert len(codes_of(more)) == 10 and set(codes_of(more)).isdisjoint(codes_of(done))
        assert "10 recovery codes are good" in main(lin.get(page))


def test_after_a_reset_the_session_is_over_and_a_device_is_set_up_anew(lin: Visitor) -> None:
    enter(lin)
    set_up(lin)
    reset_by_command("lin", now=NOON)
    assert lin.get("/operators").status_code == 303
    assert enter(lin).headers["Location"] == DEVICE


def test_every_step_is_there_in_chinese(lin: Visitor) -> None:
    lin.language = "zh"
    enter(lin)
    assert "设置第二重验证" in html.unescape(lin.get(DEVICE).text)
    _, done = set_up(lin)
    assert "恢复码" in main(done) and "第二重验证" in main(lin.get("/operators/second-factor"))
