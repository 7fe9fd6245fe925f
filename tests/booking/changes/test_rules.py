"""What an open cancel, a second change and an accepted proposal do, and to whom they belong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from booking.changes.cancel import cancel
from booking.changes.proposals import accept
from booking.changes.reschedule import reschedule
from booking.exchange.inbound import apply_remote
from booking.models import Booking, BookingHistory
from booking.proposal import Proposal
from marketplace.core.database.db import reading, transaction
from providers.port import Accepted, Confirmed, Refused
from providers.reported import Proposed
from tests.people import NOON, counters
from tests.world import FakeAdapter, World, booking_row, history, make_world, one_pass, remote, set_provider, taken

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]

SOON = NOON + timedelta(seconds=1)
LATER = NOON + timedelta(minutes=5)


def confirmed(**world: Any) -> tuple[World, str]:
    made = make_world(**world)
    public_id = made.submit()
    one_pass(made, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    return made, public_id


def tell(world: World, public_id: str, status: str, version: int, **more: Any) -> None:
    with transaction() as session:
        apply_remote(session, world.provider.id, remote(public_id, status, version, **more), now=LATER)


def last_line(public_id: str) -> tuple[str, str, str]:
    """The last state of the history, who caused it, and why."""
    with reading() as session:
        line = session.scalars(
            select(BookingHistory)
            .join(Booking, Booking.id == BookingHistory.booking_id)
            .where(Booking.public_id == public_id)
            .order_by(BookingHistory.version.desc())
            .limit(1)
        ).one()
        return line.to_state, line.actor_kind, line.cause


def test_cancelling_what_is_cancelled_already_succeeds_and_changes_nothing() -> None:
    world = make_world()
    public_id = world.submit()
    cancel(world.principal, public_id, now=SOON)
    version = booking_row(public_id).version
    cancel(world.principal, public_id, now=LATER)
    assert (booking_row(public_id).state, booking_row(public_id).version) == ("cancelled", version)


def test_an_open_cancel_is_a_new_version_of_the_booking() -> None:
    world, public_id = confirmed()
    version = booking_row(public_id).version
    cancel(world.principal, public_id, now=SOON)
    assert booking_row(public_id).version > version


@pytest.mark.parametrize("before", ["a cancel that was refused", "a change that is open"])
def test_a_cancel_of_the_providers_own_is_nobody_elses(before: str) -> None:
    world, public_id = confirmed(quantity=1)
    if before == "a change that is open":
        reschedule(world.principal, public_id, world.slots[1].public_id, now=SOON)
    else:
        cancel(world.principal, public_id, now=SOON)
        one_pass(world, FakeAdapter(answers=[Refused("too_late")]), now=SOON)
    tell(world, public_id, "cancelled", 5)
    assert last_line(public_id) == ("cancelled", "provider", "cancelled_by_provider")
    assert counters(world.entitlement.id)["available"] == 1 and [taken(slot) for slot in world.slots] == [0, 0, 0]


def test_a_second_change_that_is_refused_leaves_the_place_that_the_first_one_took() -> None:
    world, public_id = confirmed()
    for slot, answer in ((1, Confirmed("R-1", 2)), (2, Refused("sold_out"))):
        reschedule(world.principal, public_id, world.slots[slot].public_id, now=SOON)
        one_pass(world, FakeAdapter(answers=[answer]), now=SOON)
    assert booking_row(public_id).starts_at == world.slots[1].starts_at
    assert [taken(slot) for slot in world.slots] == [0, 1, 0]


def proposing(world: World, public_id: str, version: int) -> None:
    of = world.slots[2]
    there = Proposed(of.external_ref, of.service_date, of.starts_at, of.ends_at, NOON + timedelta(hours=6), "")
    tell(world, public_id, "requested", version, proposal=there)


def test_an_accepted_proposal_gives_its_own_provider_its_own_hours_to_answer() -> None:
    other = make_world(phone="13800000099")
    world = make_world()
    set_provider(other.provider, answer_hours=1)
    set_provider(world.provider, answer_hours=30)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    with transaction() as session:
        session.execute(update(Booking).values(answer_due_at=NOON))
    proposing(world, public_id, 2)
    with reading() as session:
        proposal = session.scalars(select(Proposal)).one()
    assert proposal.slot_id == world.slots[2].id, "not one of another provider that has the same name"
    accept(world.principal, public_id, proposal.public_id, now=LATER)
    assert booking_row(public_id).answer_due_at == LATER + timedelta(hours=30)


def test_an_answer_says_nothing_of_a_proposal_and_ends_none() -> None:
    world = make_world()
    public_id = world.submit()
    proposing(world, public_id, 1)
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=LATER)
    with reading() as session:
        assert session.scalars(select(Proposal.state)).all() == ["open"]


def test_a_time_that_was_accepted_is_not_hers_until_the_provider_has_decided() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    proposing(world, public_id, 2)
    with reading() as session:
        proposal = session.scalars(select(Proposal.public_id)).one()
    accept(world.principal, public_id, proposal, now=LATER)
    at = world.slots[2]
    there = {"service_date": at.service_date, "starts_at": at.starts_at, "ends_at": at.ends_at}
    tell(world, public_id, "requested", 3, **there)
    assert booking_row(public_id).starts_at == world.slots[0].starts_at
    tell(world, public_id, "confirmed", 4, **there)
    assert (booking_row(public_id).starts_at, history(public_id)[-1]) == (at.starts_at, "confirmed")
