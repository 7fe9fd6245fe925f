"""Confirmed bookings are looked up one by one where the provider's list is not read: a forgotten one is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest
from sqlalchemy import select

from booking.actors import CLOCK
from booking.calls.breaker import FAILURES, Call
from booking.calls.through import LeftAlone, through
from booking.changes.cancel import cancel
from booking.discrepancies import Discrepancy
from booking.feeds.unreadable import record_rows
from booking.models import Feed
from booking.notices.models import Notification
from booking.reconcile.look_ups import Reached, look_up_due, reached
from booking.reconcile.models import BookingLookUp
from booking.reconcile.run import run_due, run_now
from booking.worker.jobs.every import all_jobs
from booking.worker.jobs.of_provider import LOOK_UPS_SECONDS, RECONCILE_LOOK
from booking.worker.lanes import Lane, Lanes
from marketplace.catalog.models import Provider
from marketplace.core.config import settings
from marketplace.core.database.db import reading, transaction
from providers.adapters.open_protocol import OpenProtocol
from providers.port import ComeBackLater, Confirmed, ProviderError, RetryAfter
from providers.reported import RemoteBooking, UnreadableRow
from tests.books import Books
from tests.people import NOON, TODAY
from tests.world import (
    EIGHT,
    FakeAdapter,
    World,
    booking_row,
    breaker_row,
    connection_to,
    make_slot,
    make_world,
    one_pass,
    set_breaker,
    set_provider,
)

pytestmark = pytest.mark.usefixtures("db")

EVERY = timedelta(minutes=4)
LATER = NOON + timedelta(hours=1)
EVE = EIGHT - timedelta(hours=20)  # noon of the day before the slots
PASSES = 6 * LOOK_UPS_SECONDS
"""Seconds from pass to pass where a test makes hundreds: whatever is reached so is reached by a worker all the more."""
RUBBISH = UnreadableRow("reference.missing", b"{}", "d")


@pytest.fixture
def world() -> World:
    return make_world(quantity=None, slots=4)


@pytest.fixture
def books() -> Books:
    return Books(broken_page=0)


def confirmed(world: World, books: Books, reference: str = "R-1", slot: int = 0) -> str:
    """A booking that both sides have."""
    public_id = world.submit(slot)
    one_pass(world, FakeAdapter(answers=[Confirmed(reference, 1)]), now=NOON)
    at = world.slots[slot]
    books.put(RemoteBooking(reference, public_id, "confirmed", 1, at.service_date, at.starts_at))
    return public_id


def another_day(world: World, days: int) -> int:
    """One more slot, so many days after the others; its number."""
    with transaction() as session:
        slot = make_slot(world.offer.pool_id, EIGHT + timedelta(days=days), 5)
        session.add(slot)
    world.slots.append(slot)
    return len(world.slots) - 1


def compare(world: World, books: Books, now: datetime = LATER) -> None:
    """The comparison that comes first; a list that cannot be read fails it."""
    try:
        run_now(connection_to(world.provider), books, CLOCK, clock=lambda: now)
    except ProviderError:
        assert books.broken_page is not None


def look_up(world: World, books: Any, now: datetime = LATER) -> dict[str, int]:
    return look_up_due(connection_to(world.provider), books, every=EVERY, clock=lambda: now)


def job(world: World, books: Any, now: datetime = LATER) -> dict[str, int]:
    """As the worker does it: through the breaker."""
    known = connection_to(world.provider)
    return through(
        Call.LOOK_UPS, known, lambda: look_up(world, books, now), lambda: now, may_idle=True, chance=lambda: 0.0
    )


def forgotten() -> list[str]:
    with reading() as session:
        open_ones = select(Discrepancy.subject).where(Discrepancy.kind == "ours_only", Discrepancy.closed_at.is_(None))
        return list(session.scalars(open_ones.order_by(Discrepancy.id)))


def notified() -> list[str]:
    with reading() as session:
        return [told.facts["says"] for told in session.scalars(select(Notification)) if "says" in told.facts]


def references(books: Books) -> list[str | None]:
    return [question.reference for question in books.asked if question.reference]


def test_a_booking_that_the_provider_lost_is_found_and_its_customer_notified_though_its_list_breaks_off(
    world: World, books: Books
) -> None:
    lost, known = confirmed(world, books), confirmed(world, books, "R-2", 1)
    del books.rows["R-1"]
    compare(world, books)
    assert forgotten() == []
    assert look_up(world, books) == {"opened": 1, "agrees": 1}
    assert (forgotten(), notified()) == ([lost], ["forgotten"])
    assert booking_row(lost).state == booking_row(known).state == "confirmed"


def test_nothing_is_looked_up_where_the_list_is_read(world: World, books: Books) -> None:
    confirmed(world, books)
    assert look_up(world, books) == {}, "the comparison comes first"
    books.broken_page = None
    compare(world, books)
    assert look_up(world, books, LATER + 2 * EVERY) == {}
    assert look_up(world, books, LATER + 2 * EVERY + timedelta(seconds=1)) == {"agrees": 1}


def test_what_a_provider_that_lists_its_bookings_forgot_is_found_within_five_minutes_and_told(world: World) -> None:
    there = Books()
    public_id = confirmed(world, there)
    compare(world, there)
    del there.rows["R-1"]
    every = timedelta(seconds=settings().reconcile_seconds)
    for second in range(0, 300, RECONCILE_LOOK):
        now = LATER + timedelta(seconds=second)
        run_due(connection_to(world.provider), there, every=every, clock=lambda now=now: now)  # type: ignore[arg-type,misc]
    assert (forgotten(), notified()) == ([public_id], ["forgotten"])


def test_it_is_looked_up_where_a_row_of_the_list_may_be_any_booking(world: World, books: Books) -> None:
    lost = confirmed(world, books)
    confirmed(world, books, "R-2", 1)
    del books.rows["R-1"]
    books.broken_page, books.unreadable = None, [RUBBISH]
    compare(world, books)
    assert forgotten() == []
    look_up(world, books)
    assert forgotten() == [lost]


def test_a_system_that_lists_nothing_is_asked_about_each_booking_and_never_for_a_list(
    world: World, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmed(world, books)
    lanes = Lanes()
    lanes.refresh([connection_to(world.provider)], [])
    assert {f"reconcile:{world.provider.code}", f"look_ups:{world.provider.code}"} <= names(lanes)
    monkeypatch.setattr(OpenProtocol, "capabilities", replace(OpenProtocol.capabilities, list_bookings=False))
    assert f"reconcile:{world.provider.code}" not in names(lanes)
    assert look_up(world, books) == {"agrees": 1}
    lanes.close()


def names(lanes: Lanes) -> set[str]:
    return {each.name for each in all_jobs(lanes, Event())}


def test_the_worker_looks_up_through_the_breaker(world: World, books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = confirmed(world, books)
    books.rows.clear()
    compare(world, books)
    monkeypatch.setattr("marketplace.core.clock.now", lambda: LATER)
    monkeypatch.setattr(Lane, "adapter", lambda _lane, _call: books)
    lanes = Lanes()
    lanes.refresh([connection_to(world.provider)], [])
    (looks,) = [each for each in all_jobs(lanes, Event()) if each.name.startswith("look_ups:")]
    set_breaker(world.provider, Call.LOOK_UPS, failures=FAILURES, opened_at=NOON, open_until=LATER + EVERY)
    with pytest.raises(LeftAlone):
        looks.work()
    set_breaker(world.provider, Call.LOOK_UPS, failures=0, opened_at=None, open_until=None)
    looks.work()
    assert forgotten() == [lost]
    lanes.close()


def test_the_nearest_day_comes_first(world: World, books: Books) -> None:
    far = confirmed(world, books, "far", another_day(world, 9))
    confirmed(world, books, "near", 0)
    confirmed(world, books, "next", another_day(world, 1))
    compare(world, books, EVE)
    look_up(world, books, EVE)
    assert references(books) == ["near", "next", "far"]
    assert booking_row(far).state == "confirmed"


def test_the_rate_bounds_the_requests_of_a_minute_also_where_a_look_up_takes_two(world: World, books: Books) -> None:
    set_provider(world.provider, look_ups_a_minute=5)
    for number in range(4):
        confirmed(world, books, f"R-{number}", number)
    books.rows.clear()
    compare(world, books)
    look_up(world, books)
    assert len(books.asked) == 4
    look_up(world, books, LATER + timedelta(seconds=59))
    assert len(books.asked) == 4
    look_up(world, books, LATER + timedelta(seconds=60))
    assert len(books.asked) == 8


def test_tomorrows_lost_bookings_are_all_found_within_a_quarter_of_an_hour_while_there_are_many_others(
    world: World, books: Books
) -> None:
    set_provider(world.provider, look_ups_a_minute=4)
    lost = [confirmed(world, books, f"R-{number}", number) for number in range(4)]
    for day in range(2, 10):
        confirmed(world, books, f"L-{day}", another_day(world, day))
    compare(world, books, EVE)
    for second in range(0, 1800, PASSES):
        look_up(world, books, EVE + timedelta(seconds=second))
    assert forgotten() == []
    for number in range(4):
        del books.rows[f"R-{number}"]
    gone = EVE + timedelta(seconds=1800)
    for second in range(0, 900, PASSES):
        look_up(world, books, gone + timedelta(seconds=second))
    assert sorted(forgotten()) == sorted(lost)


def test_a_later_day_is_looked_up_less_often(world: World, books: Books) -> None:
    confirmed(world, books, "near", 0)
    confirmed(world, books, "week", another_day(world, 3))
    confirmed(world, books, "far", another_day(world, 20))
    compare(world, books, EVE)
    for minute in range(0, 6 * 60 + 1, 10):
        look_up(world, books, EVE + timedelta(minutes=minute))
    asked = references(books)
    assert (asked.count("near"), asked.count("week"), asked.count("far")) == (37, 7, 2)


def test_a_silent_answer_is_not_absence_and_is_asked_for_again_soon(world: World, books: Books) -> None:
    confirmed(world, books)
    compare(world, books)
    books.rows.clear()
    books.silent = True
    assert look_up(world, books) == {"failed": 1}
    assert forgotten() == [] and notified() == []
    assert look_up(world, books, LATER + timedelta(minutes=2)) == {}
    books.silent = False
    assert look_up(world, books, LATER + timedelta(minutes=3)) == {"opened": 1}


def test_what_the_provider_may_still_commit_is_not_lost_and_is_asked_for_again_soon(world: World, books: Books) -> None:
    set_provider(world.provider, settle_window_seconds=3_700)
    confirmed(world, books)
    books.rows.clear()
    compare(world, books)
    assert look_up(world, books) == {"unsettled": 1}
    assert look_up(world, books, LATER + timedelta(minutes=3)) == {"opened": 1}


def test_a_pass_ends_with_the_first_look_up_that_is_not_answered(world: World, books: Books) -> None:
    for number in range(3):
        confirmed(world, books, f"R-{number}", number)
    compare(world, books)
    books.silent = True
    look_up(world, books)
    assert len(books.asked) == 2, "by the reference, then by our number"


def test_an_unreadable_row_about_a_booking_is_not_its_absence(world: World, books: Books) -> None:
    public_id = confirmed(world, books)
    row = replace(RUBBISH, reference="R-1")
    record_rows(world.provider.id, Feed.BOOKINGS, [row], now=LATER)
    books.rows.clear()
    compare(world, books)
    assert look_up(world, books) == {}
    assert forgotten() == [] and booking_row(public_id).state == "confirmed"


def test_a_booking_with_a_command_on_its_way_is_not_looked_up(world: World, books: Books) -> None:
    public_id = confirmed(world, books)
    cancel(world.principal, public_id, now=NOON)
    compare(world, books)
    assert look_up(world, books) == {} and books.asked == []


def test_a_day_that_is_over_is_not_looked_up(world: World, books: Books) -> None:
    confirmed(world, books)
    after = EIGHT + timedelta(days=1)
    compare(world, books, after)
    assert look_up(world, books, after) == {} and books.asked == []


def test_one_that_is_known_there_again_is_no_case_any_more(world: World, books: Books) -> None:
    confirmed(world, books)
    row = books.rows.pop("R-1")
    compare(world, books)
    look_up(world, books)
    assert len(forgotten()) == 1
    books.put(row)
    look_up(world, books, LATER + timedelta(hours=6))
    assert forgotten() == []


def test_a_provider_that_asks_for_a_pause_is_left_alone_for_it(world: World, books: Books) -> None:
    confirmed(world, books)
    compare(world, books)
    busy = FakeAdapter(found=[RetryAfter(120)])
    with pytest.raises(ComeBackLater):
        job(world, busy)
    with pytest.raises(LeftAlone):
        job(world, books, LATER + timedelta(seconds=119))
    assert books.asked == [] and breaker_row(world.provider, Call.LOOK_UPS)[0] == 0, "no failure"
    assert job(world, books, LATER + timedelta(minutes=3)) == {"agrees": 1}


def test_look_ups_that_fail_open_a_breaker_of_their_own_which_one_answer_closes(world: World, books: Books) -> None:
    confirmed(world, books)
    compare(world, books)
    away = FakeAdapter(found=[RetryAfter(5, reached=False)] * FAILURES)
    now = LATER
    for _ in range(FAILURES):
        with pytest.raises(ProviderError):
            job(world, away, now)
        now += timedelta(minutes=3)
    now -= timedelta(minutes=3)
    assert breaker_row(world.provider, Call.LOOK_UPS)[0] == FAILURES
    assert breaker_row(world.provider, Call.COMMANDS) == breaker_row(world.provider, Call.BOOKINGS) == (0, None, None)
    with pytest.raises(LeftAlone):
        job(world, books, now + timedelta(seconds=14))
    assert job(world, books, now + timedelta(minutes=3)) == {"agrees": 1}
    assert breaker_row(world.provider, Call.LOOK_UPS) == (0, None, None)


def test_one_booking_that_is_never_answered_for_keeps_no_other_from_being_looked_up(world: World, books: Books) -> None:
    confirmed(world, books, "R-0", 0)
    for number in range(1, 4):
        confirmed(world, books, f"R-{number}", number)
    books.put(replace(books.rows["R-0"], our_reference="another's"))  # each look-up of it says nothing
    compare(world, books, EVE)
    for second in range(0, 3_600, PASSES):
        job(world, books, EVE + timedelta(seconds=second))
    assert all(references(books).count(f"R-{number}") >= 6 for number in range(1, 4))
    assert breaker_row(world.provider, Call.LOOK_UPS)[0] < FAILURES


def test_the_last_answer_is_recorded_and_a_silent_one_is_none(world: World, books: Books) -> None:
    confirmed(world, books)
    compare(world, books)
    look_up(world, books)
    books.silent = True
    again = LATER + timedelta(hours=7)
    look_up(world, books, again)
    with reading() as session:
        row = session.scalars(select(BookingLookUp)).one()
    assert (row.asked_at, row.answered_at, row.calls) == (again, LATER, 2)


def test_the_interval_reached_is_counted_for_the_next_days_and_for_later_ones(world: World, books: Books) -> None:
    confirmed(world, books, "R-0", 0)
    confirmed(world, books, "R-1", 1)
    confirmed(world, books, "far", another_day(world, 9))
    compare(world, books, EVE)
    set_provider(world.provider, look_ups_a_minute=2)
    look_up(world, books, EVE)
    with reading() as session:
        provider = session.get_one(Provider, world.provider.id)
        near, later = reached(session, provider, TODAY + timedelta(days=7))
    assert (near, later) == (Reached(2, EVE, 1), Reached(1, None, 1))
