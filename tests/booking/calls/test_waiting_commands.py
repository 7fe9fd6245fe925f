"""Commands that are not taken: one discrepancy for each provider and cause, and each customer notified once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from booking.calls.waiting_commands import COMMANDS_WAITING, NOTICE, is_waiting, raise_waiting
from booking.changes.cancel import cancel
from booking.discrepancies import Discrepancy
from booking.messages.freshness import stale
from booking.models import Booking
from booking.notices.models import Notification
from marketplace.core.database.db import reading, transaction
from providers.port import Confirmed, RetryAfter, Unknown
from tests.people import NOON
from tests.world import FakeAdapter, booking_row, join, make_world, one_pass, set_breaker, set_provider

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]

TWO_MINUTES = NOON + timedelta(minutes=2)


def cases(*, closed: bool = False) -> list[tuple[str, list[str]]]:
    """The discrepancies about waiting commands: cause and bookings."""
    query = select(Discrepancy).where(
        Discrepancy.kind == COMMANDS_WAITING,
        Discrepancy.closed_at.is_not(None) if closed else Discrepancy.closed_at.is_(None),
    )
    with reading() as session:
        return [(row.subject, row.facts["bookings"]) for row in session.scalars(query.order_by(Discrepancy.subject))]


def notified() -> list[str]:
    """The bookings whose customers were notified that a command waits."""
    query = select(Booking.public_id).join(Notification, Notification.booking_id == Booking.id)
    with reading() as session:
        return sorted(session.scalars(query.where(Notification.kind == NOTICE)))


def open_breaker(world: Any) -> None:
    set_breaker(world.provider, failures=5, opened_at=NOON, open_until=NOON + timedelta(hours=1))


def test_what_waits_for_two_minutes_is_one_discrepancy_with_its_bookings_and_closes_itself() -> None:
    world = make_world(slots=2, quantity=2)
    both = sorted([world.submit(0), world.submit(1)])
    open_breaker(world)
    raise_waiting(now=TWO_MINUTES - timedelta(seconds=1))
    assert cases() == []
    for minutes in range(2, 8):
        raise_waiting(now=NOON + timedelta(minutes=minutes))
    assert cases() == [("not_reached", both)]
    assert len(notified()) == 1, "one customer has both: she is told once"
    set_breaker(world.provider, failures=0, opened_at=None, open_until=None)
    later = NOON + timedelta(minutes=8)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1"), Confirmed("R-2")]), now=later)
    raise_waiting(now=later)
    assert (cases(), cases(closed=True)) == ([], [("not_reached", both)])


def test_a_customer_who_comes_into_the_trouble_later_is_told_too_and_another_trouble_is_told_anew() -> None:
    world = make_world(slots=3, quantity=2)
    other = join(world.provider, world.offer, world.slots, phone="13800000029")
    first = world.submit(0)
    open_breaker(world)
    raise_waiting(now=TWO_MINUTES)
    second = other.submit(1, now=TWO_MINUTES)
    raise_waiting(now=NOON + timedelta(minutes=4))
    assert notified() == sorted([first, second])
    set_breaker(world.provider, failures=0, opened_at=None, open_until=None)
    over = NOON + timedelta(minutes=5)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1"), Confirmed("R-2")]), now=over)
    raise_waiting(now=over)
    open_breaker(world)
    third = world.submit(2, now=over)
    raise_waiting(now=over + timedelta(minutes=2))
    assert notified() == sorted([first, second, third])


@pytest.mark.parametrize(
    ("answer", "cause"), [(RetryAfter(30), "told_to_wait"), (RetryAfter(30, reached=False), "not_reached")]
)
def test_what_a_provider_does_not_take_waits_though_it_was_sent(answer: RetryAfter, cause: str) -> None:
    world = make_world()
    public_id = world.submit()
    for minute in range(3):
        one_pass(world, FakeAdapter(answers=[answer]), now=NOON + timedelta(minutes=minute))
    raise_waiting(now=TWO_MINUTES)
    assert cases() == [(cause, [public_id])]
    assert notified() == [public_id]


def test_a_cancel_that_cannot_get_out_is_raised() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1")]), now=NOON)
    cancel(world.principal, public_id, now=NOON)
    one_pass(world, FakeAdapter(answers=[RetryAfter(3600)]), now=NOON)
    raise_waiting(now=TWO_MINUTES)
    assert (cases(), notified()) == ([("told_to_wait", [public_id])], [public_id])


def test_commands_that_no_worker_comes_for_are_raised() -> None:
    world = make_world()
    public_id = world.submit()
    raise_waiting(now=TWO_MINUTES)
    assert cases() == [("not_sent", [public_id])]


def test_an_operators_pause_is_no_trouble_and_ends_one() -> None:
    world = make_world()
    world.submit()
    set_provider(world.provider, paused_at=NOON)
    raise_waiting(now=NOON + timedelta(hours=1))
    assert (cases(), notified()) == ([], [])
    set_provider(world.provider, paused_at=None)
    raise_waiting(now=NOON + timedelta(hours=1))
    set_provider(world.provider, paused_at=NOON)
    raise_waiting(now=NOON + timedelta(hours=1))
    assert (cases(), len(cases(closed=True))) == ([], 1)


def test_a_command_that_was_sent_and_is_asked_about_is_not_waiting() -> None:
    world = make_world()
    world.submit()
    one_pass(world, FakeAdapter(answers=[Unknown("silent")]), now=NOON)
    raise_waiting(now=NOON + timedelta(minutes=5))
    assert cases() == []


@pytest.mark.parametrize(("taken", "code"), [(False, ""), (True, "moved_on")])
def test_a_message_of_a_command_that_was_taken_meanwhile_is_not_sent(taken: bool, code: str) -> None:
    world = make_world()
    public_id = world.submit()
    raise_waiting(now=TWO_MINUTES)
    if taken:
        one_pass(world, FakeAdapter(answers=[Confirmed("R-1")]), now=TWO_MINUTES)
    with transaction() as session:
        notice = session.scalars(select(Notification).where(Notification.kind == NOTICE)).one()
        assert stale(session, notice, TWO_MINUTES) == code
    assert booking_row(public_id).state.value == ("confirmed" if taken else "awaiting_provider")


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_a_probe_that_is_on_its_way_does_not_end_the_trouble() -> None:
    world = make_world()
    world.submit()
    open_breaker(world)
    raise_waiting(now=at(2))
    set_breaker(world.provider, failures=5, opened_at=NOON, open_until=at(2))

    def while_it_is_sent(_: object) -> RetryAfter:
        raise_waiting(now=at(3))
        return RetryAfter(5, reached=False)

    one_pass(world, FakeAdapter(answers=[while_it_is_sent]), now=at(3))
    raise_waiting(now=at(3))
    assert (len(cases()), cases(closed=True), len(notified())) == (1, [], 1)


def test_each_customer_is_told_of_her_own_trouble_and_of_her_own_booking() -> None:
    """One provider, two causes: who waits for the one is not told of the other, and who does not wait of none."""
    world = make_world(slots=3, quantity=2)
    other = join(world.provider, world.offer, world.slots, phone="13800000029")
    taken_there = world.submit(2)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1")]), now=NOON)
    unreached, busy = world.submit(0), other.submit(1)
    one_pass(world, FakeAdapter(answers=[RetryAfter(3600, reached=False), RetryAfter(3600)]), now=NOON)
    raise_waiting(now=TWO_MINUTES)
    assert sorted(booking for _, bookings in cases() for booking in bookings) == sorted([unreached, busy])
    assert len(cases()) == 2 and notified() == sorted([unreached, busy])
    with reading() as session:
        waits = {each: is_waiting(session, booking_row(each).id) for each in (taken_there, unreached, busy)}
    assert waits == {taken_there: False, unreached: True, busy: True}
