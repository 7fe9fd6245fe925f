"""A new benefit kind without times is one module: begun, answered, closed, stated and shown in its own words."""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine

from booking.attendance.no_show import call_no_shows
from booking.changes.cancel import cancel
from booking.changes.unanswered import end_unanswered
from booking.hold.begin import BeginRequest, begin
from booking.idempotency import Repeatable
from booking.messages.remind import remind_of_bookings
from booking.states import BookingState
from booking.views.customer import booking as view
from marketplace.app import create_app
from marketplace.catalog import kinds
from marketplace.core import clock
from marketplace.core.database.db import transaction
from tests.marketplace.api.caller import Caller
from tests.marketplace.web.visitors import Visitor
from tests.people import NOON, counters
from tests.providers.partner_api.answering import work
from tests.world import World, booking_row, go, make_world, set_provider

PHONE = "13800000021"
MODULE = """
from marketplace.catalog.benefit_kind import BenefitKind, Message, Traits, Words
from marketplace.core.text import Text

KIND = BenefitKind(
    code="pharmacist_line",
    name=Text("药师热线", "Pharmacist's line"),
    traits=Traits(supply="immediate", occupies_person=False, answer_hours=3),
    package_schema={"type": "object"},
    details_schema={"type": "object"},
    check_eligible=lambda package, sex, birth_date, on_date: None,
    words=Words(
        service=Text("药师答疑", "the pharmacist's advice"),
        place=Text("药师", "the pharmacist"),
        queued=Text("等候药师", "In the pharmacists' queue"),
        began=Text("药师已回复", "The pharmacist answered"),
        under_way=Text("药师正在答疑", "The pharmacist is advising"),
        done=Text("答疑结束", "Advice given"),
        bring=Text("", ""),
        advice=(),
        messages={"cancelled": Message(Text("答疑已取消", "The advice is cancelled"), Text("{what}", "{what}"))},
    ),
)
"""
FOREIGN = re.compile(r"hospital|体检|医院|到院|ID card|身份证|calendar|日历|Directions|路线", re.IGNORECASE)


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    """The application, made before the module was there."""
    return create_app()


@pytest.fixture
def world(db: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """One more module where kinds are looked for, and somebody with two uses of it."""
    (tmp_path / "pharmacist_line.py").write_text(MODULE)
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])
    kinds.kinds.cache_clear()
    with clock.frozen(NOON):
        made = make_world(phone=PHONE, kind="pharmacist_line", slots=0, package={}, place_name="清和药房")
        set_provider(made.provider, adapter="desk")
        yield made
    kinds.kinds.cache_clear()
    sys.modules.pop(f"{kinds.__name__}.pharmacist_line", None)


def begun(world: World) -> str:
    """One that stands in the pharmacists' queue."""
    wanted = BeginRequest(world.offer.public_id, world.beneficiary.public_id, None, {})
    with transaction() as session:
        repeat = Repeatable(world.principal.public_id, str(uuid.uuid4()), b"f")
        booking = begin(session, world.principal, wanted, repeat, now=NOON).public_id
    work(world)
    return booking


def shown(app: Flask, path: str, language: str) -> str:
    answer = Visitor.signed_in(app, PHONE, language).get(path)
    assert answer.status_code == 200, path
    text = " ".join(re.sub(r"(?s)<(script|head|nav|footer)\b.*?</\1>|<[^>]+>", " ", answer.text).split())
    assert FOREIGN.findall(text) == [], f"{path} in {language}"
    return text


def test_it_is_begun_and_answered_and_uses_a_unit(world: World) -> None:
    booking = begun(world)
    assert booking_row(booking).state is BookingState.CONFIRMED
    go(booking, BookingState.IN_SERVICE, BookingState.FULFILLED)
    assert counters(world.entitlement.id)["used"] == 1
    assert booking_row(booking).report_due_at is None


def test_its_own_hours_end_what_nobody_answers(world: World) -> None:
    booking = begun(world)
    assert end_unanswered(now=NOON + timedelta(hours=3)) == 1
    assert booking_row(booking).cause == "not_answered_in_time"


def test_no_clock_reminds_of_it_or_calls_a_no_show(world: World) -> None:
    begun(world)
    assert remind_of_bookings(now=NOON + timedelta(hours=1)) == 0
    assert call_no_shows(now=NOON + timedelta(days=30)) == 0


def test_it_can_be_cancelled_until_it_is_answered(world: World) -> None:
    booking = begun(world)
    assert view(world.principal, booking, now=NOON).can_cancel
    cancel(world.principal, booking, now=NOON)
    assert counters(world.entitlement.id)["available"] == 2


def test_a_program_reads_it_without_times(app: Flask, world: World) -> None:
    found = Caller.of(app, PHONE).get(f"/bookings/{begun(world)}").get_json()
    assert (found["starts_at"], found["ends_at"], found["conversation_id"]) == (None, None, None)
    assert (found["can_cancel"], found["can_change"], found["state"]) == (True, False, "confirmed")


STEPS = [
    ("zh", "等候药师", "药师正在答疑", "答疑结束"),
    ("en", "In the pharmacists' queue", "The pharmacist is advising", "Advice given"),
]


@pytest.mark.parametrize(("language", "queued", "under_way", "done"), STEPS)
def test_its_pages_speak_its_words_in_every_state(
    app: Flask, world: World, language: str, queued: str, under_way: str, done: str
) -> None:
    booking = begun(world)
    page = shown(app, f"/bookings/{booking}", language)
    assert queued in page.replace("&#39;", "'")
    go(booking, BookingState.IN_SERVICE)
    assert under_way in shown(app, f"/bookings/{booking}", language)
    go(booking, BookingState.FULFILLED)
    assert done in shown(app, f"/bookings/{booking}", language)
