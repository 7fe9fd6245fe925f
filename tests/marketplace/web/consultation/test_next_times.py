"""What a doctor suggests is booked from the conversation by two taps."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import Engine

from booking.consultation.close import close
from booking.consultation.summary import NextService, Summary
from booking.models import Slot
from booking.states import BookingState
from marketplace.app import create_app
from marketplace.catalog.models import Offer
from marketplace.core import clock
from marketplace.core.database.db import transaction
from tests.booking.consultation.rooms import Practice, make_practice
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON, add_entitlement
from tests.world import booking_row, make_offer
from vip.models import Customer

PHONE = "13800000021"


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    return create_app()


@pytest.fixture
def practice(db: Engine) -> Iterator[Practice]:
    with clock.frozen(NOON):
        yield make_practice(phone=PHONE)


@pytest.fixture
def check_up(practice: Practice) -> tuple[Offer, list[Slot]]:
    """A check-up that her benefit pays for."""
    _provider, offer, slots = make_offer(place_name="同济体检中心")
    pays(practice)
    return offer, slots


def pays(practice: Practice) -> None:
    with transaction() as session:
        customer = session.get_one(Customer, practice.world.customer.id)
        add_entitlement(session, customer, 1, kind="health_check")


def closed(practice: Practice, following: str = "health_check") -> str:
    talk = practice.open().conversation
    practice.ask(talk, "乏力")
    practice.answer(talk, "查一下血")
    close(practice.clinician, talk, Summary("疲劳", "", NextService(following)), now=NOON)
    return talk


def forms(page: str) -> list[tuple[str, dict[str, str]]]:
    """The forms that hold a time: their address and what they send."""
    found = re.findall(r'(?s)<form method="post" action="(/offers/[^"]+)">(.*?)</form>', page)
    sent = [re.findall(r'name="([^"]+)" value="([^"]*)"', form) for _, form in found]
    return [(address, dict(fields)) for (address, _), fields in zip(found, sent, strict=True)]


def test_one_tap_holds_a_time_and_the_next_one_confirms_it(
    app: Flask, practice: Practice, check_up: tuple[Offer, list[Slot]]
) -> None:
    offer, slots = check_up
    visitor = Visitor.signed_in(app, PHONE)
    page = visitor.get(f"/consultation/{closed(practice)}")
    assert "Tongji" in main(page)
    [(address, fields)] = forms(page.text)
    assert (address, fields["slot"]) == (f"/offers/{offer.public_id}/times", slots[0].public_id)
    held = visitor.send(address, fields)
    assert held.status_code == 303
    again = visitor.send(address, fields)
    assert again.location == held.location, "sent twice it is one"
    assert visitor.post(held.location, page=held.location).status_code == 303
    booking = booking_row(held.location.split("/")[2])
    assert (booking.state, booking.beneficiary_id) == (
        BookingState.AWAITING_PROVIDER,
        practice.world.beneficiary.id,
    )


def test_without_a_benefit_that_pays_there_is_the_way_to_all_places(app: Flask, practice: Practice) -> None:
    make_offer(place_name="同济体检中心")
    page = Visitor.signed_in(app, PHONE).get(f"/consultation/{closed(practice)}")
    assert forms(page.text) == []
    assert 'href="/places?benefit=health_check' in page.text


def test_where_nothing_is_free_there_is_the_way_to_all_places(app: Flask, practice: Practice) -> None:
    make_offer(place_name="同济体检中心", slots=0)
    pays(practice)
    page = Visitor.signed_in(app, PHONE).get(f"/consultation/{closed(practice)}")
    assert forms(page.text) == [] and 'href="/places?benefit=health_check' in page.text


def test_another_consultation_is_begun_and_needs_no_time(app: Flask, practice: Practice) -> None:
    page = Visitor.signed_in(app, PHONE).get(f"/consultation/{closed(practice, 'online_consultation')}")
    assert forms(page.text) == [] and 'href="/consultation/new?for=' in page.text
