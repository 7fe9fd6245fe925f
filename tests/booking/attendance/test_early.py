"""What a provider tells of a visit before its day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from booking.attendance.early import CHECK_IN_EARLY, last_early, too_early
from booking.attendance.no_show import call_no_shows
from booking.discrepancies import EXPLAINED, Discrepancy, close_discrepancy, open_discrepancy
from booking.exchange.follow import follow_state
from booking.exchange.inbound import apply_remote
from booking.exchange.provider_bookings import ProviderBookings
from booking.feeds.cursors import done
from booking.transition import lock_booking
from marketplace.core.database.db import reading, transaction
from providers.port import Accepted, Confirmed, Unknown
from tests.people import NOON, counters
from tests.world import EIGHT, FakeAdapter, World, booking_row, history, make_world, one_pass, remote

pytestmark = pytest.mark.usefixtures("db")

MIDNIGHT = datetime(2026, 3, 9, 16, 0, tzinfo=UTC)  # 10 March begins in Hangzhou
A_SECOND = timedelta(seconds=1)


def confirmed() -> tuple[World, str]:
    world = make_world(quantity=1)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    return world, public_id


def tell(world: World, public_id: str, status: str, version: int, now: datetime) -> None:
    with transaction() as session:
        apply_remote(session, world.provider.id, remote(public_id, status, version), now=now)


def state(public_id: str) -> str:
    return booking_row(public_id).state.value


def cases() -> list[tuple[str, str]]:
    with reading() as session:
        rows = session.scalars(select(Discrepancy).order_by(Discrepancy.id))
        return [(row.kind, row.resolution or "open") for row in rows]


@pytest.mark.parametrize(("status", "begins"), [("in_service", MIDNIGHT), ("fulfilled", MIDNIGHT), ("no_show", EIGHT)])
def test_a_visit_is_believed_from_midnight_at_the_site_and_its_absence_from_its_time_on(
    status: str, begins: datetime
) -> None:
    world, public_id = confirmed()
    tell(world, public_id, status, 2, begins - A_SECOND)
    assert (state(public_id), cases()) == ("confirmed", [("too_early", "open")])
    assert counters(world.entitlement.id)["reserved"] == 1
    tell(world, public_id, status, 3, begins)
    assert (state(public_id), cases()) == (status, [("too_early", "corrected_by_provider")])


def test_what_is_said_of_a_whole_day_is_believed_from_midnight_at_the_site_on() -> None:
    day = EIGHT.date()
    for status in ("fulfilled", "no_show"):
        assert too_early(status, day, None, "Asia/Shanghai", MIDNIGHT - A_SECOND)
        assert not too_early(status, day, None, "Asia/Shanghai", MIDNIGHT)


def test_a_check_in_is_believed_from_the_evening_before_on() -> None:
    world, public_id = confirmed()
    tell(world, public_id, "checked_in", 2, MIDNIGHT - CHECK_IN_EARLY - A_SECOND)
    assert (state(public_id), cases()) == ("confirmed", [("too_early", "open")])
    tell(world, public_id, "checked_in", 3, MIDNIGHT - CHECK_IN_EARLY)
    assert (state(public_id), cases()) == ("checked_in", [("too_early", "corrected_by_provider")])


def test_who_was_checked_in_the_evening_before_is_not_served_before_the_day() -> None:
    world, public_id = confirmed()
    tell(world, public_id, "checked_in", 2, MIDNIGHT - A_SECOND)
    tell(world, public_id, "fulfilled", 3, MIDNIGHT - A_SECOND)
    assert (state(public_id), cases()) == ("checked_in", [("too_early", "open")])


def test_what_is_told_too_early_still_says_that_the_provider_has_the_booking() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    tell(world, public_id, "fulfilled", 2, NOON)
    assert history(public_id)[-1] == "confirmed" and cases() == [("too_early", "open")]


def test_a_look_up_is_believed_no_earlier_than_a_message() -> None:
    world = make_world()
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[remote(public_id, "no_show", 4)])
    one_pass(world, adapter, now=NOON)
    one_pass(world, adapter, now=NOON + timedelta(minutes=1))
    assert (state(public_id), cases()) == ("confirmed", [("too_early", "open")])


def test_what_a_person_has_explained_is_not_opened_again_by_the_same_report() -> None:
    world, public_id = confirmed()
    tell(world, public_id, "fulfilled", 2, NOON)
    with transaction() as session:
        close_discrepancy(session, world.provider.id, "too_early", "R-1", EXPLAINED, now=NOON)
        booking, _ = lock_booking(session, booking_row(public_id).id)
        theirs = ProviderBookings(session, booking)
        follow_state(session, booking, theirs, remote(public_id, "fulfilled", 2), NOON)
    assert (state(public_id), cases()) == ("confirmed", [("too_early", EXPLAINED)])
    tell(world, public_id, "confirmed", 3, NOON)
    assert cases() == [("too_early", EXPLAINED)], "what a person closed is not closed again"


def test_a_provider_that_takes_its_word_back_has_explained_it() -> None:
    world, public_id = confirmed()
    tell(world, public_id, "no_show", 2, NOON)
    tell(world, public_id, "confirmed", 3, NOON)
    assert (state(public_id), cases()) == ("confirmed", [("too_early", "corrected_by_provider")])


def test_the_clock_calls_no_no_show_while_a_person_has_to_look_at_what_was_told() -> None:
    world, public_id = confirmed()
    tell(world, public_id, "fulfilled", 2, NOON)
    late = EIGHT + timedelta(days=2)
    done(world.provider.id, "bookings", "c", now=late)
    assert call_no_shows(now=late) == 0
    tell(world, public_id, "confirmed", 3, late)
    assert call_no_shows(now=late) == 1


def test_a_discrepancy_of_another_kind_stops_no_no_show() -> None:
    world, public_id = confirmed()
    booking, late = booking_row(public_id), EIGHT + timedelta(days=2)
    with transaction() as session:
        open_discrepancy(
            session, world.provider.id, "state_differs", public_id, now=NOON, booking_id=booking.id, facts={}
        )
    done(world.provider.id, "bookings", "c", now=late)
    assert call_no_shows(now=late) == 1


def test_what_came_too_early_of_one_reference_is_told_apart_from_other_discrepancies_of_it() -> None:
    world, public_id = confirmed()
    tell(world, public_id, "fulfilled", 2, NOON)
    with transaction() as session:
        open_discrepancy(session, world.provider.id, "cancel_refused", "R-1", now=NOON, facts={})
        found = last_early(session, booking_row(public_id), "R-1")
        assert found is not None and found.kind == "too_early"
