"""Two clocks meet at a change that was given up, as two leaders do for a moment: one ends it. The control shows what
the lock is for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier, Event
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from booking.changes import unanswered
from booking.changes.reschedule import reschedule
from booking.changes.swap import leave
from booking.changes.unanswered import end_past_changes
from booking.changes.withdraw import withdraw
from booking.models import Booking, ProviderTask
from providers.port import Confirmed, Refused, Unknown
from providers.reported import RemoteBooking
from tests.concurrency import controls
from tests.people import NOON
from tests.sandboxes import eventually
from tests.world import FakeAdapter, World, booking_row, make_world, one_pass, set_provider, taken

pytestmark = [pytest.mark.usefixtures("many_connections"), pytest.mark.every_postgres]

LATER = NOON + timedelta(minutes=5)
WAITING = """
    SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE NOT l.granted AND a.datname = current_database()
"""


def given_up() -> tuple[World, str, datetime]:
    """A booking whose change to the second slot was taken back while its provider keeps what that made there, and when
    that date is over."""
    world = make_world()
    set_provider(world.provider, adapter="day_capacity")
    public_id, slot = world.submit(), world.slots[1]
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    reschedule(world.principal, public_id, slot.public_id, now=NOON)
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=LATER)
    withdraw(world.principal, public_id, now=LATER)
    there = RemoteBooking("R-2", f"{public_id}-2", "confirmed", 5, slot.service_date, slot.starts_at, slot.ends_at)
    one_pass(world, FakeAdapter(found=[there]), now=LATER + timedelta(minutes=1))
    one_pass(world, FakeAdapter(answers=[Refused("too_late")]), now=LATER + timedelta(minutes=1))
    assert slot.ends_at is not None and places(world) == [1, 1, 0]
    return world, public_id, slot.ends_at


def places(world: World) -> list[int]:
    return [taken(slot) for slot in world.slots]


def test_of_two_clocks_that_meet_at_a_given_up_change_one_ends_it(
    owner_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, public_id, over = given_up()
    before, locked, go_on = booking_row(public_id).version, Event(), Event()

    def slowly(*args: Any, **more: Any) -> None:
        locked.set()
        assert go_on.wait(60)
        leave(*args, **more)

    monkeypatch.setattr(unanswered, "leave", slowly)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(end_past_changes, now=over)
        assert locked.wait(60)
        second = pool.submit(end_past_changes, now=over)
        try:
            eventually(lambda: owner_connection.exec_driver_sql(WAITING).scalar_one() == 1)
        finally:
            go_on.set()
        assert (first.result(), second.result()) == (1, 0)
    assert (places(world), booking_row(public_id).version) == ([1, 0, 0], before + 1)


def test_without_the_lock_both_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world, _, over = given_up()
    both_looked = Barrier(2)

    def unlocked(session: Session, booking_id: int) -> tuple[Booking, list[ProviderTask]]:
        return session.get_one(Booking, booking_id), []

    def looked(*args: Any, **more: Any) -> None:
        both_looked.wait(timeout=60)
        leave(*args, **more)

    monkeypatch.setattr(unanswered, "lock_booking", unlocked)
    monkeypatch.setattr(unanswered, "leave", looked)
    assert controls.all_at_once([lambda: end_past_changes(now=over)] * 2) == [1, 1]
    assert places(world) == [1, 0, 0], "a claim is given back once all the same"
