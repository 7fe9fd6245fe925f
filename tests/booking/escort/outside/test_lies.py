"""A provider that says what is not so, or takes it back: what that may not cost the customer, nor hold up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from booking.answering.answer import report
from booking.attendance.no_show import call_no_shows, no_show_after
from booking.changes.reschedule import reschedule
from booking.discrepancies import Discrepancy
from booking.escort.after.confirm import ask_customers, complete_silent
from booking.escort.after.lost import LOST_AFTER, UNHEARD_FOR, end_lost, somebody_was_to_come
from booking.escort.models import EscortAssignment, EscortWorker
from booking.escort.outside import listen, people
from booking.escort.outside.listen import HELD_UP
from booking.escort.outside.visit import Visit
from booking.models import Booking, Slot
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Busy
from providers.port import Confirmed, ProviderError
from providers.reported import EscortLine
from tests.booking.answering.desk import said
from tests.booking.escort.outside.stage import (
    ENDS,
    HE,
    LIN,
    Outside,
    assigned,
    came_of,
    deeds,
    line,
    listening,
    make_outside,
    open_cases,
    state,
    unreadable,
)
from tests.people import NOON
from tests.world import EIGHT, booking_row, one_pass, set_provider

pytestmark = pytest.mark.usefixtures("db")

LATER = EIGHT + timedelta(days=6)
"""When the time begins to which a booking is moved."""


def later(minutes: float) -> datetime:
    """So long after the beginning."""
    return EIGHT + timedelta(minutes=minutes)


def coming(it: Outside) -> str:
    """A firm booking to which HE is named."""
    booking = it.book()
    it.says(assigned(booking))
    it.read(NOON)
    return booking


def arrived(booking: str, seq: int = 2) -> EscortLine:
    """She stands there."""
    return line(booking, seq, "arrived", position="within", accuracy_m=10)


def time_at(start: datetime) -> str:
    """The public id of the slot that begins then."""
    with reading() as session:
        return session.scalars(select(Slot.public_id).where(Slot.starts_at == start)).one()


def no_show_hours(it: Outside) -> int:
    """So long after the end a no-show is called."""
    with reading() as session:
        return session.get_one(Provider, it.provider_id).no_show_hours


def closed_by_a_person(kind: str, now: datetime) -> None:
    """A person has looked at it and written a note."""
    with transaction() as session:
        session.execute(
            update(Discrepancy)
            .where(Discrepancy.kind == kind, Discrepancy.closed_at.is_(None))
            .values(closed_at=now, resolution="explained")
        )


def test_what_a_person_has_closed_is_not_opened_again_by_the_same_status() -> None:
    it = make_outside()
    booking = coming(it)
    it.says(line(booking, 2, "met"))
    it.status(booking, "fulfilled", 3, now=later(90))
    it.read(later(91))
    assert open_cases() == ["escort_end_unproved"]
    assert ask_customers(now=later(92)) == 1
    closed_by_a_person("escort_end_unproved", later(100))
    it.read(later(110))
    assert open_cases() == []
    assert complete_silent(now=later(93) + timedelta(hours=24)) == 1
    assert state(booking) == "fulfilled"


def test_no_show_is_for_a_person_where_a_line_could_not_be_used_by_status() -> None:
    it = make_outside()
    booking = coming(it)
    it.says(arrived(booking))
    it.says(line(booking, 3, "met", escort=LIN.code))
    it.status(booking, "no_show", 3, now=later(60))
    it.read(later(61))
    assert (state(booking), "escort_end_unproved" in open_cases()) == ("confirmed", True)


def test_no_show_is_for_a_person_where_a_line_could_not_be_used_by_clock() -> None:
    it = make_outside()
    booking = coming(it)
    it.says(arrived(booking))
    it.says(line(booking, 3, "met", escort=LIN.code))
    over = ENDS + timedelta(days=3)
    it.read(over)
    end_lost(now=over)
    assert (state(booking), "escort_lost" in open_cases()) == ("confirmed", True)


def test_no_show_waits_on_a_date_that_is_being_given_up() -> None:
    it = make_outside(firm=False)
    booking = it.book()
    it.status(booking, "confirmed", 2, now=NOON)
    it.says(assigned(booking))
    it.read(NOON)
    reschedule(it.made.world.principal, booking, time_at(LATER), now=NOON)
    it.says(arrived(booking))
    it.status(booking, "no_show", 3, now=later(60))
    it.read(later(61))
    assert (state(booking), booking_row(booking).starts_at) == ("confirmed", EIGHT)


def test_done_before_it_began_says_nothing_of_the_date_to_which_it_is_moved() -> None:
    it = make_outside()
    booking = coming(it)
    early = later(-470)
    it.status(booking, "fulfilled", 3, now=early)
    it.read(early)
    with transaction() as session:  # the offer lets it be moved on the day
        row = session.get_one(Booking, booking_row(booking).id)
        row.snapshot = {**row.snapshot, "change_hours": 1}
    reschedule(it.made.world.principal, booking, time_at(LATER), now=later(-400))
    it.there.answers = [Confirmed(f"R-{booking}", 4)]
    one_pass(it.made.world, it.there, now=later(-399))
    assert booking_row(booking).starts_at == LATER
    assert ask_customers(now=later(-300)) == 0
    it.read(LATER + LOST_AFTER)
    end_lost(now=LATER + LOST_AFTER)
    assert state(booking) == "cancelled"


def test_done_that_is_said_before_it_began_counts_from_its_beginning() -> None:
    it = make_outside()
    booking = coming(it)
    it.status(booking, "fulfilled", 3, now=later(-60))
    it.read(later(-60))
    assert ask_customers(now=later(-1)) == 0
    it.read(later(1))
    assert listening(booking).over_at == later(1)
    assert ask_customers(now=later(2)) == 1


def test_done_that_is_taken_back_leaves_the_clock_to_decide() -> None:
    it = make_outside()
    booking = coming(it)
    it.status(booking, "fulfilled", 3, now=later(5))
    it.read(later(6))
    it.status(booking, "confirmed", 4, now=later(7))
    over = ENDS + timedelta(days=3)
    it.read(over)
    end_lost(now=over)
    assert state(booking) == "cancelled"


def test_a_line_without_a_number_leaves_it_to_a_person() -> None:
    it = make_outside()
    booking = coming(it)
    over = ENDS + timedelta(days=3)
    it.tell(line(booking, 9, "note", words="后"), now=NOON)  # an event alone: the list has nothing more
    nameless = replace(unreadable(booking, None), our_reference=None)
    it.there.also = [nameless]
    it.read(over)
    end_lost(now=over)
    assert (state(booking), "escort_lost" in open_cases()) == ("confirmed", True)


def test_a_line_that_names_another_booking_leaves_it_to_a_person() -> None:
    it = make_outside()
    booking, other = coming(it), it.book(1)
    it.read(NOON)
    it.says(line(booking, 2, "met", our_reference=other))
    over = ENDS + timedelta(days=3)
    it.read(over)
    assert (came_of(booking), deeds(other)) == (["named"], [])
    end_lost(now=over)
    assert (state(booking), state(other), "escort_lost" in open_cases()) == ("confirmed", "cancelled", True)


def test_a_provider_that_goes_back_to_its_desk_says_there_what_was_done() -> None:
    it = make_outside()
    booking = it.book()
    it.read(NOON)
    set_provider(it.made.world.provider, adapter="desk")
    report(said(it.made.world, booking), "checked_in", now=later(1))
    assert state(booking) == "checked_in"


def test_a_list_that_is_read_no_more_is_for_a_person_a_day_later() -> None:
    it = make_outside()
    booking = coming(it)
    it.there.broken["*"] = ProviderError("down")
    called = no_show_after(booking_row(booking), no_show_hours(it))
    end_lost(now=called + UNHEARD_FOR - timedelta(seconds=1))
    assert open_cases() == []
    end_lost(now=called + UNHEARD_FOR)
    assert (state(booking), open_cases()) == ("confirmed", ["escort_lost"])


def test_one_list_that_is_never_read_lets_neither_status_nor_silence_decide() -> None:
    it = make_outside()
    booking, other = it.book(), it.book(1)
    it.there.broken[f"R-{booking}"] = ProviderError("not this one")
    it.read(NOON)
    assert listening(other).read_at is not None
    it.status(booking, "fulfilled", 3, now=later(90))
    assert state(booking) == "confirmed"
    over = ENDS + timedelta(days=4)
    assert call_no_shows(now=over, spared=somebody_was_to_come()) == 0
    end_lost(now=over)
    assert (state(booking), "escort_lost" in open_cases()) == ("confirmed", True)


def test_who_has_said_a_line_by_event_says_it_by_lines_before_its_list_was_ever_read() -> None:
    it = make_outside()
    booking = it.book()
    it.tell(it.says(assigned(booking)), now=NOON)
    assert (listening(booking).their_seq, listening(booking).read_at) == (1, None)
    it.status(booking, "fulfilled", 3, now=later(90))
    assert state(booking) == "confirmed"


def test_what_is_over_is_not_read_for_ever_for_a_line_that_never_comes() -> None:
    it = make_outside()
    booking = coming(it)
    it.says(line(booking, 4, "note", words="晚"))
    it.status(booking, "cancelled", 3, now=later(0))
    it.read(later(1))
    it.read(ENDS + timedelta(days=2))
    assert listening(booking).listen_at is None


def test_what_is_over_is_not_read_for_ever_where_its_list_is_broken() -> None:
    it = make_outside()
    booking, other = coming(it), it.book(1)
    it.status(booking, "cancelled", 3, now=later(0))
    it.there.broken[f"R-{booking}"] = ProviderError("not this one")
    it.read(later(1))
    it.read(ENDS + timedelta(days=2))
    assert (state(other), listening(booking).listen_at) == ("confirmed", None)


def test_a_no_show_that_the_lines_say_too_in_the_end_is_no_case_any_more() -> None:
    it = make_outside()
    booking = coming(it)
    it.status(booking, "no_show", 3, now=later(30))
    it.read(later(31))
    assert open_cases() == ["escort_end_unproved"]
    it.tell(arrived(booking), now=later(32))
    it.read(later(33))
    assert (state(booking), open_cases()) == ("no_show", [])


@pytest.mark.every_postgres
def test_two_bookings_that_swap_their_escorts_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    assert swapped_at_once(monkeypatch) == ["taken", "taken"]


@pytest.mark.every_postgres
def test_where_who_goes_no_more_is_locked_too_they_would_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    end = people._end

    def locked(visit: Visit, row: EscortAssignment, cause: str) -> None:
        visit.session.get_one(EscortWorker, row.worker_id, with_for_update=True, populate_existing=True)
        end(visit, row, cause)

    monkeypatch.setattr(people, "_end", locked)
    assert sorted(swapped_at_once(monkeypatch)) == ["DeadlockDetected", "taken"]


def swapped_at_once(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What comes of two bookings to each of which who went to the other one is sent, at the same moment."""
    it = make_outside()
    first, second = it.book(0), it.book(1)
    it.tell(assigned(first), now=NOON)
    it.tell(assigned(second, who=LIN), now=NOON)
    both, live = Barrier(2), people._live

    def looked(visit: Visit) -> EscortAssignment | None:
        found = live(visit)
        both.wait(10)
        return found

    monkeypatch.setattr(people, "_live", looked)
    swaps = [assigned(first, 2, LIN), assigned(second, 2, HE)]

    def tell(said: EscortLine) -> str:
        try:
            return it.tell(said, now=later(-600))
        except Busy as busy:
            assert isinstance(busy.__cause__, DBAPIError)
            return type(busy.__cause__.orig).__name__

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(tell, swaps))


def test_a_list_without_end_stops_no_other_and_says_nothing_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    it = make_outside()
    booking = coming(it)
    monkeypatch.setattr(listen, "RUN_SECONDS", -1.0)
    it.there.page = 2
    for seq in range(2, 8):
        it.says(line(booking, seq, "note", words="在等"))
    before = listening(booking).read_at
    it.read(later(1))
    seen = listening(booking)
    assert (seen.their_seq, seen.read_at, seen.listen_at) == (2, before, later(1) + HELD_UP)
    monkeypatch.setattr(listen, "RUN_SECONDS", 8.0)
    monkeypatch.setattr(listen, "MOST_PAGES", 2)
    it.read(later(2))
    assert (listening(booking).their_seq, listening(booking).read_at) == (6, before)
    it.read(later(3))
    assert (listening(booking).their_seq, listening(booking).read_at) == (7, later(3))
