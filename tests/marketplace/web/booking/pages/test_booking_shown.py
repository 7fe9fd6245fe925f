"""A booking on its page and in the list: its state in words, live, cancelled."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from booking.actors import CLOCK
from booking.hold.submit import submit
from booking.states import BookingState
from booking.transition import lock_booking, move
from marketplace.core import clock
from marketplace.core.database.db import transaction
from tests.marketplace.web.booking.pages.walking import held, times_url
from tests.marketplace.web.surfer import Surfer, surfer, text_of
from tests.people import NOON, give, make_customer
from tests.world import EIGHT, World, booking_row, taken


def test_the_live_part_answers_304_until_something_moves(browser: Surfer, world: World) -> None:
    booking = held(browser, world)
    shown = browser.get(f"/bookings/{booking}/live")
    same = browser.get(f"/bookings/{booking}/live", headers={"If-None-Match": shown.headers["ETag"]})
    submit(world.principal, booking, now=NOON)
    moved = browser.get(f"/bookings/{booking}/live", headers={"If-None-Match": shown.headers["ETag"]})
    assert [shown.status_code, same.status_code, moved.status_code] == [200, 304, 200]
    assert same.get_data() == b""
    assert "Waiting for the hospital" in text_of(moved)


def test_the_page_carries_the_tag_that_its_live_part_answers(browser: Surfer, world: World) -> None:
    booking = held(browser, world)
    tag = browser.get(f"/bookings/{booking}/live").headers["ETag"]
    assert f'data-etag="{tag.replace(chr(34), "&#34;")}"' in browser.get(f"/bookings/{booking}").get_data(as_text=True)


def test_the_home_ticket_answers_304_while_nothing_moves(browser: Surfer, world: World) -> None:
    held(browser, world)
    shown = browser.get("/live")
    assert browser.get("/live", headers={"If-None-Match": shown.headers["ETag"]}).status_code == 304


def to(booking: str, *states: BookingState, **values: Any) -> None:
    """Move a booking as the worker would."""
    with transaction() as session:
        row, _tasks = lock_booking(session, booking_row(booking).id)
        for state in states:
            move(session, row, state, actor=CLOCK, now=NOON)
        for name, value in values.items():
            setattr(row, name, value)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ([], "The hospital's turn"),
        ([BookingState.OUTCOME_UNKNOWN], "Your time and your benefit are reserved, so don't book again"),
        ([BookingState.CONFIRMED], "Confirmed by the hospital: 10 March, 08:00"),
        ([BookingState.REJECTED], "The hospital can't take this booking"),
        ([BookingState.CONFIRMED, BookingState.CHECKED_IN], "The hospital's staff will call you"),
        ([BookingState.CONFIRMED, BookingState.IN_SERVICE], "The check is under way"),
        ([BookingState.CONFIRMED, BookingState.NO_SHOW], "No visit was recorded"),
        ([BookingState.CONFIRMED, BookingState.FULFILLED], "The hospital is writing the report"),
        ([BookingState.CANCELLED], "We cancelled this booking"),
        ([BookingState.ENTERED_IN_ERROR], "This booking was entered in error"),
    ],
)
def test_every_state_is_told_in_words(browser: Surfer, world: World, path: list[BookingState], told: str) -> None:
    booking = world.submit(0)
    to(booking, *path)
    assert told in text_of(browser.get(f"/bookings/{booking}"))
    assert browser.get("/").status_code == browser.get("/bookings").status_code == 200


def test_cancelling_tells_the_consequence_first(browser: Surfer, world: World) -> None:
    booking = world.submit(0)
    to(booking, BookingState.CONFIRMED)
    sheet = text_of(browser.get(f"/bookings/{booking}/cancel"))
    assert "Cancel the booking on 10 March?" in sheet
    assert "One use of your benefit comes back" in sheet
    answer = browser.post(f"/bookings/{booking}/cancel")
    assert answer.location == f"/bookings/{booking}"
    page = text_of(browser.get(f"/bookings/{booking}"))
    assert "Your cancellation is with the hospital" in page or "You cancelled this booking" in page


def test_a_page_that_only_its_head_is_asked_of_does_nothing(browser: Surfer, world: World) -> None:
    booking = world.submit()
    head = browser.client.head(f"/bookings/{booking}/cancel")
    assert (head.status_code, head.data) == (200, b"")
    assert booking_row(booking).state == "awaiting_provider"


def test_too_late_to_cancel_says_until_when_it_was(browser: Surfer, world: World) -> None:
    booking = world.submit(0)
    to(booking, BookingState.CONFIRMED)
    with clock.frozen(EIGHT):
        answer = browser.post(f"/bookings/{booking}/cancel")
    assert answer.status_code == 409
    assert "Online cancellation closed on" in text_of(answer)
    assert booking_row(booking).state is BookingState.CONFIRMED


def test_a_held_time_is_given_back_and_the_times_are_shown_again(browser: Surfer, world: World) -> None:
    booking = held(browser, world)
    answer = browser.post(f"/bookings/{booking}/cancel")
    assert str(answer.location).startswith(times_url(world))
    assert "The time was given back" in text_of(browser.get(str(answer.location)))
    assert taken(world.slots[0]) == 0


def test_the_list_leaves_out_what_was_never_submitted(browser: Surfer, world: World) -> None:
    held(browser, world)
    second = held(browser, world, 1)
    page = browser.get("/bookings").get_data(as_text=True)
    assert page.count("/bookings/bkg_") == 1
    assert f"/bookings/{second}" in page


def test_an_empty_list_says_what_could_be_booked(browser: Surfer) -> None:
    page = text_of(browser.get("/bookings"))
    assert "You have 2 of Health check left, until 31 December." in page


@pytest.mark.parametrize("part", ["", "/live", "/confirm", "/cancel"])
def test_somebody_elses_booking_is_not_there(app: Flask, world: World, part: str) -> None:
    booking = world.submit(0)
    stranger = make_customer("13800000029")
    give(stranger)
    browser = surfer(app, "13800000029")
    assert browser.get(f"/bookings/{booking}{part}").status_code == 404
    if part in ("/confirm", "/cancel"):
        assert browser.post(f"/bookings/{booking}{part}").status_code == 404
    assert booking_row(booking).state is BookingState.AWAITING_PROVIDER
