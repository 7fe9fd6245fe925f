"""Many who ask for one worker, for one booking, and while it ends; a worker process killed half-way; and the controls:
without the lock the constraint refuses, and where periods only touch the way between them is lost; without both she is
in two places at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from threading import Barrier

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking.escort.assign import accept, ask
from booking.escort.assigning import place
from booking.escort.assigning.refusals import AlreadyAsked, NotToBeEscorted, WorkerUnavailable
from booking.escort.dispatch.find import find_workers
from booking.escort.dispatch.watch import expire_due_asks, replace_absent
from booking.escort.matching.travel import Stop, travel_seconds
from booking.escort.models import EscortAssignment, EscortWorker
from booking.states import BookingState
from marketplace.core.config import settings
from marketplace.core.database.db import reading, violated
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.sphere import Position
from tests.booking.escort.assigning.test_way import book_at, place_at
from tests.booking.escort.staff import DESK, EIGHT, Staff, absent, after, asked, assignments, make_staff
from tests.booking.pledges.rows import give_up
from tests.concurrency.controls import all_at_once, owner
from tests.concurrency.test_pledge_races import scratch
from tests.conftest import TestDatabase
from tests.people import NOON
from tests.processes import run_program
from tests.world import booking_row, go

__all__ = ["scratch"]

RIVALS = 8


def live() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).where(EscortAssignment.live)) or 0


def ways_kept() -> bool:
    """Whether no service of a worker begins before the way from the one before it is over."""
    with reading() as session:
        in_order = (EscortAssignment.worker_id, func.lower(EscortAssignment.period))
        rows = session.scalars(select(EscortAssignment).where(EscortAssignment.live).order_by(*in_order)).all()
    return all(
        one.period.upper + timedelta(seconds=other.travel_seconds) <= other.period.lower
        for one, other in pairwise(rows)
        if one.worker_id == other.worker_id
    )


def asking(staff: Staff, booking: str, worker: EscortWorker) -> Callable[[], str]:
    return lambda: ask(staff.provider.id, booking, worker.public_id, actor=DESK, now=NOON)


@pytest.mark.usefixtures("many_connections")
def test_of_many_who_ask_for_her_at_one_time_one_has_her() -> None:
    staff = make_staff(1, capacity=RIVALS)
    bookings = [staff.book() for _ in range(RIVALS)]
    results = all_at_once([asking(staff, booking, staff.workers[0]) for booking in bookings])
    assert sum(isinstance(each, str) for each in results) == live() == 1
    refused = [each for each in results if isinstance(each, Exception)]
    assert {type(each) for each in refused} == {WorkerUnavailable}
    assert {each.facts["reason"] for each in refused if isinstance(each, Refusal)} == {"busy"}


@pytest.mark.usefixtures("many_connections")
def test_of_many_who_are_asked_for_one_booking_at_once_one_is() -> None:
    staff = make_staff(RIVALS)
    booking = staff.book()
    results = all_at_once([asking(staff, booking, worker) for worker in staff.workers])
    assert sum(isinstance(each, str) for each in results) == len(asked(booking)) == 1
    assert sum(isinstance(each, AlreadyAsked) for each in results) == RIVALS - 1


@pytest.mark.usefixtures("many_connections")
def test_services_that_are_asked_for_at_once_have_the_way_between_them() -> None:
    staff = make_staff(2)
    sites = [place_at(f"院{number}", 120.15, 30.25 + number / 20) for number in range(4)]
    bookings = [book_at(staff, hours, sites[number % 4]) for number, hours in enumerate((0, 4.25, 8.5, 13, 4.5, 9))]
    both = [asking(staff, booking, worker) for booking in bookings for worker in staff.workers]
    results = all_at_once(both)
    assert not [each for each in results if not isinstance(each, (str, AlreadyAsked, WorkerUnavailable))]
    assert live() >= 3 and ways_kept()


@pytest.mark.usefixtures("many_connections")
def test_nobody_is_left_asked_for_what_ended_in_that_moment_nor_are_two_told_to_come() -> None:
    staff = make_staff(2)
    for _turn in range(6):
        booking = staff.book()
        row = staff.ask(booking)
        yes, ended, other = all_at_once(
            [
                lambda row=row: accept(staff.workers[0].id, row, now=after(minutes=1)),  # type: ignore[misc]
                lambda booking=booking: give_up(booking, now=after(minutes=1)),  # type: ignore[misc]
                asking(staff, booking, staff.workers[1]),
            ]
        )
        assert ended is None and isinstance(other, (AlreadyAsked, NotToBeEscorted, NotFound))
        stands = booking_row(booking)
        ((_worker, state, cause),) = asked(booking)
        if stands.state is BookingState.CANCELLED:
            assert (state, cause) == ("withdrawn", "cancelled") and isinstance(yes, Refusal)
        else:  # her yes came first: the provider is asked whether it can be cancelled
            assert yes is None and (stands.state, state) == (BookingState.CONFIRMED, "accepted")
            go(booking, BookingState.CANCELLED)
    assert live() == 0


@pytest.mark.usefixtures("many_connections")
def test_eight_passes_at_once_ask_each_once_and_a_silence_is_ended_once() -> None:
    staff = make_staff(5)
    bookings = [book_at(staff, 6 * number) for number in range(4)]
    passes = all_at_once([lambda: find_workers(now=NOON)] * RIVALS)
    assert not [each for each in passes if isinstance(each, Exception) or each["broken"]]
    assert [len(asked(booking)) for booking in bookings] == [1] * 4
    for worker in staff.workers:
        absent(worker, EIGHT, None)
    later = after(minutes=15)
    both = all_at_once([lambda: expire_due_asks(now=later), lambda: replace_absent(now=later)] * 4)
    assert not [each for each in both if isinstance(each, Exception) or each["broken"]]
    assert live() == 0 and [len(asked(booking)) for booking in bookings] == [1] * 4


def without_lock(monkeypatch: pytest.MonkeyPatch, rivals: int) -> None:
    """Each reads what she does as it is, and none goes on before all have read it."""
    read = Barrier(rivals)
    real = place.load

    def lock_worker(session: Session, worker_id: int) -> EscortWorker:
        return session.get_one(EscortWorker, worker_id)

    def load(session: Session, bookings: object, **how: object) -> object:
        found = real(session, bookings, **how)  # type: ignore[arg-type]
        read.wait(timeout=30)
        return found

    monkeypatch.setattr(place, "lock_worker", lock_worker)
    monkeypatch.setattr(place, "load", load)


@pytest.mark.usefixtures("many_connections")
def test_without_the_lock_alone_the_constraint_refuses_two_places_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    staff = make_staff()
    bookings = [staff.book(), staff.book(1)]
    without_lock(monkeypatch, 2)
    results = all_at_once([asking(staff, booking, staff.workers[0]) for booking in bookings])
    (refused,) = [each for each in results if isinstance(each, Exception)]
    assert isinstance(refused, IntegrityError)
    assert violated(refused) == "ex_escort_assignment_one_place_at_a_time"
    assert live() == 1


BETWEEN = timedelta(minutes=30)
NEAR, FAR = Position(latitude=30.25, longitude=120.15), Position(latitude=30.40, longitude=120.15)


def two_that_touch() -> list[Callable[[], str]]:
    """She is asked for two services with half an hour between them: the way from home to the second one is short, that
    from the first one isn't."""
    staff = make_staff(0)
    her = staff.add(home_longitude=NEAR.longitude, home_latitude=NEAR.latitude)
    near, far = (place_at(name, each.longitude, each.latitude) for name, each in (("近", NEAR), ("远", FAR)))
    bookings = [book_at(staff, 0, far), book_at(staff, 4 + BETWEEN / timedelta(hours=1), near)]
    return [asking(staff, booking, her) for booking in bookings]


@pytest.mark.usefixtures("many_connections")
def test_without_the_lock_two_that_only_touch_lose_the_way_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    works = two_that_touch()
    without_lock(monkeypatch, 2)
    assert not [each for each in all_at_once(works) if isinstance(each, Exception)]
    assert live() == 2
    way = travel_seconds(Stop(position=FAR), Stop(position=NEAR), "杭州市")
    assert way > BETWEEN.total_seconds(), "she can't be there in time, and nothing says so"


@pytest.mark.usefixtures("many_connections")
def test_with_the_lock_the_second_of_them_is_refused() -> None:
    results = all_at_once(two_that_touch())
    (refused,) = [each for each in results if isinstance(each, Exception)]
    assert isinstance(refused, WorkerUnavailable) and refused.facts == {"reason": "travel"}


def _without_constraint(database: TestDatabase) -> None:
    with owner(database.owner_url) as connection:
        connection.execute(
            text("ALTER TABLE escort_assignment DROP CONSTRAINT ex_escort_assignment_one_place_at_a_time")
        )


def test_without_lock_and_constraint_she_is_in_two_places_at_once(
    scratch: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = make_staff()
    _without_constraint(scratch)
    bookings = [staff.book(), staff.book(1)]
    without_lock(monkeypatch, 2)
    assert not [
        each
        for each in all_at_once([asking(staff, booking, staff.workers[0]) for booking in bookings])
        if isinstance(each, Exception)
    ]
    assert live() == 2


def test_without_the_constraint_alone_the_lock_refuses(scratch: TestDatabase) -> None:
    staff = make_staff()
    _without_constraint(scratch)
    bookings = [staff.book(), staff.book(1)]
    results = all_at_once([asking(staff, booking, staff.workers[0]) for booking in bookings])
    assert sum(isinstance(each, WorkerUnavailable) for each in results) == live() == 1


_DIES = """
import os, signal
from datetime import datetime
from booking.escort.dispatch import find
real, done = find.place, []
def place(session, booking, worker_id, **how):
    row = real(session, booking, worker_id, **how)
    done.append(row)
    if len(done) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return row
find.place = place
find.find_workers(now=datetime.fromisoformat("{now}"))
"""


@pytest.mark.usefixtures("db")
def test_a_process_killed_half_way_through_a_run_leaves_the_rest_to_the_next_and_each_is_asked_once() -> None:
    staff = make_staff(2)
    bookings = [book_at(staff, 6 * number) for number in range(6)]
    environment = {**os.environ, "DATABASE_URL": settings().database_url}
    assert run_program(_DIES.format(now=NOON.isoformat()), environment) == -signal.SIGKILL
    assert [len(asked(booking)) for booking in bookings] == [1, 1, 0, 0, 0, 0], "the third was not committed"
    first = [assignments(booking)[0].public_id for booking in bookings[:2]]
    assert find_workers(now=after(minutes=1)) == {"asked": 4}
    assert find_workers(now=after(minutes=1)) == {}
    assert [len(asked(booking)) for booking in bookings] == [1] * 6
    assert [assignments(booking)[0].public_id for booking in bookings[:2]] == first
    assert ways_kept()
