"""Answers to a proposal that meet: each other, the provider taking it back, a cancel, the clock."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking.changes import proposals
from booking.changes.cancel import cancel
from booking.changes.proposals import accept, decline, expire_proposals
from booking.changes.reschedule import check_changeable
from booking.discrepancies import Discrepancy
from booking.exchange.inbound import apply_remote
from booking.exchange.proposed_times import follow_proposal
from booking.models import Booking, ChangeRequest, ProviderTask
from booking.proposal import Proposal
from booking.transition import lock_booking
from marketplace.core.database.db import reading, transaction, violated
from providers.port import Accepted, Answer, Confirmed
from providers.reported import Proposed
from tests.concurrency import controls
from tests.people import NOON, counters
from tests.world import FakeAdapter, World, booking_row, make_world, one_pass, remote, taken, tasks

SOON = NOON + timedelta(seconds=1)
END = NOON + timedelta(hours=6)


pytestmark = pytest.mark.usefixtures("many_connections")


def proposed(first: Answer | None = None, slot: int = 1) -> tuple[World, str, str]:
    """A booking with a proposal of another slot."""
    world = make_world(quantity=1)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[first or Confirmed("R-1", 1)]), now=NOON)
    with transaction() as session:
        apply_remote(session, world.provider.id, message(world, public_id, 2, slot), now=SOON)
    with reading() as session:
        return world, public_id, session.scalars(select(Proposal.public_id)).one()


def message(world: World, public_id: str, version: int, slot: int | None = 1):  # type: ignore[no-untyped-def]
    row = booking_row(public_id)
    told = None
    if slot is not None:
        of = world.slots[slot]
        told = Proposed(of.external_ref, of.service_date, of.starts_at, of.ends_at, END)
    status = "confirmed" if row.state == "confirmed" else "requested"
    return remote(public_id, status, version, service_date=row.service_date, starts_at=row.starts_at, proposal=told)


def finish(world: World, version: int = 3) -> None:
    """The provider says yes to whatever it is asked, until nothing is left to ask."""
    for later in range(3):
        answers = FakeAdapter(answers=[Confirmed("R-1", version + later)])
        one_pass(world, answers, now=END + timedelta(minutes=1 + later))


def state() -> str:
    with reading() as session:
        return session.scalars(select(Proposal.state)).one()


def assert_one_end(world: World, public_id: str) -> None:
    """Booking, places, quota, proposal and commands tell the same story, and no difference is open."""
    row, ended = booking_row(public_id), state()
    moved = row.starts_at == world.slots[1].starts_at
    held = [0, 0, 0] if row.state == "cancelled" else [int(not moved), int(moved), 0]
    assert [taken(slot) for slot in world.slots] == held
    assert counters(world.entitlement.id)["reserved"] == int(row.state != "cancelled")
    assert moved <= (ended == "accepted") and ended != "open"
    assert {task for _, task in tasks(public_id)} <= {"done", "refused"}
    with reading() as session:
        assert session.query(ChangeRequest).filter(ChangeRequest.closed_at.is_(None)).count() == 0
        assert session.query(Discrepancy).filter(Discrepancy.closed_at.is_(None)).count() == 0


@pytest.mark.parametrize("round_", range(3))
def test_accepting_and_declining_six_times_each_at_once_is_one_answer(round_: int) -> None:
    world, public_id, which = proposed()
    works = [
        lambda n=n: (accept if n % 2 else decline)(world.principal, public_id, which, now=SOON)  # type: ignore[misc]
        for n in range(12)
    ]
    told = Counter(type(each).__name__ for each in controls.all_at_once(works))
    assert told == {"NoneType": 6, "ProposalOver": 6}
    assert [command for command, _ in tasks(public_id)][1:] == ["change" if state() == "accepted" else "decline"]
    finish(world)
    assert_one_end(world, public_id)


@pytest.mark.parametrize("first", [Confirmed("R-1", 1), Accepted("R-1", 1)])
def test_accepting_against_the_provider_taking_it_back(first: Answer) -> None:
    world, public_id, which = proposed(first)
    gone = message(world, public_id, 3, None)

    def take_back() -> None:
        with transaction() as session:
            apply_remote(session, world.provider.id, gone, now=SOON)

    works = [lambda: accept(world.principal, public_id, which, now=SOON), take_back]
    told = [type(each).__name__ for each in controls.all_at_once(works)]
    assert told in (["NoneType", "NoneType"], ["ProposalOver", "NoneType"])
    assert state() == ("accepted" if told[0] == "NoneType" else "withdrawn")
    finish(world, 4)
    assert_one_end(world, public_id)


@pytest.mark.parametrize("round_", range(3))
def test_accepting_against_a_cancel_ends_cancelled_with_everything_back(round_: int) -> None:
    world, public_id, which = proposed()
    controls.all_at_once(
        [
            lambda: accept(world.principal, public_id, which, now=SOON),
            lambda: cancel(world.principal, public_id, now=SOON),
        ]
    )
    finish(world)
    assert booking_row(public_id).state == "cancelled"
    assert_one_end(world, public_id)


@pytest.mark.parametrize("first", [Confirmed("R-1", 1), Accepted("R-1", 1)])
def test_accepting_against_the_clock_has_one_end(first: Answer) -> None:
    """Two processes whose clocks differ: one still accepts when the other's says that the time is over."""
    world, public_id, which = proposed(first)
    told = controls.all_at_once(
        [
            lambda: accept(world.principal, public_id, which, now=END - timedelta(seconds=1)),
            lambda: expire_proposals(now=END),
            lambda: expire_proposals(now=END),
        ]
    )
    lapsed = sum(each for each in told[1:] if isinstance(each, int))
    assert lapsed == int(told[0] is not None)
    finish(world)
    assert state() == ("lapsed" if lapsed else "accepted")
    assert_one_end(world, public_id)


def test_without_the_lock_both_would_accept_and_the_constraint_refuses_one(monkeypatch: pytest.MonkeyPatch) -> None:
    world, public_id, which = proposed()
    both_looked = Barrier(2)

    def unlocked(session: Session, booking_id: int) -> tuple[Booking, list[ProviderTask]]:
        return session.get_one(Booking, booking_id), []

    def looked(session: Session, booking: Booking, states: object) -> None:
        check_changeable(session, booking, states)  # type: ignore[arg-type]
        both_looked.wait(timeout=20)

    monkeypatch.setattr(proposals, "lock_booking", unlocked)
    monkeypatch.setattr(proposals, "check_changeable", looked)
    results = controls.all_at_once([lambda: accept(world.principal, public_id, which, now=SOON)] * 2)
    refused = [each for each in results if isinstance(each, IntegrityError)]
    assert results.count(None) == 1
    assert [violated(each) for each in refused] == ["uq_change_request_open"]


def test_without_the_lock_two_proposals_would_be_open_and_the_constraint_refuses_one() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    both_looked = Barrier(2)

    def follow(slot: int) -> None:
        with transaction() as session:
            booking = session.scalars(select(Booking).where(Booking.public_id == public_id)).one()
            told = message(world, public_id, 1 + slot, slot)
            both_looked.wait(timeout=20)
            follow_proposal(session, booking, told, SOON)

    results = controls.all_at_once([lambda: follow(1), lambda: follow(2)])
    refused = [each for each in results if isinstance(each, IntegrityError)]
    assert results.count(None) == 1
    assert [violated(each) for each in refused] == ["uq_proposal_open"]


def test_with_the_lock_the_second_proposal_takes_the_place_of_the_first() -> None:
    world, public_id, _ = proposed()

    def follow(version: int) -> None:
        told = message(world, public_id, version, 2)
        with transaction() as session:
            lock_booking(session, booking_row(public_id).id)
            apply_remote(session, world.provider.id, told, now=SOON)

    assert controls.all_at_once([lambda: follow(3), lambda: follow(4)]) == [None, None]
    with reading() as session:
        assert sorted(session.scalars(select(Proposal.state))) == ["open", "withdrawn"]
