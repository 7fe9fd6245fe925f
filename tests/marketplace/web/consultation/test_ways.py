"""The ways to a conversation: from home and from the bookings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import Engine

from booking.consultation.close import close
from booking.consultation.summary import Summary
from marketplace.app import create_app
from marketplace.catalog.kinds import kind as kind_of
from marketplace.catalog.kinds import without_times
from marketplace.core import clock
from marketplace.web import schema_form
from tests.booking.consultation.rooms import Practice, make_practice
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.providers.partner_api.answering import work

PHONE = "13800000021"


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    return create_app()


@pytest.fixture
def practice(db: Engine) -> Iterator[Practice]:
    with clock.frozen(NOON):
        yield make_practice(phone=PHONE)


@pytest.fixture
def visitor(app: Flask, practice: Practice) -> Visitor:
    return Visitor.signed_in(app, PHONE)


def test_home_leads_to_a_doctor_with_what_is_pledged(visitor: Visitor, practice: Practice) -> None:
    page = visitor.get("/")
    assert "A doctor answers within 90 s" in main(page)
    assert page.text.count(f'href="/consultation/new?entitlement={practice.world.entitlement.public_id}"') == 2


def test_home_promises_what_the_offer_does(app: Flask, db: Engine) -> None:
    with clock.frozen(NOON):
        make_practice(phone=PHONE, package={"pledge_seconds": 300})
        page = Visitor.signed_in(app, PHONE).get("/")
    assert "A doctor answers within 5 min" in main(page) and "90" not in main(page)


def test_home_leads_to_the_conversation_that_goes_on_with_what_is_unread(visitor: Visitor, practice: Practice) -> None:
    talk = practice.open().conversation
    work(practice.world)
    assert "Write your question" in main(visitor.get("/"))
    practice.ask(talk, "A rash")
    assert "Waiting for a doctor" in main(visitor.get("/"))
    practice.answer(talk, "Since when?")
    page = visitor.get("/")
    assert f'href="/consultation/{talk}"' in page.text
    assert "A doctor is with you" in main(page) and "1 unread message" in main(page)


def test_a_closed_one_that_was_read_gives_way_to_the_next(visitor: Visitor, practice: Practice) -> None:
    talk = practice.open().conversation
    practice.ask(talk, "A rash")
    practice.answer(talk, "Since when?")
    close(practice.clinician, talk, Summary("Eczema."), now=NOON)
    assert "Summary of the consultation" in main(visitor.get("/"))
    visitor.post(f"/consultation/{talk}/read", page="/me", seen="3")
    assert "A doctor answers within 90 s" in main(visitor.get("/"))


def test_a_line_of_the_bookings_leads_into_it_while_it_goes_on(visitor: Visitor, practice: Practice) -> None:
    opened = practice.open()
    work(practice.world)
    practice.ask(opened.conversation, "A rash")
    assert f'href="/consultation/{opened.conversation}"' in visitor.get("/bookings").text
    practice.answer(opened.conversation, "Since when?")
    close(practice.clinician, opened.conversation, Summary("Eczema."), now=NOON)
    page = visitor.get("/bookings")
    assert f'href="/consultation/{opened.conversation}"' not in page.text
    assert f'href="/bookings/{opened.booking}"' in page.text


def test_a_form_shows_every_question_of_what_begins_at_once() -> None:
    assert [code for code in without_times() if not schema_form.is_whole(kind_of(code).details_schema)] == []
