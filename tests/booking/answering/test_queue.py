"""What waits for a provider's people."""

from __future__ import annotations

from datetime import timedelta

import pytest

from booking.answering import answer
from booking.answering.queue import NOTED, Waiting, note_cancel, waiting
from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from booking.hold.submit import submit
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from tests.booking.answering.desk import MEMBER, desk_world, lines, once, said
from tests.people import NOON
from tests.providers.partner_api.answering import requested, work
from tests.world import World, booking_row, join

pytestmark = pytest.mark.usefixtures("db")


def queue(world: World) -> list[Waiting]:
    with reading() as session:
        return waiting(session, world.provider.id, now=NOON)


def matters(world: World) -> list[tuple[str, str]]:
    return [(it.matter, it.booking) for it in queue(world)]


def test_a_new_booking_waits_with_its_deadline_and_the_places_beside_it() -> None:
    world = desk_world(capacity=3)
    assert queue(world) == []
    booking = requested(world)
    [it] = queue(world)
    assert (it.matter, it.booking, it.person, it.left) == ("new", booking, "沈**", 2)
    assert it.due_at == booking_row(booking).answer_due_at and it.starts_at == world.slots[0].starts_at
    answer.confirm(said(world, booking), now=NOON)
    assert queue(world) == []


def test_the_soonest_deadline_comes_first_and_nobody_sees_another_providers() -> None:
    world, other = desk_world(), desk_world(phone="13800000022")
    late = requested(world, 1)
    neighbour = join(world.provider, world.offer, world.slots, phone="13800000023")
    soon = neighbour.hold(2, now=NOON - timedelta(minutes=9))
    neighbour_submitted(neighbour, soon)
    foreign = requested(other)
    assert [it.booking for it in queue(world)] == [soon, late]
    assert [it.booking for it in queue(other)] == [foreign]


def neighbour_submitted(world: World, booking: str) -> None:
    submit(world.principal, booking, now=NOON - timedelta(minutes=8))
    work(world)


def test_a_change_of_date_waits_with_the_new_time_while_the_old_one_is_kept() -> None:
    world = desk_world(capacity=2)
    booking = requested(world)
    answer.confirm(said(world, booking), now=NOON)
    reschedule(world.principal, booking, world.slots[2].public_id, now=NOON)
    work(world)
    [it] = queue(world)
    assert (it.matter, it.starts_at, it.old_starts_at, it.left) == (
        "change",
        world.slots[2].starts_at,
        world.slots[0].starts_at,
        1,
    )
    answer.accept_change(said(world, booking), now=NOON)
    assert queue(world) == []


def test_what_was_proposed_waits_for_the_customer_and_not_for_the_desk() -> None:
    world = desk_world()
    booking = requested(world)
    answer.propose(said(world, booking), world.slots[1].public_id, reason="", expires_at=None, now=NOON)
    assert queue(world) == []


def test_a_customers_cancel_is_there_until_somebody_takes_note_of_it() -> None:
    world = desk_world()
    booking = requested(world)
    answer.confirm(said(world, booking), now=NOON)
    cancel(world.principal, booking, now=NOON)
    work(world)
    assert matters(world) == [("cancelled", booking)]
    note_cancel(world.provider.id, booking, once(), member=MEMBER, now=NOON)
    note_cancel(world.provider.id, booking, once(), member="opr_other", now=NOON)
    assert queue(world) == []
    assert [line.actor for line in lines(NOTED)] == [MEMBER], "noted once, by who was first"


def test_the_providers_own_cancel_is_no_news_to_it() -> None:
    world = desk_world()
    booking = requested(world)
    answer.confirm(said(world, booking), now=NOON)
    answer.cancel(said(world, booking), "closed", now=NOON)
    assert queue(world) == []


def test_nobody_takes_note_of_another_providers_cancel() -> None:
    world, other = desk_world(), desk_world(phone="13800000022")
    booking = requested(world)
    cancel(world.principal, booking, now=NOON)
    work(world)
    with pytest.raises(NotFound):
        note_cancel(other.provider.id, booking, once(), member=MEMBER, now=NOON)
    assert matters(world) == [("cancelled", booking)]
