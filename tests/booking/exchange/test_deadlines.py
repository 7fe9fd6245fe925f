"""Pauses, the breaker, and what ends by the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from booking.changes.cancel import CancelTooLate, NotCancellable, cancel
from booking.changes.unanswered import end_unanswered
from booking.exchange.escalate import raise_unknown
from booking.hold.expire import expire_holds
from booking.hold.submit import HoldExpired, NotHeld, submit
from booking.models import Slot
from booking.views.customer import booking as view
from booking.views.lists import When, bookings
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from providers.port import Accepted, Confirmed, Refused, RetryAfter, Unknown
from tests.booking.exchange.settling import LATER, SOON, open_cases, state, tell, unit
from tests.people import NOON
from tests.world import (
    DAY,
    EIGHT,
    FakeAdapter,
    booking_row,
    breaker_row,
    claim_all,
    join,
    make_world,
    one_pass,
    remote,
    set_breaker,
    set_provider,
    taken,
    tasks,
)
from vip.models import Entitlement

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]


def test_a_paused_provider_gets_nothing_new_but_is_still_asked() -> None:
    world = make_world()
    asked, waiting = world.submit(0), None
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=NOON)
    waiting = world.submit(1, now=SOON)
    set_provider(world.provider, paused_at=SOON)
    adapter = FakeAdapter(found=[remote(asked, "confirmed")])
    one_pass(world, adapter, now=LATER)
    assert (state(asked), state(waiting), adapter.sent) == ("confirmed", "awaiting_provider", [])


@pytest.mark.parametrize("failure", [Unknown("timed out"), RetryAfter(5, reached=False)])
def test_five_failures_in_a_row_open_the_breaker_for_a_while(failure: Unknown | RetryAfter) -> None:
    world = make_world(slots=6, quantity=6)
    for slot in range(6):
        world.submit(slot)
    one_pass(world, FakeAdapter(answers=[failure] * 6), now=NOON)
    assert claim_all(world, now=NOON + timedelta(seconds=10)) == []
    assert len(claim_all(world, now=NOON + timedelta(seconds=16))) == 1


@pytest.mark.parametrize("answer", [Confirmed("R-1"), Refused("closed"), RetryAfter(5)])
def test_any_answer_of_the_provider_closes_the_breaker(answer: Confirmed | Refused | RetryAfter) -> None:
    world = make_world()
    world.submit()
    set_breaker(world.provider, failures=7, open_until=NOON)
    one_pass(world, FakeAdapter(answers=[answer]), now=NOON)
    assert breaker_row(world.provider) == (0, None, None)


def test_a_hold_ends_with_the_clock_and_cannot_be_confirmed_after() -> None:
    world = make_world(quantity=1)
    public_id = world.hold()
    with pytest.raises(HoldExpired):
        submit(world.principal, public_id, now=NOON + timedelta(minutes=10))
    assert expire_holds(now=NOON + timedelta(minutes=9)) == 0
    assert expire_holds(now=NOON + timedelta(minutes=10)) == 1
    assert (state(public_id), unit(world), taken(world.slots[0])) == ("expired", (1, 0, 0), 0)
    with pytest.raises(HoldExpired):
        submit(world.principal, public_id, now=NOON)


def test_confirming_twice_sends_once_and_a_cancelled_one_cannot_be_confirmed() -> None:
    world = make_world()
    public_id = world.submit()
    submit(world.principal, public_id, now=SOON)
    assert tasks(public_id) == [("reserve", "queued")]
    cancel(world.principal, public_id, now=SOON)
    with pytest.raises(NotHeld):
        submit(world.principal, public_id, now=SOON)


def test_a_stranger_finds_no_booking() -> None:
    world = make_world()
    public_id = world.hold()
    other = join(world.provider, world.offer, world.slots, phone="13800000029")
    for attempt in (submit, cancel, view):
        with pytest.raises(NotFound):
            attempt(other.principal, public_id, now=NOON)  # type: ignore[operator]
    assert state(public_id) == "held"


def test_the_window_for_cancelling_closes() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    starts = world.slots[0].starts_at
    assert starts is not None
    with pytest.raises(CancelTooLate):
        cancel(world.principal, public_id, now=starts - timedelta(hours=24))
    tell(world, remote(public_id, "checked_in", 2), EIGHT)
    with pytest.raises(NotCancellable):
        cancel(world.principal, public_id, now=NOON)


def test_a_request_nobody_answers_ends_at_its_deadline_when_the_provider_agrees() -> None:
    world = make_world(quantity=1)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    assert end_unanswered(now=NOON + timedelta(hours=47)) == 0
    deadline = NOON + timedelta(hours=48)
    assert end_unanswered(now=deadline) == 1
    assert state(public_id) == "awaiting_provider"
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 2)]), now=deadline)
    assert (state(public_id), booking_row(public_id).cause, unit(world)) == (
        "cancelled",
        "not_answered_in_time",
        (1, 0, 0),
    )


@pytest.mark.parametrize("heard", [True, False], ids=["asked, and it never decided", "no worker ever asked"])
def test_what_the_clock_cancels_after_validity_is_the_providers_fault_and_gets_the_grace(heard: bool) -> None:
    world = make_world(quantity=1)
    with transaction() as session:
        session.execute(update(Entitlement).values(valid_until=DAY, grace_days=30))
    public_id = world.submit()
    if heard:
        one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    after = NOON + timedelta(days=10)  # two days after the entitlement's last day
    assert end_unanswered(now=after) == 1
    if heard:
        one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 2)]), now=after)
    assert (state(public_id), unit(world)) == ("cancelled", (1, 0, 0))
    with reading() as session:
        assert session.get_one(Entitlement, world.entitlement.id).valid_until == date(2026, 4, 11)
        line = session.scalars(select(AuditLine).where(AuditLine.action == "entitlement.lengthened")).one()
    assert line.facts == {"by": "provider", "before": "2026-03-10", "after": "2026-04-11"}


def test_an_outcome_unknown_for_ten_minutes_becomes_a_case_once() -> None:
    world = make_world()
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[remote(public_id, "confirmed")])
    one_pass(world, adapter, now=NOON)
    assert raise_unknown(now=NOON + timedelta(minutes=9)) == 0
    raise_unknown(now=NOON + timedelta(minutes=10))
    raise_unknown(now=NOON + timedelta(minutes=11))
    assert open_cases() == ["outcome_unknown"]
    one_pass(world, adapter, now=NOON + timedelta(minutes=12))
    assert open_cases() == []


def test_a_request_for_a_whole_day_is_answered_before_that_day_begins_at_the_site() -> None:
    world = make_world()
    midnight = datetime(2026, 3, 9, 16, 0, tzinfo=UTC)  # of 10 March in Shanghai
    with transaction() as session:
        session.execute(update(Slot).values(starts_at=None, ends_at=None))
    public_id = world.submit(now=midnight - timedelta(hours=20))
    assert booking_row(public_id).answer_due_at == midnight - timedelta(hours=1)
    assert view(world.principal, public_id, now=NOON).cancel_until == midnight - timedelta(hours=24)


def test_a_provider_that_takes_its_time_has_it_until_an_hour_before_the_visit() -> None:
    world = make_world()
    public_id = world.submit()
    begins = booking_row(public_id).starts_at
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1, answer_by=begins + timedelta(days=2))]), now=NOON)
    assert booking_row(public_id).answer_due_at == begins - timedelta(hours=1)


@pytest.mark.parametrize(("hour", "when"), [(15, "upcoming"), (16, "past")])
def test_a_booking_is_past_when_its_day_is_over_at_the_site(hour: int, when: When) -> None:
    world = make_world()
    public_id = world.submit()
    now = datetime(2026, 3, 10, hour, 0, tzinfo=UTC)  # 23:00, and midnight in Shanghai
    assert [card.id for card in bookings(world.principal, cursor=None, limit=10, now=now, when=when).items] == [
        public_id
    ]
