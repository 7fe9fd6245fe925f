"""Moving and cancelling what is firm at once where it is covered, and asked for where it is sent on request alone."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from booking.actors import provider_actor
from booking.changes import swap
from booking.changes.cancel import cancel
from booking.changes.proposals import accept
from booking.changes.reschedule import moved_at_once, reschedule
from booking.changes.withdraw import withdraw
from booking.exchange.inbound import apply_remote
from booking.hold.submit import submit
from booking.models import Booking, ChangeRequest, Slot
from booking.states import BookingState
from booking.transition import lock_booking
from booking.views.customer import booking as view
from marketplace.core.database.db import reading, transaction
from providers.port import Accepted, Confirmed, Refused
from providers.reported import Proposed
from tests.escorts import EscortWorld, cover, make_escorts, put
from tests.people import NOON
from tests.world import DAY, FakeAdapter, booking_row, one_pass, remote, taken, tasks

pytestmark = pytest.mark.usefixtures("db")

_S = BookingState
NEXT = 24
"""The slot at the same hour of the next day."""


def escorts(*, first: Any = "covered", then: Any = "on_request") -> EscortWorld:
    """Places given in advance, at a hospital whose coverage is another one from the second day on."""
    made = make_escorts(level=first, allotment=True, slots=30)
    cover(then, since=DAY + timedelta(days=1))
    return made


def submitted(made: EscortWorld, *, sent: bool = True) -> str:
    booking = made.hold()
    submit(made.world.principal, booking, now=NOON)
    if sent:
        one_pass(made.world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    assert booking_row(booking).state is _S.CONFIRMED
    return booking


def move(made: EscortWorld, booking: str, slot: int = NEXT) -> None:
    reschedule(made.world.principal, booking, made.world.slots[slot].public_id, now=NOON)


def answer(made: EscortWorld, *answers: Any) -> None:
    one_pass(made.world, FakeAdapter(answers=list(answers)), now=NOON + timedelta(minutes=1))


def coverage(booking: str) -> Any:
    return booking_row(booking).snapshot["coverage"]


def at(booking: str) -> tuple[date, str | None]:
    """Its day, and what is asked of its provider."""
    with reading() as session:
        row = session.scalars(select(Booking).where(Booking.public_id == booking)).one()
        open_ones = select(ChangeRequest.kind).where(ChangeRequest.booking_id == row.id, ChangeRequest.state == "open")
        return row.service_date, session.scalar(open_ones)


def test_a_move_to_a_day_on_request_is_asked_for_and_then_said_by_the_booking() -> None:
    made = escorts()
    booking = submitted(made)
    put(version=2, until=DAY + timedelta(days=40))
    assert not moved_at_once(made.world.principal, booking, made.world.slots[NEXT].public_id)
    move(made, booking)
    row = booking_row(booking)
    assert (at(booking), row.snapshot["coverage"], row.snapshot["policy"]["version"]) == (
        (DAY, "reschedule"),
        "covered",
        1,
    )
    assert view(made.world.principal, booking, now=NOON).change_due_at is not None
    answer(made, Confirmed("R-1", 2))
    row = booking_row(booking)
    assert at(booking) == (DAY + timedelta(days=1), None)
    assert (row.snapshot["coverage"], row.snapshot["policy"]["version"]) == ("on_request", 2)
    assert "after_change" not in row.snapshot


def test_back_at_its_old_day_it_says_again_what_it_said_of_that() -> None:
    made = escorts()
    booking = submitted(made)
    put(version=2, until=DAY + timedelta(days=40))
    move(made, booking)
    answer(made, Confirmed("R-1", 2))
    with transaction() as session:
        row, _ = lock_booking(session, booking_row(booking).id)
        slot = session.get_one(Slot, made.world.slots[0].id)
        assert swap.go_back(session, row, slot, actor=provider_actor(session, row), now=NOON)
    row = booking_row(booking)
    assert (row.service_date, row.snapshot["coverage"], row.snapshot["policy"]["version"]) == (DAY, "covered", 1)


def test_what_was_on_request_moves_at_once_to_a_day_that_is_covered_and_by_request_to_one_that_is_not() -> None:
    made = escorts(first="on_request", then="covered")
    booking = submitted(made)
    assert not moved_at_once(made.world.principal, booking, made.world.slots[1].public_id)
    assert moved_at_once(made.world.principal, booking, made.world.slots[NEXT].public_id)
    move(made, booking, 1)
    assert at(booking) == (DAY, "reschedule")
    answer(made, Refused("full"))
    assert "after_change" not in booking_row(booking).snapshot
    move(made, booking)
    assert (at(booking), coverage(booking)) == ((DAY + timedelta(days=1), None), "covered")


def test_a_change_that_is_taken_back_leaves_what_the_booking_said() -> None:
    made = escorts()
    booking = submitted(made)
    before = booking_row(booking).snapshot
    move(made, booking)
    withdraw(made.world.principal, booking, now=NOON)
    assert (at(booking), booking_row(booking).snapshot) == ((DAY, None), before)


def test_a_proposal_of_a_covered_day_confirms_what_was_asked_for_when_the_provider_answers() -> None:
    made = escorts(first="on_request", then="covered")
    booking = made.hold()
    submit(made.world.principal, booking, now=NOON)
    answer(made, Accepted("R-1", 1))
    slot, row = made.world.slots[NEXT], booking_row(booking)
    until = NOON + timedelta(hours=6)
    other = Proposed(slot.external_ref, slot.service_date, slot.starts_at, slot.ends_at, expires_at=until, reason="")
    now: dict[str, Any] = {"service_date": row.service_date, "starts_at": row.starts_at, "ends_at": row.ends_at}
    with transaction() as session:
        apply_remote(session, made.world.provider.id, remote(booking, "requested", 2, **now, proposal=other), now=NOON)
    shown = view(made.world.principal, booking, now=NOON).proposal
    assert shown is not None
    accept(made.world.principal, booking, shown.id, now=NOON)
    assert (at(booking), booking_row(booking).state) == ((DAY, "reschedule"), _S.AWAITING_PROVIDER)
    answer(made, Confirmed("R-1", 3))
    row = booking_row(booking)
    assert (at(booking)[0], row.state, coverage(booking)) == (slot.service_date, _S.CONFIRMED, "covered")


@pytest.mark.parametrize(("first", "ends"), [("covered", True), ("on_request", False)])
def test_a_cancel_is_asked_for_where_the_booking_was(first: str, ends: bool) -> None:
    made = escorts(first=first)
    booking = submitted(made)
    assert view(made.world.principal, booking, now=NOON).ends_at_once is ends
    cancel(made.world.principal, booking, now=NOON)
    assert (booking_row(booking).state is _S.CANCELLED) is ends
    assert at(booking)[1] == (None if ends else "cancel")


@pytest.mark.parametrize("sent", [True, False])
def test_a_cancel_while_a_move_is_asked_for_gives_both_places_back(sent: bool) -> None:
    """What the provider doesn't know of ends at once with its move; else it is asked, and both end with its answer."""
    made = escorts()
    booking = submitted(made, sent=sent)
    move(made, booking)
    assert not view(made.world.principal, booking, now=NOON).ends_at_once
    cancel(made.world.principal, booking, now=NOON)
    if sent:
        assert at(booking) == (DAY, "cancel")
        answer(made, Confirmed("R-1", 2))
    assert booking_row(booking).state is _S.CANCELLED and at(booking)[1] is None
    assert [taken(made.world.slots[each]) for each in (0, NEXT)] == [0, 0]
    assert {state for _, state in tasks(booking)} <= {"done", "refused"}
