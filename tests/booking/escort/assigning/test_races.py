"""What is looked at again under a lock: others acted in that moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from booking.escort import assign
from booking.escort.assign import NobodyAssigned, decline, replace
from booking.escort.dispatch import watch
from booking.escort.dispatch.nobody import LATE
from booking.escort.dispatch.watch import MARGIN, replace_late
from booking.escort.models import EscortSearch
from booking.states import BookingState
from marketplace.core.database.db import reading, transaction
from tests.booking.escort.dispatch.test_watch import WAY, promised, with_phone
from tests.booking.escort.staff import DESK, EIGHT, after, asked, assignment, cases, make_staff
from tests.people import NOON
from tests.world import booking_row, go

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


def meanwhile(act: Callable[[], None]) -> None:
    """Somebody else does it, in a transaction of her own."""
    other = threading.Thread(target=act)
    other.start()
    other.join(20)


def test_the_end_of_a_booking_waits_for_whoever_looks_at_what_she_does() -> None:
    staff = make_staff(firm=True)
    booking, _row = promised(staff, staff.workers[0])
    ended = threading.Event()

    def give_up() -> None:
        go(booking, BookingState.CANCELLED)
        ended.set()

    other = threading.Thread(target=give_up)
    with transaction() as session:
        session.execute(text("SELECT FROM escort_worker FOR UPDATE"))
        other.start()
        assert not ended.wait(0.7), "she is locked"
    other.join(20)
    assert ended.is_set() and asked(booking)[0][1:] == ("withdrawn", "cancelled")


def test_another_time_is_looked_for_at_once_and_not_as_hopeless() -> None:
    staff = make_staff(firm=True)
    booking, _row = promised(staff, staff.workers[0])
    with transaction() as session:
        row = booking_row(booking).id
        session.add(EscortSearch(booking_id=row, begun_at=NOON, look_at=after(hours=9), nobody_since=NOON))
    with transaction() as session:
        slot = staff.made.world.slots[2]
        moved = "UPDATE booking SET starts_at = :at, updated_at = :now WHERE id = :id"
        session.execute(text(moved), {"at": slot.starts_at, "now": after(hours=1), "id": row})
    with reading() as session:
        found = session.get_one(EscortSearch, row)
        assert (found.look_at, found.nobody_since) == (after(hours=1), None)


def test_of_two_who_take_her_off_the_second_finds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    staff = make_staff(firm=True)
    booking = staff.book()
    row = staff.ask(booking)
    real = assign.lock_assignment

    def after_her_no(session: Any, row_id: int) -> Any:
        monkeypatch.setattr(assign, "lock_assignment", real)
        meanwhile(lambda: decline(staff.workers[0].id, row, now=NOON))
        return real(session, row_id)

    monkeypatch.setattr(assign, "lock_assignment", after_her_no)
    with pytest.raises(NobodyAssigned):
        replace(staff.provider.id, booking, "ill", actor=DESK, now=NOON)
    assert assignment(row).state == "declined"


def test_who_is_late_is_looked_at_again_as_she_is(monkeypatch: pytest.MonkeyPatch) -> None:
    staff = make_staff(1, firm=True)
    her = staff.workers[0]
    with_phone(staff, her)
    booking, _row = promised(staff, her)
    moment = EIGHT - WAY - MARGIN
    real = watch.lock_assignment

    def taken_off(session: Any, row: int) -> Any:
        monkeypatch.setattr(watch, "lock_assignment", real)
        meanwhile(lambda: replace(staff.provider.id, booking, "desk", actor=DESK, now=NOON))
        return real(session, row)

    monkeypatch.setattr(watch, "lock_assignment", taken_off)
    assert replace_late(now=moment) == {"on_the_way": 1}, "she does not go any more"
    assert asked(booking) == [(her.id, "replaced", "desk")] and cases(LATE) == []
