"""What takes a proposal back, and what cannot be answered any more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from booking.changes.cancel import cancel
from booking.changes.proposals import ProposalOver, accept, decline
from booking.changes.reschedule import NotChangeable, reschedule
from booking.changes.unanswered import end_unanswered
from booking.discrepancies import Discrepancy
from booking.exchange.settle import settle_answer
from booking.models import Booking, ChangeRequest
from booking.proposal import Proposal
from booking.reconcile.compare import Ours, compare
from booking.refusals import SlotClosed, SlotFull, SlotMoved
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from providers.port import Accepted, Confirmed, Unknown
from providers.reported import Proposed
from tests.booking.changes.proposing import (
    END,
    LATER,
    SOON,
    confirmed,
    notices,
    proposal_of,
    proposed,
    requested,
    seen,
    states,
    told,
)
from tests.people import NOON, counters
from tests.world import EIGHT, FakeAdapter, booking_row, claim_all, join, make_world, one_pass, remote, taken, tasks

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]


def test_while_she_has_a_proposal_the_providers_deadline_does_not_end_the_request() -> None:
    world, public_id = requested()
    with transaction() as session:
        session.execute(update(Booking).values(answer_due_at=SOON))
    told(world, public_id, proposal=proposed(world))
    assert booking_row(public_id).answer_due_at == END
    assert end_unanswered(now=END) == 0
    told(world, public_id, 3, now=END)
    assert (states(public_id), end_unanswered(now=END)) == (["withdrawn"], 1)


def test_a_newer_version_without_it_takes_it_back_and_an_older_one_does_not() -> None:
    world, public_id = confirmed()
    told(world, public_id, 5, proposal=proposed(world))
    which = proposal_of(world, public_id)
    told(world, public_id, 4)
    assert states(public_id) == ["open"]
    told(world, public_id, 6)
    assert (states(public_id), seen(world, public_id).proposal) == (["withdrawn"], None)
    assert seen(world, public_id).timeline[-1].cause == "proposal_withdrawn"
    for answer in (accept, decline):
        with pytest.raises(ProposalOver):
            answer(world.principal, public_id, which, now=SOON)
    told(world, public_id, 7, proposal=proposed(world))
    assert states(public_id) == ["withdrawn", "open"]


def test_the_answer_to_the_reserve_carries_no_proposal_and_takes_none_back() -> None:
    world = make_world()
    public_id = world.submit()
    (claimed,) = claim_all(world, now=NOON)
    told(world, public_id, 2, proposal=proposed(world))
    assert settle_answer(claimed, Accepted("R-1", 2), now=SOON).what == "applied"
    assert states(public_id) == ["open"]


def test_a_look_up_that_is_older_than_the_message_takes_no_proposal_back() -> None:
    world = make_world()
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[remote(public_id, "requested", 1)])
    one_pass(world, adapter, now=NOON)
    told(world, public_id, 2, proposal=proposed(world))
    assert one_pass(world, adapter, now=LATER) == ["applied"]
    assert states(public_id) == ["open"]


def test_another_proposal_takes_the_place_of_the_first() -> None:
    world, public_id = confirmed()
    told(world, public_id, 2, proposal=proposed(world))
    told(world, public_id, 3, proposal=proposed(world, 2))
    assert states(public_id) == ["withdrawn", "open"]
    assert notices(public_id).count("time_proposed") == 2


@pytest.mark.parametrize("wrong", [{"expires": SOON}, {"slot": 0}])
def test_what_cannot_be_answered_is_not_noted(wrong: dict[str, Any]) -> None:
    world, public_id = confirmed()
    assert told(world, public_id, proposal=proposed(world, **wrong)) == "applied"
    assert states(public_id) == []


def test_it_ends_with_the_booking_and_with_a_change_of_her_own() -> None:
    world, public_id = confirmed()
    told(world, public_id, proposal=proposed(world))
    reschedule(world.principal, public_id, world.slots[2].public_id, now=SOON)
    assert seen(world, public_id).proposal is None, "one question at a time"
    with reading() as session:
        which = session.scalars(select(Proposal.public_id)).one()
    with pytest.raises(NotChangeable):
        accept(world.principal, public_id, which, now=SOON)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 3)]), now=LATER)
    assert states(public_id) == ["withdrawn"]
    told(world, public_id, 4, proposal=proposed(world))
    told(world, public_id, 5, status="checked_in", now=EIGHT, proposal=proposed(world))
    assert states(public_id) == ["withdrawn", "lapsed"]


def test_a_cancel_after_accepting_ends_it_all() -> None:
    world, public_id = confirmed(quantity=1)
    told(world, public_id, proposal=proposed(world))
    accept(world.principal, public_id, proposal_of(world, public_id), now=SOON)
    cancel(world.principal, public_id, now=SOON)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 3)]), now=LATER)
    assert (booking_row(public_id).state, [taken(slot) for slot in world.slots]) == ("cancelled", [0, 0, 0])
    assert counters(world.entitlement.id)["available"] == 1


def test_a_time_that_cannot_be_had_leaves_the_proposal_open() -> None:
    world, public_id = confirmed(capacity=1)
    other = join(world.provider, world.offer, world.slots, phone="13800000022")
    told(world, public_id, proposal=proposed(world))
    which = proposal_of(world, public_id)
    other.submit(1)
    with pytest.raises(SlotFull):
        accept(world.principal, public_id, which, now=SOON)
    assert (states(public_id), booking_row(public_id).starts_at) == (["open"], world.slots[0].starts_at)


def test_a_slot_that_we_do_not_know_can_be_had_once_we_do_and_one_that_moved_cannot() -> None:
    world, public_id = confirmed()
    unknown = Proposed("s-new", world.slots[1].service_date, world.slots[1].starts_at, world.slots[1].ends_at, END)
    told(world, public_id, proposal=unknown)
    which = proposal_of(world, public_id)
    with pytest.raises(SlotClosed):
        accept(world.principal, public_id, which, now=SOON)
    told(world, public_id, 4, proposal=proposed(world, starts_at=world.slots[2].starts_at, ends_at=END + timedelta(30)))
    with pytest.raises(SlotMoved):
        accept(world.principal, public_id, proposal_of(world, public_id), now=SOON)


def test_nobody_answers_for_another_and_no_proposal_for_another_booking() -> None:
    world, public_id = confirmed()
    other = join(world.provider, world.offer, world.slots, phone="13800000022")
    told(world, public_id, proposal=proposed(world))
    which = proposal_of(world, public_id)
    theirs = other.submit(2)
    for answer in (accept, decline):
        with pytest.raises(NotFound):
            answer(other.principal, public_id, which, now=SOON)
        with pytest.raises(NotFound):
            answer(other.principal, theirs, which, now=SOON)
    assert states(public_id) == ["open"]


def test_allotted_places_are_switched_at_once() -> None:
    world, public_id = confirmed(allotment=True)
    told(world, public_id, proposal=proposed(world))
    accept(world.principal, public_id, proposal_of(world, public_id), now=SOON)
    assert booking_row(public_id).starts_at == world.slots[1].starts_at
    assert ([taken(slot) for slot in world.slots], states(public_id)) == ([0, 1, 0], ["accepted"])
    assert tasks(public_id)[-1] == ("change", "queued")


def test_a_proposal_is_no_difference() -> None:
    world, public_id = confirmed()
    row = booking_row(public_id)
    message = remote(
        public_id,
        "confirmed",
        2,
        service_date=row.service_date,
        starts_at=row.starts_at,
        proposal=proposed(world),
    )
    told(world, public_id, proposal=proposed(world))
    ours = Ours(public_id, row.state, row.service_date, row.starts_at, {"R-1": "current"})
    assert compare([ours], [message]) == []
    with reading() as session:
        assert session.query(Discrepancy).count() + session.query(ChangeRequest).count() == 0
