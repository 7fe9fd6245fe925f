"""What can be said of a booking now, and which other times there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from booking.answering import answer, shown
from booking.answering.answer import NotPossibleNow
from booking.answering.history import history
from booking.answering.possible import FreeSlot, other_times, possible
from booking.changes import proposals
from booking.changes.reschedule import reschedule
from booking.eligibility.refusals import VenueClosed
from booking.exchange.inbound import apply_remote
from booking.hold.submit import submit
from booking.models import ProviderBooking, Slot
from booking.proposal import Proposal
from booking.states import BookingState
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from providers.reported import Proposed
from tests.booking.answering.desk import MEMBER, at, desk_world, said
from tests.escorts import close, make_escorts
from tests.people import NOON
from tests.providers.partner_api.answering import requested, work
from tests.world import EIGHT, World, booking_row, go, make_slot, remote, set_provider

pytestmark = pytest.mark.usefixtures("db")


def sayings(world: World, booking: str, hour: float = 12) -> Sequence[str]:
    return possible(shown.booking(world.provider.id, booking), now=at(hour))


def test_what_can_be_said_follows_the_booking() -> None:
    world = desk_world()
    booking = requested(world)
    assert sayings(world, booking) == ("confirm", "propose", "reject")
    answer.confirm(said(world, booking), now=NOON)
    assert sayings(world, booking, -24) == ("propose", "move", "cancel"), "nobody comes before the day"
    assert sayings(world, booking, -1) == ("check_in", "propose", "move", "cancel")
    assert sayings(world, booking, 7.9)[:4] == ("check_in", "start", "complete", "propose"), "she may still come"
    assert sayings(world, booking, 8)[:4] == ("check_in", "start", "complete", "no_show")
    go(booking, BookingState.CHECKED_IN)
    assert sayings(world, booking) == ("start", "complete", "cancel")
    go(booking, BookingState.FULFILLED)
    assert sayings(world, booking) == ("start",)
    go(booking, BookingState.ENTERED_IN_ERROR)
    assert sayings(world, booking) == ()


def test_of_a_whole_day_it_can_be_said_on_the_day_that_nobody_came() -> None:
    world = desk_world()
    booking = requested(world)
    answer.confirm(said(world, booking), now=NOON)
    whole = replace(shown.booking(world.provider.id, booking), starts_at=None, ends_at=None)
    assert "no_show" in possible(whole, now=at(0))
    assert "no_show" not in possible(whole, now=at(-0.1))


def test_a_day_on_which_the_venue_is_closed_is_proposed_by_nobody() -> None:
    made = make_escorts()
    world, booking = made.world, made.hold()
    set_provider(world.provider, adapter="desk")
    submit(world.principal, booking, now=NOON)
    work(world)
    with transaction() as session:
        slots = [make_slot(world.slots[0].pool_id, EIGHT + timedelta(days=days), 5) for days in (1, 2)]
        session.add_all(slots)
    assert {each.service_date for each in times(world, booking)} >= {slot.service_date for slot in slots}
    close(made, slots[0].service_date)
    assert slots[0].service_date not in {each.service_date for each in times(world, booking)}
    with pytest.raises(VenueClosed):
        answer.propose(said(world, booking), slots[0].public_id, reason="", expires_at=None, now=NOON)
    for slot, proposals_open in ((slots[0], 0), (slots[1], 1)):
        with transaction() as session:
            proposed = Proposed(slot.external_ref, slot.service_date, slot.starts_at, slot.ends_at, at(8), "")
            told = remote(
                booking, "requested", 9 + proposals_open, proposal=proposed, reference=their_reference(booking)
            )
            apply_remote(session, world.provider.id, told, now=NOON)
            assert len(session.scalars(select(Proposal.id)).all()) == proposals_open


def times(world: World, booking: str) -> Sequence[FreeSlot]:
    """The others that its provider may propose."""
    return other_times(world.provider.id, booking, now=NOON)


def their_reference(booking: str) -> str:
    """What its provider calls it."""
    with reading() as session:
        wanted = select(ProviderBooking.reference).where(ProviderBooking.booking_id == booking_row(booking).id)
        return session.scalars(wanted).one()


def test_a_change_that_is_asked_for_is_answered_first() -> None:
    world = desk_world()
    booking = requested(world)
    answer.confirm(said(world, booking), now=NOON)
    reschedule(world.principal, booking, world.slots[2].public_id, now=NOON)
    work(world)
    assert sayings(world, booking, -24) == ("accept_change", "refuse_change", "cancel")


def test_a_yes_to_what_was_agreed_for_a_proposed_time_is_one_to_that_time() -> None:
    world = desk_world()
    booking, new = requested(world), world.slots[2]
    answer.propose(said(world, booking), new.external_ref, reason="", expires_at=None, now=NOON)
    with reading() as session:
        proposal = session.scalars(select(Proposal.public_id)).one()
    proposals.accept(world.principal, booking, proposal, now=NOON)
    assert sayings(world, booking, -24) == ("accept_change", "refuse_change", "reject"), "its command is not sent yet"
    answer.confirm(said(world, booking), now=NOON)
    row = booking_row(booking)
    assert (row.state, row.starts_at) == (BookingState.CONFIRMED, new.starts_at)
    assert shown.booking(world.provider.id, booking).change is None


@pytest.mark.parametrize("state", ["requested", "confirmed", "checked_in", "no_show"])
def test_all_that_is_offered_is_accepted(state: str) -> None:
    """Each saying is tried on a booking of its own."""
    number = 0
    offered: Sequence[str] = ("",)
    while number < len(offered):
        world = desk_world(phone=f"1380000{number:04d}")
        booking = requested(world)
        if state != "requested":
            answer.confirm(said(world, booking), now=NOON)
        if state in ("checked_in", "no_show"):
            go(booking, BookingState(state))
        offered = sayings(world, booking)
        before = shown.booking(world.provider.id, booking)
        say(world, booking, offered[number])
        assert shown.booking(world.provider.id, booking) != before, offered[number]
        number += 1
    assert number == {"requested": 3, "confirmed": 7, "checked_in": 3, "no_show": 2}[state]


def say(world: World, booking: str, saying: str) -> None:
    it, now = said(world, booking), at(7)
    other = world.slots[2].public_id
    if saying in ("check_in", "start", "complete", "no_show"):
        came = {"check_in": "checked_in", "start": "in_service", "complete": "fulfilled", "no_show": "no_show"}
        answer.report(it, came[saying], now=at(12))  # type: ignore[arg-type]
    elif saying == "propose":
        answer.propose(it, other, reason="", expires_at=None, now=now)
    elif saying == "move":
        answer.move(it, other, now=now)
    elif saying == "confirm":
        answer.confirm(it, now=now)
    else:
        {"reject": answer.reject, "cancel": answer.cancel}[saying](it, "closed", now=now)


def test_other_times_are_free_to_come_and_not_the_one_it_has() -> None:
    world = desk_world(slots=5, capacity=1)
    booking = requested(world)
    with transaction() as session:
        session.execute(update(Slot).where(Slot.id == world.slots[3].id).values(closed=True))
    times = other_times(world.provider.id, booking, now=at(9.5))
    assert [(it.id, it.left) for it in times] == [
        (world.slots[2].public_id, 1),
        (world.slots[4].public_id, 1),
    ], "one has begun, one is closed, and one is its own"


def test_other_times_of_another_provider_or_of_what_is_over_are_none() -> None:
    world, other = desk_world(), desk_world(phone="13800000022")
    booking = requested(world)
    with pytest.raises(NotFound):
        other_times(other.provider.id, booking, now=NOON)
    answer.reject(said(world, booking), "closed", now=NOON)
    with pytest.raises(NotPossibleNow):
        other_times(world.provider.id, booking, now=NOON)


def test_the_history_says_what_i_did_and_shows_no_hold() -> None:
    world, other = desk_world(), desk_world(phone="13800000022")
    booking = requested(world)
    answer.confirm(said(world, booking), now=NOON)
    lines = history(world.provider.id, booking, member=MEMBER)
    assert [(it.state, it.actor, it.mine) for it in lines] == [
        ("awaiting_provider", "customer", False),
        ("confirmed", "provider", True),
    ]
    assert [it.mine for it in history(world.provider.id, booking, member="opr_other")] == [False, False]
    assert history(other.provider.id, booking, member=MEMBER) == []
