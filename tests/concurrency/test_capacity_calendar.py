"""A calendar that is published by a process which is killed, or changed while customers book: nothing is oversold."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from booking.capacity_rules.decisions import carry_out_due
from booking.capacity_rules.edit import Wish
from booking.capacity_rules.extend import LEASE, publish_calendar
from booking.capacity_rules.plan import Section, with_places
from booking.capacity_rules.view import to_decide
from booking.hold.submit import submit
from booking.refusals import SlotClosed, SlotFull
from marketplace.core.config import ROOT, settings
from marketplace.core.database.db import reading, transaction
from tests.booking.capacity_rules.calendars import (
    ON,
    all_of,
    another,
    answers_here,
    book,
    books,
    closed_day,
    pool_id,
    save,
    version,
    weekly,
)
from tests.concurrency import controls
from tests.people import NOON
from tests.world import World, make_world, taken

pytestmark = pytest.mark.usefixtures("db")

PUBLISH_AND_HANG = """
import json, sys, time
from datetime import datetime
from booking.capacity_rules import decisions, extend
from booking.sync import publish
from marketplace.core.database.db import bare_app

told = json.loads(sys.stdin.readline())
now, steps = datetime.fromisoformat(told["now"]), 0

def step(*_):
    global steps
    if steps == told["steps"]:
        print("here", flush=True)
        time.sleep(600)
    steps += 1

publish.BATCH = 50
honest_apply, honest_end, honest_finish = publish.apply_slots, extend._end, decisions._finish

def apply(*given, **more):
    step()
    return honest_apply(*given, **more)

def end(*given, **more):
    step()
    return honest_end(*given, **more)

def finish(*given):
    step()
    return honest_finish(*given)

publish.apply_slots, extend._end, decisions._finish = apply, end, finish
with bare_app().app_context():
    extend.publish_calendar(told["pool"], now=now)
    step()
    decisions.carry_out_due(now=now)
    print("done", flush=True)
"""


def killed(world: World, steps: int) -> None:
    """Publish the calendar and carry out what was decided in a process that is killed after so many steps."""
    process = subprocess.Popen(
        [sys.executable, "-c", PUBLISH_AND_HANG],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": settings().database_url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stdin is not None and process.stdout is not None
        told = {"pool": world.offer.pool_id, "now": NOON.isoformat(), "steps": steps}
        process.stdin.write(json.dumps(told) + "\n")
        process.stdin.flush()
        assert next((line.strip() for line in process.stdout if line.strip() in ("here", "done")), "") == "here"
        process.send_signal(signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL


def as_it_ended(world: World) -> tuple[Any, ...]:
    """The slots by their times, and the bookings."""
    with reading() as session:
        bookings = session.execute(text("SELECT state, cause FROM booking ORDER BY id")).all()
        notices = session.execute(text("SELECT kind FROM notification ORDER BY kind")).all()
    return (
        [(s.external_ref, s.offered, s.taken, s.closed) for s in books(world)],
        [tuple(row) for row in bookings],
        [tuple(row) for row in notices],
    )


def closing(phone: str) -> World:
    """Two have booked the day that is to close, whose rules have changed too; nothing is published yet."""
    world = answers_here(make_world(slots=0, phone=phone))
    save(world, weekly())
    first, second = (book(world, slot) for slot in books(world, ON)[:2])
    save(world, weekly(places=6), publish=False)
    decided = [*all_of(world, "cancel", reason="x")[:1], *all_of(world, "propose")[1:]]
    assert {each.booking for each in decided} == {first, second}
    save(world, closed_day(), decided, publish=False)
    return world


STEPS = {
    "before anything": 0,
    "between two batches": 1,
    "before it is noted": 2,
    "before the first booking": 3,
    "after the first booking": 4,
    "after the second booking": 5,
}


@pytest.mark.one_postgres
@pytest.mark.parametrize("point", STEPS)
def test_killed_at_any_point_and_repeated_it_ends_the_same(point: str) -> None:
    world = closing("13800000021")
    killed(world, STEPS[point])
    late = NOON + LEASE
    assert publish_calendar(world.offer.pool_id, now=late) == "published"
    carry_out_due(now=late)
    slots, bookings, notices = as_it_ended(world)
    assert len(slots) == 14 * 4
    assert Counter(closed for *_, closed in slots) == {False: 13 * 4, True: 4}
    assert {offered for _, offered, _, closed in slots if not closed} == {6}
    assert [state for state, _ in bookings] == ["cancelled", "confirmed"]
    assert Counter(kind for (kind,) in notices)["time_proposed"] == 1
    assert Counter(kind for (kind,) in notices)["cancelled"] == 1
    assert to_decide(world.provider.id, pool_id(world), now=late).bookings == []


def booking_of(world: World) -> Callable[[], str]:
    """A customer of her own who books the world's first slot."""
    customer = another(world)

    def hold_and_submit() -> str:
        public_id = customer.hold(0)
        submit(customer.principal, public_id, now=NOON)
        return public_id

    return hold_and_submit


def race(world: World, wish: Wish, rivals: int) -> list[Any]:
    """So many customers book the first slot of the day while a manager changes it; what came of each, hers last."""
    world.slots[:] = books(world, ON)[:1]
    seen = version(world)
    return controls.all_at_once(
        [*[booking_of(world) for _ in range(rivals)], lambda: save(world, wish, all_of(world, "keep"), seen=seen)]
    )


@pytest.mark.usefixtures("many_connections")
def test_who_books_while_the_day_closes_is_refused_or_asked_about() -> None:
    for round_ in range(4):
        world = answers_here(make_world(slots=0, phone=f"138000003{round_:02}", quantity=1))
        save(world, weekly(places=20))
        *booked, closed = race(world, closed_day(), 8)
        got = [each for each in booked if isinstance(each, str)]
        assert isinstance(closed, str) or type(closed).__name__ == "BookingsToDecide"
        assert [each for each in booked if not isinstance(each, str | SlotClosed)] == []
        slot = books(world, ON)[0]
        assert slot.taken == len(got)
        if not isinstance(closed, str):
            save(world, closed_day(), all_of(world, "keep"))
        left = [each.booking.id for each in to_decide(world.provider.id, pool_id(world), now=NOON).bookings]
        kept = kept_of(got)
        assert sorted([*left, *kept]) == sorted(got), "nobody is forgotten"
        with pytest.raises(SlotClosed):
            booking_of(world)()


def kept_of(bookings: list[str]) -> list[str]:
    """Those of whom a manager has said that they stay."""
    with reading() as session:
        rows = session.execute(
            text(
                "SELECT b.public_id FROM capacity_change_item i JOIN booking b ON b.id = i.booking_id"
                " WHERE i.state = 'done' AND b.public_id = ANY(:all)"
            ),
            {"all": bookings},
        )
        return [row[0] for row in rows]


def claim(booking: str, world: World) -> None:
    """Give a booking a place in the world's first slot, as one whose look at the slot was a moment ago."""
    with transaction() as session:
        session.execute(
            text(
                "INSERT INTO slot_claim (booking_id, slot_id, created_at)"
                " SELECT id, :slot, created_at FROM booking WHERE public_id = :booking"
            ),
            {"slot": world.slots[0].id, "booking": booking},
        )


def looked_and_then_closed() -> tuple[World, str]:
    """A customer who is about to take a place in a slot that has just closed."""
    world = answers_here(make_world(slots=0))
    save(world, weekly())
    world.slots[:] = books(world, ON)[1:2]
    booking = another(world).hold(0)
    world.slots[:] = books(world, ON)[:1]
    save(world, closed_day())
    return world, booking


def test_who_looked_before_it_closed_takes_no_place_afterwards() -> None:
    world, booking = looked_and_then_closed()
    with pytest.raises(DBAPIError, match="slot_full"):
        claim(booking, world)
    assert taken(world.slots[0]) == 0


def test_control_without_the_guard_she_takes_it(owner_connection: Connection) -> None:
    world, booking = looked_and_then_closed()
    as_it_is = owner_connection.execute(
        text("SELECT pg_get_functiondef('slot_claim_moves_taken'::regproc)")
    ).scalar_one()
    controls.take_guard_away(owner_connection, "slot_claim_moves_taken")
    try:
        claim(booking, world)
    finally:
        owner_connection.exec_driver_sql(as_it_is.replace("%", "%%"))
    assert taken(world.slots[0]) == 1


@pytest.mark.usefixtures("many_connections")
def test_places_that_are_lowered_under_bookings_are_never_oversold() -> None:
    for round_ in range(4):
        world = answers_here(make_world(slots=0, phone=f"138000004{round_:02}", quantity=1))
        save(world, weekly(places=6))
        fewer = Wish(day=ON, sections=with_places([Section(480, 600, 30, 6)], 480, 2))
        *booked, lowered = race(world, fewer, 9)
        got = [each for each in booked if isinstance(each, str)]
        assert all(isinstance(each, str | SlotFull | SlotClosed) for each in booked)
        if not isinstance(lowered, str):
            save(world, fewer, all_of(world, "keep"))
        slot = books(world, ON)[0]
        assert slot.taken == len(got) <= 6
        assert (slot.offered, slot.capacity) == (2, max(2, len(got)))
        if len(got) >= 2:
            with pytest.raises(SlotFull):
                booking_of(world)()
