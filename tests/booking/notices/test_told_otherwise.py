"""A customer is notified when her provider has her booking at another time, or not at all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from booking.changes.reschedule import reschedule
from booking.exchange.inbound import apply_remote
from booking.messages.freshness import stale
from booking.notices.models import Notification
from booking.notices.told_otherwise import notify_moved_slot
from booking.reconcile.compare import Found
from booking.reconcile.examine import _open
from booking.states import BookingState
from booking.sync.slots import apply_slots
from booking.transition import lock_booking
from marketplace.core.database.db import reading, transaction
from marketplace.messages.compose import say
from providers.port import Confirmed
from providers.reported import RemoteBooking, RemoteSlot
from tests.people import NOON
from tests.world import DAY, EIGHT, FakeAdapter, World, booking_row, make_world, one_pass, remote

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]

NINE = EIGHT + timedelta(hours=1)


def confirmed() -> tuple[World, str]:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    return world, public_id


def notices() -> list[dict[str, Any]]:
    with reading() as session:
        return [
            row.facts for row in session.scalars(select(Notification).where(Notification.kind == "provider_differs"))
        ]


def tell(world: World, there: RemoteBooking) -> None:
    with transaction() as session:
        apply_remote(session, world.provider.id, there, now=NOON)


def moved(public_id: str, version: int = 2) -> RemoteBooking:
    return remote(public_id, "confirmed", version, service_date=DAY, starts_at=NINE)


def test_a_booking_that_the_provider_moved_is_told_once_with_both_times() -> None:
    world, public_id = confirmed()
    tell(world, moved(public_id, 2))
    tell(world, moved(public_id, 3))
    (facts,) = notices()
    said = say("provider_differs", facts, "en", as_of=NOON)
    assert "08:00" in said.text and "09:00" in said.text
    assert booking_row(public_id).starts_at == EIGHT, "the promise stays until a person decides"


def test_a_booking_that_the_provider_forgot_is_told() -> None:
    world, public_id = confirmed()
    found = Found("ours_only", public_id, public_id, "R-1", BookingState.CONFIRMED, None)
    with transaction() as session:
        booking, _ = lock_booking(session, booking_row(public_id).id)
        assert _open(session, world.provider.id, booking, found, NOON) == "opened"
    (facts,) = notices()
    assert "查不到" in say("provider_differs", facts, "zh", as_of=NOON).text


def test_a_slot_that_is_moved_under_a_booking_is_told_to_who_has_it() -> None:
    world, _ = confirmed()
    slot = world.slots[0]
    with reading() as session:
        slot = session.merge(slot, load=True)
        reference, pool = slot.external_ref, slot.pool.external_ref
        pool_id = slot.pool_id
    there = RemoteSlot(pool, reference, DAY, NINE, NINE + timedelta(minutes=30), 5, version=9)
    counts = {"read": 0, "unknown_pool": 0, "added": 0, "changed": 0}
    apply_slots(world.provider.id, [there], {pool: pool_id}, counts, now=NOON)
    (facts,) = notices()
    assert facts["says"] == "moved" and facts["new_starts_at"] == NINE.isoformat()


def test_who_has_left_a_slot_is_not_told_that_it_moved() -> None:
    world, public_id = confirmed()
    reschedule(world.principal, public_id, world.slots[1].public_id, now=NOON)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 2)]), now=NOON)
    with transaction() as session:
        notify_moved_slot(session, world.slots[0].public_id, {"service_date": str(DAY)}, now=NOON)
    assert notices() == []
    with transaction() as session:
        notify_moved_slot(session, world.slots[1].public_id, {"service_date": str(DAY)}, now=NOON)
    assert len(notices()) == 1


def test_a_message_of_a_difference_that_is_over_is_not_sent() -> None:
    world, public_id = confirmed()
    tell(world, moved(public_id))
    with transaction() as session:
        notice = session.scalars(select(Notification).where(Notification.kind == "provider_differs")).one()
        assert stale(session, notice, NOON) == ""
    tell(world, remote(public_id, "confirmed", 3, service_date=DAY, starts_at=EIGHT))
    with transaction() as session:
        notice = session.scalars(select(Notification).where(Notification.kind == "provider_differs")).one()
        assert stale(session, notice, NOON) == "moved_on"
