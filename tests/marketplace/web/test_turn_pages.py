"""Who gets no turn is told so, in words and in the field's own page, and when to come back: everywhere alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date, timedelta

import pyotp
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from booking.reports import share
from booking.reports.share import NewShare
from marketplace.core import clock
from marketplace.core.sending import sms
from tests.marketplace.web.console.test_second_factor_pages import CODE, DEVICE, DOOR, PASSWORD, enter, lin, set_up
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON, SmsBox
from tests.reports import deliver
from tests.world import World
from vip.customers.family import NewMember, add_member
from vip.operators.operators import create_operator
from vip.signin.signin import issue_token
from vip.signin.turns import Crowded, Turns

__all__ = ["lin"]
NEW_PHONE = "13900000077"
SAID = {
    "en": "Many are trying just now. Nothing was counted; please try again in 2 seconds.",
    "zh-CN": "此刻尝试的人较多。这一次没有计数，请 2 秒后再试。",
}
languages = pytest.mark.parametrize("language", SAID)


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> SmsBox:
    """Where texts go."""
    made = SmsBox()
    monkeypatch.setattr(sms, "backend", lambda: made)
    return made


@pytest.fixture
def crowded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """From the call on nobody gets a turn."""

    def refuse(queue: Turns, who: str) -> AbstractContextManager[None]:
        raise Crowded(retry_after=2)

    return lambda: monkeypatch.setattr(Turns, "turn", refuse)


def told(answer: TestResponse, language: str) -> None:
    """It says so, and when to come back; the form stands there still."""
    assert answer.status_code == 429 and answer.headers["Retry-After"] == "2"
    assert SAID[language] in main(answer) and "<form" in answer.text


@languages
@pytest.mark.usefixtures("box")
def test_at_signing_in_and_where_consent_is_taken_back(
    app: Flask, world: World, crowded: Callable[[], None], language: str
) -> None:
    stranger, pending = Visitor(app, language), Visitor(app, language)
    pending.post("/sign-in", "/sign-in", phone="13800000021")
    crowded()
    told(stranger.post("/sign-in", "/sign-in", phone="13800000021"), language)
    told(pending.post("/sign-in/code", "/sign-in/code", code="123456"), language)
    told(stranger.post("/consent", "/consent", phone=NEW_PHONE), language)
    told(stranger.post("/consent", "/consent", phone=NEW_PHONE, code="123456"), language)


@languages
@pytest.mark.usefixtures("box")
def test_at_a_relatives_consent_a_new_phone_and_an_email_address(
    app: Flask, world: World, crowded: Callable[[], None], language: str
) -> None:
    visitor = Visitor.signed_in(app, "13800000021", language)
    mother = add_member(world.principal, NewMember("mother", "沈阿宝", "female", date(1955, 5, 1)), NOON).public_id
    asked = f"/me/family/{mother}/consent"
    assert visitor.post(asked, asked, phone=NEW_PHONE).status_code == 303
    assert visitor.post("/me/phone", "/me/phone", phone="13900000078").status_code == 303
    mails = "/me/messages"
    assert visitor.post(f"{mails}/email", mails, email="shen@example.com").status_code == 303
    crowded()
    told(visitor.post(asked, asked, phone=NEW_PHONE), language)
    told(visitor.post(f"{asked}/code", f"{asked}/code", code="123456"), language)
    told(visitor.post("/me/phone", "/me/phone", phone="13900000078"), language)
    told(visitor.post("/me/phone/code", "/me/phone/code", old_code="123456", new_code="123456"), language)
    told(visitor.post(f"{mails}/email", mails, email="shen@example.com"), language)
    told(visitor.post(f"{mails}/email/code", mails, code="123456"), language)


@languages
def test_at_a_shared_report(app: Flask, world: World, crowded: Callable[[], None], language: str) -> None:
    report = deliver(world, world.submit())
    made = share.share_report(world.principal, report, NewShare("doctor", 7, with_code=True), now=NOON)
    link = f"/shared/{made.token}"
    crowded()
    told(Visitor(app, language).post(link, link, code="123456"), language)


@languages
def test_at_the_consoles_door(lin: Visitor, crowded: Callable[[], None], language: str) -> None:
    enter(lin)
    set_up(lin)
    create_operator("wu", PASSWORD, "吴", "admin", now=NOON, password_once=True)
    create_operator("he", PASSWORD, "何", "admin", now=NOON)
    with clock.frozen(NOON + timedelta(minutes=5)):
        second, own, first = (Visitor(lin.app, language) for _ in range(3))
        for visitor, name in ((second, "lin"), (own, "wu"), (first, "he")):
            enter(visitor, name)
        crowded()
        told(enter(Visitor(lin.app, language)), language)
        told(second.post(CODE, CODE, code="000000"), language)
        new = f"{DOOR}/password"
        told(own.post(new, new, new="another river, another boat"), language)
        sealed = _offer(first.get(DEVICE))
        told(first.post(DEVICE, DEVICE, offer=sealed, code="000000"), language)


@languages
def test_in_the_console(lin: Visitor, crowded: Callable[[], None], language: str) -> None:
    enter(lin)
    secret, _ = set_up(lin)
    lin.language = language
    crowded()
    second, word, new = "/operators/second-factor", "/operators/password", "/operators/accounts/new"
    told(lin.post(second, second, present=pyotp.TOTP(secret).at(NOON)), language)
    device = f"{second}/device"
    told(lin.post(device, device, present="000000", offer=_offer(lin.get(device)), code="000000"), language)
    told(lin.post(word, word, present=PASSWORD, new="another river, another boat"), language)
    told(lin.post(new, new, name="吴", login="wu", role="agent"), language)


@languages
@pytest.mark.usefixtures("box")
def test_in_the_api(app: Flask, world: World, crowded: Callable[[], None], language: str) -> None:
    client = app.test_client(use_cookies=False)
    mother = add_member(world.principal, NewMember("mother", "沈阿宝", "female", date(1955, 5, 1)), NOON).public_id
    token = issue_token("13800000021", NOON).token
    crowded()
    consent = f"/me/family/{mother}/consent"
    for path, more in (
        ("/sessions/codes", {}),
        ("/sessions", {"code": "123456"}),
        (f"{consent}/codes", {}),
        (consent, {"code": "123456"}),
    ):
        answer = client.post(
            f"/api/v1{path}",
            json={"phone": NEW_PHONE, **more},
            headers={"Accept-Language": language, "Authorization": f"Bearer {token}"},
        )
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2"), answer.text
        assert answer.content_type == "application/problem+json"
        assert (answer.get_json()["code"], answer.get_json()["detail"]) == ("crowded", SAID[language])


def _offer(page: TestResponse) -> str:
    found = re.search(r'name="offer" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]
