"""What is asked about one booking is answered from its own rows, whatever stands open beside it.

The neighbour is another customer's booking of the same slot at the same provider.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.attendance.given_up import given_up_in_time
from booking.calls.waiting_commands import is_waiting
from booking.changes.cancel import cancel
from booking.changes.requests import open_cancel
from booking.changes.reschedule import reschedule
from booking.changes.swap import open_change
from booking.notices.models import Notification
from booking.notices.told_otherwise import notify_moved_slot
from booking.transition import lock_booking
from marketplace.core.database.db import reading, transaction
from providers.port import Confirmed, Refused
from tests.people import NOON
from tests.world import DAY, EIGHT, FakeAdapter, World, booking_row, join, make_world, one_pass

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]

LATER = NOON + timedelta(minutes=5)


def both() -> tuple[World, str, World, str]:
    """Two customers with a confirmed booking of the same slot: hers and her neighbour's."""
    world = make_world()
    neighbour = join(world.provider, world.offer, world.slots, phone="13800000022", quantity=2)
    hers = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    other = neighbour.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 1)]), now=NOON)
    return world, hers, neighbour, other


def test_a_neighbours_cancel_is_not_hers() -> None:
    _, hers, neighbour, other = both()
    cancel(neighbour.principal, other, now=NOON)
    with transaction() as session:
        assert open_cancel(session, lock_booking(session, booking_row(hers).id)[0]) is None
        assert open_cancel(session, lock_booking(session, booking_row(other).id)[0]) is not None


def test_a_neighbours_change_is_not_hers() -> None:
    world, hers, neighbour, other = both()
    reschedule(neighbour.principal, other, world.slots[1].public_id, now=NOON)
    with transaction() as session:
        mine, theirs = booking_row(hers), booking_row(other)
        assert open_change(session, mine) is None
        assert open_change(session, theirs) is not None
        assert open_cancel(session, theirs) is None, "a change is no cancel"
        assert not given_up_in_time(session, mine, DAY, EIGHT), "her neighbour gave that time up, she did not"
        assert given_up_in_time(session, theirs, DAY, EIGHT)


def test_a_cancel_gives_no_date_up_for_another() -> None:
    world, hers, _, _ = both()
    cancel(world.principal, hers, now=NOON)
    with transaction() as session:
        mine = booking_row(hers)
        assert not given_up_in_time(session, mine, DAY, EIGHT)
        assert open_change(session, mine) is None, "a cancel is no change"


def test_a_refused_request_is_not_open() -> None:
    world, hers, _, _ = both()
    cancel(world.principal, hers, now=NOON)
    one_pass(world, FakeAdapter(answers=[Refused("too_late")]), now=LATER)
    reschedule(world.principal, hers, world.slots[1].public_id, now=LATER)
    one_pass(world, FakeAdapter(answers=[Refused("sold_out")]), now=LATER)
    with transaction() as session:
        mine = booking_row(hers)
        assert (open_cancel(session, mine), open_change(session, mine)) == (None, None)
        assert not given_up_in_time(session, mine, DAY, EIGHT)


def test_a_neighbours_command_that_waits_is_not_hers() -> None:
    _, hers, neighbour, other = both()
    cancel(neighbour.principal, other, now=NOON)
    with reading() as session:
        assert not is_waiting(session, booking_row(hers).id)
        assert is_waiting(session, booking_row(other).id)


def test_only_who_is_expected_in_the_slot_is_told_that_it_moved() -> None:
    world, _, neighbour, other = both()
    reschedule(neighbour.principal, other, world.slots[1].public_id, now=NOON)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 2)]), now=NOON)
    with transaction() as session:
        notify_moved_slot(session, world.slots[0].public_id, {"service_date": str(DAY)}, now=NOON)
    with reading() as session:
        told = session.scalars(select(Notification.customer_id).where(Notification.kind == "provider_differs")).all()
    assert told == [world.customer.id]
