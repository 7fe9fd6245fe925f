"""An escort is booked for a hospital: from the hospital to the provider's desk, and what is said where it can't be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine, select

from booking.changes.reschedule import reschedule
from booking.hold.submit import submit
from booking.models import Booking
from booking.states import BookingState
from marketplace.app import create_app
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from providers.port import Confirmed
from tests.escorts import ANSWERS, KIND, PHONE, EscortWorld, close, cover, make_escorts, put
from tests.marketplace.web.visitors import Visitor, main, words
from tests.people import NOON
from tests.world import DAY, FakeAdapter, booking_row, make_slot, one_pass

NAME = "Hangzhou Shifan General Hospital"
FORM = {f"details.{name}": "1" if value is True else str(value) for name, value in ANSWERS.items()}


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    return create_app()


@pytest.fixture
def now(db: Engine) -> Iterator[None]:
    with clock.frozen(NOON):
        yield


def times_of(made: EscortWorld) -> str:
    return f"/offers/{made.world.offer.public_id}/times?venue={made.venue.public_id}"


def send(visitor: Visitor, made: EscortWorld, csrf_page: str = "", **changes: str):  # type: ignore[no-untyped-def]
    page = times_of(made)
    chosen = {"slot": made.world.slots[1].public_id, "venue": made.venue.public_id, "idempotency_key": "k1"}
    fields = {**visitor.hidden(csrf_page or page), **chosen, **FORM, **changes}
    return visitor.send(page.partition("?")[0], {name: value for name, value in fields.items() if value})


@pytest.mark.usefixtures("now")
def test_from_the_hospital_to_a_confirmed_booking(app: Flask) -> None:
    made = make_escorts()
    visitor = Visitor.signed_in(app, PHONE)
    there = visitor.get(f"/sites/{made.venue.public_id}/packages?benefit={KIND}")
    assert there.headers["Location"].startswith(f"/sites/{made.venue.public_id}/services?benefit={KIND}")
    there = visitor.get(there.headers["Location"])
    assert there.status_code == 303 and made.venue.public_id in there.headers["Location"], "one service: its times"
    page = visitor.get(there.headers["Location"])
    assert NAME in page.text and "08:00" in page.text
    assert 'name="details.contact_name"' in page.text and 'value="沈静宜"' in page.text, "she is whom to call"
    held = send(visitor, made)
    assert held.status_code == 303, main(held)
    confirm = visitor.get(held.headers["Location"])
    said = main(confirm)
    assert NAME in said and "心内科" in said and "In a wheelchair" in said
    assert "安澜终身寿险" in said or "Anlan Whole Life" in said, "by which policy, and that it stands"
    booking = held.headers["Location"].split("/")[2]
    visitor.post(f"/bookings/{booking}/confirm", page=held.headers["Location"])
    assert booking_row(booking).state is BookingState.AWAITING_PROVIDER
    one_pass(made.world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    for path in ("/bookings", f"/bookings/{booking}"):
        assert NAME in visitor.get(path).text, path
    shown = main(visitor.get(f"/bookings/{booking}"))
    assert "Bring earlier papers" in shown and "In a wheelchair" in shown
    assert "13900000099" in shown, "she sees what she told"
    assert "文溪路" in visitor.get(f"/bookings/{booking}/calendar.ics").text


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_is_missing_is_marked_and_nothing_typed_is_lost(app: Flask, language: str) -> None:
    made = make_escorts()
    visitor = Visitor.signed_in(app, PHONE, language)
    answer = send(visitor, made, **{"details.department": "", "details.note": "请在三号门等"})
    assert answer.status_code == 422
    assert 'value="请在三号门等"' in answer.text and 'value="13900000099"' in answer.text
    assert re.search(r'id="f-details.department"[^>]*aria-invalid="true"', answer.text)
    assert re.search(r'value="wheelchair" checked', answer.text)
    with reading() as session:
        assert session.scalars(select(Booking)).all() == []


@pytest.mark.usefixtures("now")
def test_the_page_of_a_hospital_says_every_reason_and_what_would_help(app: Flask) -> None:
    made = make_escorts(level=None, policy=False)
    page = main(Visitor.signed_in(app, PHONE).get(f"/sites/{made.venue.public_id}/services?benefit={KIND}"))
    assert "We know of no policy that gives this" in page and "Choose a place in another city" in page
    refused = send(Visitor.signed_in(app, PHONE), made, csrf_page="/me")
    assert refused.status_code in (403, 409) and "We know of no policy" in main(refused)


def add_day(made: EscortWorld, later: int, places: int = 5) -> date:
    """Another day with a time."""
    slot = made.world.slots[0]
    day = DAY + timedelta(days=later)
    with transaction() as session:
        assert slot.starts_at is not None
        session.add(make_slot(slot.pool_id, slot.starts_at + timedelta(days=later), places))
    return day


@pytest.mark.usefixtures("now")
def test_her_page_says_that_whoever_is_sent_is_told_and_takes_it_back(app: Flask) -> None:
    made = make_escorts()
    person = made.world.beneficiary.public_id
    visitor = Visitor.signed_in(app, PHONE)
    consent = f"/me/family/{person}/consent"
    assert visitor.get(consent).status_code == 404, "nothing was agreed to, and she needs no consent to her own reports"
    made.hold()
    assert "Agreed that whoever is sent is told" in main(visitor.get("/me")) and consent in visitor.get("/me").text
    page = visitor.get(consent)
    assert "No longer tell" in main(page) and "Mobile number of this person" not in main(page)
    ended = visitor.post(f"{consent}/end", page=consent, purpose="dispatch")
    assert ended.status_code == 303 and ended.headers["Location"] == "/me"
    me = visitor.get("/me").text
    assert "is no longer shown to whoever is sent" in me and "Agreed that whoever" not in me
    assert visitor.get(consent).status_code == 404


@pytest.mark.usefixtures("now")
def test_nobody_is_sent_to_a_waiting_list_that_refuses(app: Flask) -> None:
    made = make_escorts()
    full = add_day(made, 1, places=0)
    page = Visitor.signed_in(app, PHONE).get(times_of(made))
    assert re.search(rf'value="{full}"[^>]* disabled', page.text), "the day is full"
    assert "wait for a place" not in page.text and f"{made.world.offer.public_id}/wait" not in page.text


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("bad", ["closed", "not covered yet"])
def test_one_bad_day_says_why_and_hides_no_other_day(app: Flask, bad: str) -> None:
    made = make_escorts(level="covered" if bad == "closed" else None)
    good = add_day(made, 2)
    if bad == "closed":
        close(made, DAY)
    else:
        cover("covered", since=good)
    visitor = Visitor.signed_in(app, PHONE)
    there = visitor.get(f"/sites/{made.venue.public_id}/services?benefit={KIND}")
    assert there.status_code == 303, "somebody can be sent there: the times of the only service"
    why = "closed on" if bad == "closed" else "Choose a place in another city"
    first = visitor.get(there.headers["Location"])
    assert re.search(rf'value="{good}"[^>]* checked', first.text) and why not in main(first), "the first good day"
    page = visitor.get(f"{times_of(made)}&day={DAY}")
    assert why in main(page), "beside the times of that day"
    assert 'name="details.contact_name"' in page.text and f"day={good}" in page.text
    held = send(visitor, made)
    assert held.status_code == 409 and why in main(held)
    assert why not in main(visitor.get(f"{times_of(made)}&day={good}"))


@pytest.mark.usefixtures("now")
def test_a_hospital_that_is_not_there_or_not_named(app: Flask) -> None:
    made = make_escorts()
    visitor = Visitor.signed_in(app, PHONE)
    assert visitor.get(f"/sites/{made.venue.public_id}/services?benefit=health_check").status_code == 404
    assert visitor.get(f"/sites/sit_0v8m5r2k7c1x9d4t6b3n/services?benefit={KIND}").status_code == 404
    unnamed = visitor.get(f"/offers/{made.world.offer.public_id}/times")
    assert unnamed.status_code == 303 and unnamed.headers["Location"].startswith(f"/places?benefit={KIND}")


@pytest.mark.usefixtures("now")
def test_a_change_says_before_the_tap_whether_it_is_at_once_asked_for_or_refused(app: Flask) -> None:
    made = make_escorts(allotment=True, slots=50, policy=False)
    put(until=DAY + timedelta(days=1))
    cover("on_request", since=DAY + timedelta(days=1))
    booking = made.hold()
    submit(made.world.principal, booking, now=NOON)
    one_pass(made.world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    visitor = Visitor.signed_in(app, PHONE)
    cancel, change = f"/bookings/{booking}/cancel", f"/bookings/{booking}/change"
    assert "has to agree" not in main(visitor.get(cancel))
    check = f"{change}/check?slot="
    assert "It is changed at once" in main(visitor.get(check + made.world.slots[1].public_id))
    asked = visitor.get(check + made.world.slots[24].public_id)
    assert "Your present date stays until" in main(asked)
    none = visitor.get(check + made.world.slots[48].public_id)
    assert none.headers["Location"].startswith(change) and "policy" in words(visitor.get(change))
    reschedule(made.world.principal, booking, made.world.slots[24].public_id, now=NOON)
    assert "has to agree" in main(visitor.get(cancel)), "it is not the booking's date alone any more"
