"""Limits as browsers behind a proxy meet them: by the address it saw, by device, and with the time to come back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from booking.messages.calendar import new_feed
from booking.reports.share import NewShare, share_report
from marketplace.app import create_app
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.sending import sms
from marketplace.web import session
from marketplace.web.cookies import KNOWN_DEVICE, KNOWN_OPERATOR, OPERATOR, SIGNED_IN
from tests.marketplace.web.visitors import Visitor
from tests.people import NOON, SmsBox, make_customer
from tests.reports import LATER, deliver
from tests.vip.customers.test_consent import fathers_world
from tests.world import make_world
from vip.customers.blocking import block_by_command
from vip.operators import operators
from vip.principal import Principal
from vip.signin import authentication, codes, limits, signin
from vip.signin.limits import Caller, InMemory, Limit

HERS = "13800000021"
PASSWORD = "a long password"
ATTACKER, OWNER = "203.0.113.9", "198.51.100.4"


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch, db: Engine) -> SmsBox:
    """Where codes arrive."""
    made = SmsBox()
    monkeypatch.setattr(sms, "backend", lambda: made)
    return made


@pytest.fixture
def app(box: SmsBox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The application behind one proxy, at noon."""
    monkeypatch.setenv("TRUSTED_PROXIES", "1")
    settings.cache_clear()
    with clock.frozen(NOON):
        yield create_app()
    settings.cache_clear()


class Behind(Visitor):
    """A browser at an address, seen by our proxy; what it says of its own address stands before that."""

    def at(self, address: str) -> Behind:
        self.client.environ_base["HTTP_X_FORWARDED_FOR"] = f"192.0.2.{id(self) % 250}, {address}"
        return self


def wrong(code: str) -> str:
    return "111111" if code == "000000" else "000000"


def ask_and_try(browser: Visitor, code: str) -> int:
    browser.post("/sign-in", "/sign-in", phone=HERS)
    return browser.post("/sign-in/code", "/sign-in/code", code=code).status_code


def test_tries_are_counted_by_the_address_the_proxy_saw(app: Flask, box: SmsBox) -> None:
    make_customer(HERS)
    attacker = Behind(app).at(ATTACKER)
    attacker.post("/sign-in", "/sign-in", phone=HERS)
    bad = wrong(box.code_for(HERS))
    tried = [attacker.post("/sign-in/code", "/sign-in/code", code=bad).status_code for _ in range(6)]
    assert tried == [422] * 5 + [429]
    again = Behind(app).at(ATTACKER)
    assert ask_and_try(again, box.code_for(HERS)) == 429, "a new browser and another name in front change nothing"
    assert ask_and_try(Behind(app).at(OWNER), box.code_for(HERS)) == 303


def test_a_known_browser_signs_in_behind_the_attackers_own_address(app: Flask, box: SmsBox) -> None:
    make_customer(HERS)
    hers = Behind(app).at(ATTACKER)
    hers.post("/sign-in", "/sign-in", phone=HERS)
    assert hers.post("/sign-in/code", "/sign-in/code", code=box.code_for(HERS)).status_code == 303
    assert hers.post("/sign-out", "/me").status_code == 303
    stranger = Behind(app).at(ATTACKER)
    stranger.post("/sign-in", "/sign-in", phone=HERS)
    for _ in range(6):
        stranger.post("/sign-in/code", "/sign-in/code", code=wrong(box.code_for(HERS)))
    with clock.frozen(NOON + codes.RESEND_AFTER):
        assert ask_and_try(stranger, box.code_for(HERS)) == 429
        hers.post("/sign-in", "/sign-in", phone=HERS)
        assert hers.post("/sign-in/code", "/sign-in/code", code=box.code_for(HERS)).status_code == 303


def test_the_mark_of_a_device_is_no_session(app: Flask, box: SmsBox) -> None:
    make_customer(HERS)
    browser = Behind(app)
    browser.post("/sign-in", "/sign-in", phone=HERS)
    browser.post("/sign-in/code", "/sign-in/code", code=box.code_for(HERS))
    token, mark = (browser.client.get_cookie(name) for name in (SIGNED_IN.name, KNOWN_DEVICE.name))
    assert token is not None and mark is not None and token.value not in mark.value
    assert authentication.authenticate(token.value, now=NOON)
    thief = Behind(app)
    thief.client.set_cookie(SIGNED_IN.name, mark.value)
    assert thief.get("/me").status_code == 303
    assert app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {mark.value}"}).status_code == 401


def test_a_forged_mark_is_a_stranger(app: Flask, box: SmsBox) -> None:
    make_customer(HERS)
    signed_in = signin.issue_token(HERS, NOON)
    session_id = signed_in.device.partition(".")[0]
    signin.send_code(HERS, now=NOON, gateway=box)
    forged = (session_id, f"{session_id}.", f"{session_id}.{'0' * 64}", f"{session_id}.\ud800", "\0.x", "." * 9)
    for number, shown in enumerate(forged):
        signin.send_code(HERS, now=NOON, gateway=box, known_by=shown, caller=Caller(f"192.0.2.{number}"))
    assert len(box.texts) == 1
    signin.send_code(HERS, now=NOON, gateway=box, known_by=signed_in.device)
    assert len(box.texts) == 2


def test_an_operators_mark_is_no_session_either(app: Flask, box: SmsBox) -> None:
    make_customer(HERS)
    operators.create_admin("lin", PASSWORD, "林主管", now=NOON)
    browser, door = Behind(app), "/operators/sign-in"
    assert browser.post(door, door, name="lin", password=PASSWORD).status_code == 303
    kept = [browser.client.get_cookie(name, path=OPERATOR.path) for name in (OPERATOR.name, KNOWN_OPERATOR.name)]
    token, mark = kept
    assert token is not None and mark is not None and token.value not in mark.value
    thief = Behind(app)
    thief.client.set_cookie(OPERATOR.name, mark.value, path=OPERATOR.path)
    assert thief.get("/operators").headers["Location"].startswith(door)


def test_reads_of_a_session_are_refused_with_a_time_and_others_read_on(
    app: Flask, box: SmsBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = InMemory(Limit(3, 1))  # an hour for the next one: a slow machine fills nothing
    monkeypatch.setattr(session, "reads", few)
    make_customer(HERS)
    make_customer("13800000022")
    hers, other = Visitor.signed_in(app, HERS), Visitor.signed_in(app, "13800000022")
    assert [hers.get("/me").status_code for _ in range(3)] == [200] * 3
    refused = hers.get("/me")
    assert refused.status_code == 429 and 0 < int(refused.headers["Retry-After"]) <= 3600
    assert other.get("/me").status_code == 200
    assert few is not limits.reads


def test_who_asks_for_too_many_codes_is_told_when_to_come_back_on_every_page(
    app: Flask, box: SmsBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    _world, father = fathers_world()
    monkeypatch.setattr(codes, "ASKED_OF_ACCOUNT", Limit(1, 5))
    monkeypatch.setattr(codes, "TRIES_AT_ACCOUNT", Limit(1, 5))
    hers, consent = Visitor.signed_in(app, HERS), f"/me/family/{father}/consent"
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("/me/phone", "/me/phone", {"phone": "13900007755"}),
        (consent, consent, {"phone": "13900000055"}),
        ("/consent", "/consent", {"phone": "13900000055"}),
        (f"{consent}/code", f"{consent}/code", {"code": "000000"}),
        ("/consent", "/consent", {"phone": "13900000055", "code": "000000"}),
    ]
    for path, page, fields in asked:
        hers.post(path, page, **fields)
        answer = hers.post(path, page, **fields)
        assert (answer.status_code, answer.headers.get("Retry-After")) == (429, "720"), (path, fields)


def test_a_stranger_with_the_link_keeps_no_doctor_out(app: Flask, box: SmsBox) -> None:
    world = make_world()
    made = share_report(
        world.principal, deliver(world, world.submit()), NewShare("doctor", 7, with_code=True), now=LATER
    )
    path, code = f"/shared/{made.token}", made.access_code or ""
    stranger, doctor = Behind(app).at(ATTACKER), Behind(app).at(OWNER)
    with clock.frozen(LATER):
        tried = [stranger.post(path, path, code=wrong(code)).status_code for _ in range(5)]
        answer = stranger.post(path, path, code=code)
        assert (tried, answer.status_code, answer.headers["Retry-After"]) == ([422] * 5, 429, "1800")
        assert doctor.post(path, path, code=code).status_code == 303


def links_of(report_id: str, principal: Principal) -> list[str]:
    """The paths of a shared report and of the calendar."""
    made = share_report(principal, report_id, NewShare("doctor", 7), now=LATER)
    return [f"/shared/{made.token}", f"/calendar/{new_feed(principal, now=LATER)}.ics"]


@pytest.mark.parametrize(("asked", "status"), [({}, 200), ({"links": "1"}, 404)])
def test_links_are_ended_at_sign_out_everywhere_if_she_asks(app: Flask, asked: dict[str, str], status: int) -> None:
    world = make_world()
    with clock.frozen(LATER):
        paths = links_of(deliver(world, world.submit()), world.principal)
        hers = Visitor.signed_in(app, HERS)
        assert [Visitor(app).get(path).status_code for path in paths] == [200, 200]
        assert hers.post("/me/sessions/end", "/me", everywhere="1", **asked).status_code == 303
        assert [Visitor(app).get(path).status_code for path in paths] == [status] * 2


@pytest.mark.parametrize(("asked", "status"), [({}, 200), ({"links": "1"}, 404)])
def test_links_are_ended_at_a_change_of_phone_if_she_asks(
    app: Flask, box: SmsBox, asked: dict[str, str], status: int
) -> None:
    world = make_world()
    with clock.frozen(LATER):
        paths = links_of(deliver(world, world.submit()), world.principal)
        hers = Visitor.signed_in(app, HERS)
        hers.post("/me/phone", "/me/phone", phone="13900007755")
        given = {"old_code": box.code_for(HERS), "new_code": box.code_for("13900007755")}
        assert hers.post("/me/phone/code", "/me/phone/code", **given, **asked).status_code == 303
        assert [Visitor(app).get(path).status_code for path in paths] == [status] * 2


def test_a_blocked_customers_calendar_and_links_are_not_there(app: Flask) -> None:
    world = make_world()
    with clock.frozen(LATER):
        paths = links_of(deliver(world, world.submit()), world.principal)
        block_by_command(HERS, now=LATER)
        assert [Visitor(app).get(path).status_code for path in paths] == [404, 404]
