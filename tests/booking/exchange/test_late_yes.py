"""A provider's yes that comes after the booking has ended here: nothing may go on living there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from booking.actors import CLOCK, Actor
from booking.changes.cancel import begin_cancel, cancel
from booking.changes.unanswered import end_unanswered
from booking.exchange.inbound import apply_remote
from booking.hold.expire import expire_holds
from booking.hold.submit import submit
from booking.states import BookingState
from booking.sync.bookings import poll_bookings
from booking.sync.webhooks import receive_event
from booking.transition import lock_booking, move
from marketplace.core.database.db import transaction
from providers.port import Accepted, Cancel, Confirmed
from providers.reported import BookingPage, Event, RemoteBooking
from tests.people import NOON, counters
from tests.world import (
    FakeAdapter,
    World,
    booking_row,
    connection_to,
    make_world,
    one_pass,
    remote,
    set_provider,
    taken,
    tasks,
)

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]

LATER = NOON + timedelta(hours=1)
Tell = Callable[[World, RemoteBooking], None]


def by_webhook(world: World, told: RemoteBooking) -> None:
    receive_event(world.provider.id, Event(f"evt-{told.version}", "booking", NOON, booking=told), now=LATER)


class Feed(FakeAdapter):
    """A provider whose list of bookings holds one."""

    def __init__(self, told: RemoteBooking) -> None:
        super().__init__()
        self.told = told

    def bookings_since(self, cursor: str | None, page: str | None) -> BookingPage:
        """The list."""
        return BookingPage([self.told], None, "c1")


def by_poll(world: World, told: RemoteBooking) -> None:
    poll_bookings(connection_to(world.provider), Feed(told), now=LATER)  # type: ignore[arg-type]


TELLERS = pytest.mark.parametrize("tell", [by_webhook, by_poll])


def expired(world: World) -> str:
    """A hold that ran out; the provider should never have heard of it, and yet it has."""
    public_id = world.hold()
    expire_holds(now=NOON + timedelta(minutes=10))
    return public_id


def cancelled_before_it_was_sent(world: World) -> str:
    public_id = world.submit()
    cancel(world.principal, public_id, now=NOON)
    return public_id


def cancelled_by_the_clock(world: World) -> str:
    """Asked, never answered, asked to cancel, which the provider confirmed."""
    set_provider(world.provider, answer_hours=1)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    assert end_unanswered(now=LATER) == 1
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 2)]), now=LATER)
    return public_id


ENDINGS = pytest.mark.parametrize("end", [expired, cancelled_before_it_was_sent, cancelled_by_the_clock])


@TELLERS
@ENDINGS
def test_a_late_yes_is_cancelled_there_and_moves_nothing_here(tell: Tell, end: Callable[[World], str]) -> None:
    world = make_world(quantity=1)
    public_id = end(world)
    ended = booking_row(public_id).state
    tell(world, remote(public_id, "confirmed", 9))
    adapter = FakeAdapter(answers=[Confirmed("R-1", 10)])
    assert one_pass(world, adapter, now=LATER) == ["applied"]
    (sent,) = adapter.sent
    assert isinstance(sent, Cancel) and (sent.reference, sent.reason) == ("R-1", "compensating")
    assert booking_row(public_id).state is ended
    assert counters(world.entitlement.id)["available"] == 1
    assert taken(world.slots[0]) == 0


@TELLERS
@ENDINGS
def test_told_twice_it_is_cancelled_once(tell: Tell, end: Callable[[World], str]) -> None:
    world = make_world(quantity=1)
    public_id = end(world)
    tell(world, remote(public_id, "confirmed", 9))
    tell(world, remote(public_id, "checked_in", 10))
    assert [task for task in tasks(public_id) if task[1] == "queued"] == [("cancel", "queued")]


@TELLERS
def test_a_yes_that_crosses_the_clocks_cancel_is_undone_by_it(tell: Tell) -> None:
    set_provider((world := make_world(quantity=1)).provider, answer_hours=1)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    end_unanswered(now=LATER)
    tell(world, remote(public_id, "confirmed", 2))
    assert booking_row(public_id).state is BookingState.CONFIRMED, "nothing is undone before it is certain"
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 3)]), now=LATER)
    assert booking_row(public_id).state is BookingState.CANCELLED
    assert (counters(world.entitlement.id)["available"], taken(world.slots[0])) == (1, 0)


@TELLERS
def test_the_providers_word_for_our_cancel_is_told_as_the_customers(tell: Tell) -> None:
    world = make_world(quantity=1)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    cancel(world.principal, public_id, now=NOON)
    tell(world, remote(public_id, "cancelled", 2))
    kept = booking_row(public_id)
    assert (kept.state, kept.cause) == (BookingState.CANCELLED, "customer_asked")
    assert [state for command, state in tasks(public_id) if command == "cancel"] == ["refused"], "needless now"


def test_a_message_about_a_hold_that_still_stands_goes_to_a_person() -> None:
    world = make_world(quantity=1)
    public_id = world.hold()
    with transaction() as session:
        assert apply_remote(session, world.provider.id, remote(public_id, "confirmed"), now=NOON).what == "unmatched"
    submit(world.principal, public_id, now=NOON)
    assert booking_row(public_id).state is BookingState.AWAITING_PROVIDER


def test_a_booking_that_was_entered_in_error_is_cancelled_there_too() -> None:
    world = make_world(quantity=1)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    with transaction() as session:
        booking, tasks_of = lock_booking(session, booking_row(public_id).id)
        move(session, booking, BookingState.ENTERED_IN_ERROR, actor=Actor("operator", "opr_1"), now=NOON)
        assert tasks_of == []
    by_webhook(world, remote(public_id, "checked_in", 2))
    assert ("cancel", "queued") in tasks(public_id)


def test_the_clock_does_not_ask_twice() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    for _ in range(2):
        with transaction() as session:
            booking, unfinished = lock_booking(session, booking_row(public_id).id)
            begin_cancel(session, booking, unfinished, actor=CLOCK, cause="not_answered_in_time", now=LATER)
    assert [task for task in tasks(public_id) if task[0] == "cancel"] == [("cancel", "queued")]
