"""A stored record that does not open: an alarm that names it, a sentence for who asked, and everything else goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import create_engine, update

from marketplace.core import integrity
from marketplace.core.database.db import transaction
from tests.keys import logged_alarms
from tests.marketplace.web.console.test_role_pages import PASSWORD, enter
from tests.marketplace.web.visitors import Visitor, main, words
from tests.people import NOON, make_customer
from tests.world import World
from vip import phones
from vip.customers.family import NewMember, add_member
from vip.models import Beneficiary, Customer
from vip.operators.operators import create_operator

SENTENCE = "A stored record can't be opened. The people who run this service have been told which one."


@pytest.fixture(autouse=True)
def at_once() -> Iterator[None]:
    """Each alarm is raised at once, also one of a moment ago."""
    integrity.forget_raised()
    yield
    integrity.forget_raised()


@pytest.fixture
def swapped(world: World) -> str:
    """The world's customer has another one's ciphertext of a phone; the name of her record."""
    other = make_customer("13800000099")
    with transaction() as session:
        theirs = session.get_one(Customer, other.id).phone_sealed
        session.execute(update(Customer).where(Customer.id == world.customer.id).values(phone_sealed=theirs))
    return phones.record_of(world.customer.public_id)


def test_a_swapped_phone_is_503_with_a_sentence_in_both_languages(visitor: Visitor, swapped: str) -> None:
    with logged_alarms() as lines:
        page = visitor.get("/me")
    assert page.status_code == 503
    assert SENTENCE in words(page) and "13800000099" not in page.text and swapped not in page.text
    assert [line["record"] for line in lines if line["event"] == "integrity.broken"] == [swapped]
    visitor.language = "zh"
    assert "有一份已保存的记录无法打开" in words(visitor.get("/me"))


def test_programs_get_a_problem(app: Flask, visitor: Visitor, swapped: str) -> None:
    bearer = {"Authorization": f"Bearer {_token(visitor)}", "Accept-Language": "en"}
    answer = app.test_client().get("/api/v1/me", headers=bearer)
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    problem = answer.get_json()
    assert (problem["code"], problem["detail"]) == ("record_unreadable", SENTENCE)
    assert swapped not in answer.get_data(as_text=True)


def test_one_unreadable_number_stops_no_list(visitor: Visitor, world: World) -> None:
    for name in ("沈父", "沈母"):
        add_member(world.principal, NewMember("other", name, "male", NOON.date(), "13900000001"), NOON)
    with transaction() as session:
        broken = (
            update(Beneficiary)
            .where(Beneficiary.name == "沈父")
            .values(phone_sealed=b"rubbish")
            .returning(Beneficiary.public_id)
        )
        public_id = session.scalars(broken).one()
    page = visitor.get("/me")
    assert page.status_code == 200 and "沈父" in main(page) and "沈母" in main(page)
    assert [alarm.record for alarm in integrity.alarms(now=NOON)] == [f"beneficiary:{public_id}:phone"]


def test_the_alarm_stays_although_the_request_was_taken_back_and_is_written_once_a_minute(
    visitor: Visitor, swapped: str
) -> None:
    for _ in range(3):
        visitor.get("/me")
    [alarm] = integrity.alarms(now=NOON)
    assert (alarm.record, alarm.times) == (swapped, 1)
    integrity.forget_raised()
    visitor.get("/me")
    [alarm] = integrity.alarms(now=NOON)
    assert alarm.times == 2


def test_administrators_are_shown_which_record(app: Flask, world: World, swapped: str, visitor: Visitor) -> None:
    visitor.get("/me")
    create_operator("admin", PASSWORD, "林默", "admin", now=NOON)
    console = enter(app, "admin")
    assert swapped in main(console.get("/operators"))
    assert "Records that can't be opened" in main(console.get("/operators"))


def test_old_alarms_are_shown_and_stored_no_longer(world: World) -> None:
    integrity.alarm("customer:cus_a:phone")
    assert integrity.alarms(now=NOON + timedelta(days=8)) == []
    assert integrity.forget_alarms(now=NOON + timedelta(days=89)) == 0
    assert integrity.forget_alarms(now=NOON + timedelta(days=91)) == 1


def test_a_database_that_is_away_hides_no_alarm_from_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrity, "apart_engine", lambda: create_engine("postgresql+psycopg://nobody@127.0.0.1:9/x"))
    with logged_alarms() as lines:
        integrity.alarm("customer:cus_a:phone")
    assert [line["event"] for line in lines] == ["integrity.broken", "integrity.not_stored"]


def _token(visitor: Visitor) -> str:
    cookie = visitor.client.get_cookie("signed_in")
    assert cookie is not None
    return cookie.value
