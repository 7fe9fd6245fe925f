"""Breakers: what fails in one kind of call stops that kind only, and one probe finds out when it is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from booking.calls import breaker
from booking.calls.breaker import FAILURES, PAUSE, PROBE_LEASE, BreakerState, Call, Permit, after_failure
from booking.calls.through import LeftAlone, through
from booking.exchange import send
from booking.exchange.send import run_task
from booking.feeds.cursors import NotApplied
from marketplace.core.database.db import transaction
from marketplace.core.errors import Busy
from providers.port import Answer, ComeBackLater, Confirmed, ProviderError, RetryAfter, Unknown
from tests.people import NOON
from tests.world import (
    FakeAdapter,
    World,
    booking_row,
    breaker_row,
    claim_all,
    connection_to,
    make_world,
    one_pass,
    set_breaker,
    set_provider,
)

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]

SILENT = Unknown("status 500")
OVER = NOON + PAUSE
LEASE = OVER + PROBE_LEASE
CLOSED = BreakerState()
OPEN = BreakerState(5, NOON, OVER)
PROBING = BreakerState(5, NOON, OVER, LEASE)


@pytest.mark.parametrize(
    ("before", "probe", "now", "after"),
    [
        (CLOSED, None, NOON, BreakerState(1)),
        (BreakerState(FAILURES - 2), None, NOON, BreakerState(FAILURES - 1)),
        (BreakerState(FAILURES - 1), None, NOON, OPEN),
        (OPEN, None, NOON + timedelta(seconds=9), BreakerState(6, NOON, OVER)),
        (OPEN, None, OVER, BreakerState(6, NOON, OVER)),
        (PROBING, None, OVER, BreakerState(6, NOON, OVER, LEASE)),
        (PROBING, LEASE, LEASE, BreakerState(6, NOON, LEASE + PAUSE)),
        (PROBING, LEASE - timedelta(seconds=1), LEASE, BreakerState(6, NOON, OVER, LEASE)),
    ],
    ids=[
        "one of many",
        "one before the last",
        "the last",
        "a straggler while open",
        "a straggler after the pause",
        "a straggler during the probe",
        "the probe",
        "a probe whose lease had ended",
    ],
)
def test_what_a_failure_makes_of_a_breaker(
    before: BreakerState, probe: datetime | None, now: datetime, after: BreakerState
) -> None:
    assert after_failure(before, probe=probe, now=now) == after


def broken() -> dict[str, int]:
    raise ProviderError("status 500")


def read(world: World, call: Call, work: Callable[[], dict[str, int]], now: datetime = NOON) -> dict[str, int]:
    return through(call, connection_to(world.provider), work, lambda: now)


def break_feed(world: World, call: Call, times: int = FAILURES, now: datetime = NOON) -> None:
    for _ in range(times):
        with pytest.raises(ProviderError):
            read(world, call, broken, now)


@pytest.mark.parametrize("call", [call for call in Call if call is not Call.COMMANDS])
def test_reads_that_fail_stop_no_command_and_no_other_read(call: Call) -> None:
    world = make_world()
    public_id = world.submit()
    break_feed(world, call, FAILURES * 3)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1")]), now=NOON)
    assert booking_row(public_id).state.value == "confirmed"
    for other in set(Call) - {call, Call.COMMANDS}:
        assert read(world, other, lambda: {"read": 1}) == {"read": 1}
    with pytest.raises(LeftAlone):
        read(world, call, lambda: {"read": 1})


def test_commands_that_fail_stop_no_read() -> None:
    world = make_world(slots=6, quantity=6)
    for slot in range(6):
        world.submit(slot)
    one_pass(world, FakeAdapter(answers=[SILENT] * 6), now=NOON)
    assert claim_all(world, now=NOON + timedelta(seconds=14)) == []
    assert read(world, Call.SLOTS, lambda: {"read": 1}) == {"read": 1}
    assert breaker_row(world.provider)[0] == 6, "a feed's success says nothing about commands"


def test_a_feeds_own_success_closes_its_breaker() -> None:
    world = make_world()
    break_feed(world, Call.REPORTS)
    assert breaker_row(world.provider, Call.REPORTS) == (FAILURES, OVER, None)
    assert read(world, Call.REPORTS, dict, OVER) == {}
    assert breaker_row(world.provider, Call.REPORTS) == (0, None, None)


def test_a_feed_that_was_read_but_not_applied_is_no_failure_of_the_provider() -> None:
    world = make_world()
    break_feed(world, Call.BOOKINGS)

    def not_applied() -> dict[str, int]:
        raise NotApplied("1 broken")

    with pytest.raises(NotApplied):
        read(world, Call.BOOKINGS, not_applied, OVER)
    assert breaker_row(world.provider, Call.BOOKINGS) == (0, None, None)


def test_work_that_had_nothing_to_ask_closes_nothing_and_gives_the_probe_back() -> None:
    world = make_world()
    set_breaker(world.provider, Call.RECONCILE, failures=5, opened_at=NOON, open_until=NOON)
    through(Call.RECONCILE, connection_to(world.provider), dict, lambda: OVER, may_idle=True)
    assert breaker_row(world.provider, Call.RECONCILE) == (5, NOON, None)


def test_reports_that_all_failed_to_come_are_a_failure_and_one_that_came_is_none() -> None:
    world = make_world()
    read(world, Call.FETCHES, lambda: {"failed": 3})
    assert breaker_row(world.provider, Call.FETCHES)[0] == 1
    read(world, Call.FETCHES, lambda: {"failed": 3, "stored": 1})
    assert breaker_row(world.provider, Call.FETCHES)[0] == 0


def test_an_open_breaker_gives_one_probe_and_its_success_lets_all_go() -> None:
    world = make_world(slots=3, quantity=3)
    for slot in range(3):
        world.submit(slot)
    set_breaker(world.provider, failures=5, opened_at=NOON, open_until=NOON)
    (probe,) = claim_all(world, now=NOON)
    assert claim_all(world, now=NOON, worker="w2") == []
    run_task(connection_to(world.provider), FakeAdapter(answers=[Confirmed("R-1")]), probe, lambda: NOON)  # type: ignore[arg-type]
    assert breaker_row(world.provider) == (0, None, None)
    assert len(claim_all(world, now=NOON)) == 2


def test_a_probe_that_fails_begins_the_pause_anew_and_a_straggler_does_not() -> None:
    world = make_world(slots=3, quantity=3)
    for slot in range(3):
        world.submit(slot)
    late = claim_all(world, now=NOON)[2]
    set_breaker(world.provider, failures=5, opened_at=NOON, open_until=NOON)
    known = connection_to(world.provider)
    run_task(known, FakeAdapter(answers=[SILENT]), late, lambda: NOON + timedelta(seconds=5))  # type: ignore[arg-type]
    assert breaker_row(world.provider) == (6, NOON, None)
    later = NOON + timedelta(seconds=31)  # the leases are over
    one_pass(world, FakeAdapter(found=[SILENT]), now=later)
    assert breaker_row(world.provider) == (7, later + PAUSE, None)


def test_a_probe_whose_worker_died_frees_itself_with_its_lease() -> None:
    world = make_world(slots=2, quantity=2)
    world.submit(0)
    world.submit(1)
    set_breaker(world.provider, failures=5, opened_at=NOON, open_until=NOON)
    assert len(claim_all(world, now=NOON)) == 1
    assert claim_all(world, now=NOON + PROBE_LEASE - timedelta(seconds=1), worker="w2") == []
    assert len(claim_all(world, now=NOON + PROBE_LEASE, worker="w2")) == 1


def test_nothing_to_send_keeps_no_probe() -> None:
    world = make_world()
    set_breaker(world.provider, failures=5, opened_at=NOON, open_until=NOON)
    assert claim_all(world, now=NOON) == []
    world.submit()
    assert len(claim_all(world, now=NOON)) == 1


@pytest.mark.parametrize("own_fault", [SILENT, RetryAfter(1, reached=False)])
def test_a_command_that_always_fails_does_not_keep_the_breaker_open(own_fault: Answer) -> None:
    world = make_world(slots=2, quantity=2)
    bad = world.submit(0)
    now = NOON
    while breaker_row(world.provider)[1] is None:
        answers = FakeAdapter(answers=[own_fault], found=[Unknown("status 500")])
        one_pass(world, answers, now=now)
        now += timedelta(seconds=61)
    good = world.submit(1)
    adapter = FakeAdapter(answers=[Confirmed("R-2")])
    one_pass(world, adapter, now=now)
    assert [command.our_reference for command in adapter.sent] == [good]
    assert (booking_row(good).state.value, breaker_row(world.provider)) == ("confirmed", (0, None, None))
    assert booking_row(bad).state.value != "confirmed"


def test_a_probe_whose_answer_cannot_be_settled_yet_closes_the_breaker(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_args: object, **_more: object) -> None:
        raise Busy()

    world = make_world()
    world.submit()
    set_breaker(world.provider, failures=5, opened_at=NOON, open_until=NOON)
    monkeypatch.setattr(send, "settle_answer", busy)
    with pytest.raises(Busy):
        one_pass(world, FakeAdapter(answers=[Confirmed("R-1")]), now=NOON)
    assert breaker_row(world.provider) == (0, None, None)


def test_an_operators_pause_counts_nothing() -> None:
    world = make_world()
    world.submit()
    set_provider(world.provider, paused_at=NOON)
    for minute in range(FAILURES * 2):
        assert claim_all(world, now=NOON + timedelta(minutes=minute)) == []
    assert breaker_row(world.provider) == (0, None, None)


def test_a_probe_is_given_back_by_its_holder_only() -> None:
    world = make_world()
    set_breaker(world.provider, failures=5, opened_at=NOON, open_until=OVER, probe_until=LEASE)
    with transaction() as session:
        breaker.give_back(session, world.provider.id, Call.COMMANDS, Permit(LEASE - timedelta(seconds=1)))
    assert breaker_row(world.provider) == (5, OVER, LEASE)


def asks_for_a_minute() -> dict[str, int]:
    raise ComeBackLater("status 429", 60.0)


def test_a_pause_that_the_provider_asks_for_holds_back_all_reads_and_no_command() -> None:
    world = make_world()
    public_id = world.submit()
    with pytest.raises(ComeBackLater):
        through(Call.SLOTS, connection_to(world.provider), asks_for_a_minute, lambda: NOON, chance=lambda: 0.0)
    for call in set(Call) - {Call.COMMANDS}:
        with pytest.raises(LeftAlone):
            read(world, call, lambda: {"read": 1}, NOON + timedelta(seconds=59))
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1")]), now=NOON)
    assert booking_row(public_id).state.value == "confirmed"
    assert read(world, Call.BOOKINGS, lambda: {"read": 1}, NOON + timedelta(seconds=60)) == {"read": 1}


def test_callers_come_back_a_little_later_than_asked_and_not_all_at_once() -> None:
    world = make_world()
    with pytest.raises(ComeBackLater):
        through(Call.SLOTS, connection_to(world.provider), asks_for_a_minute, lambda: NOON, chance=lambda: 0.5)
    with pytest.raises(LeftAlone):
        read(world, Call.SLOTS, lambda: {"read": 1}, NOON + timedelta(seconds=65))
    assert read(world, Call.SLOTS, lambda: {"read": 1}, NOON + timedelta(seconds=66)) == {"read": 1}


def test_being_asked_to_come_later_is_no_failure_and_frees_the_probe() -> None:
    world = make_world()
    for second in range(FAILURES * 2):
        with pytest.raises(ComeBackLater):
            read(world, Call.REPORTS, asks_for_a_minute, NOON + timedelta(minutes=2 * second))
    assert breaker_row(world.provider, Call.REPORTS) == (0, None, None)
    set_breaker(world.provider, Call.SLOTS, failures=5, opened_at=NOON, open_until=NOON)
    later = NOON + timedelta(hours=2)
    with pytest.raises(ComeBackLater):
        read(world, Call.SLOTS, asks_for_a_minute, later)
    assert breaker_row(world.provider, Call.SLOTS) == (5, NOON, None)


def test_a_look_that_is_out_of_date_claims_no_probe() -> None:
    """The pause began anew between the look at the breaker and the claim."""
    world = make_world()
    set_breaker(world.provider, failures=5, opened_at=NOON, open_until=NOON + timedelta(seconds=1))
    lease = NOON + timedelta(minutes=1)
    with transaction() as session:
        assert not breaker._claim_probe(session, world.provider.id, Call.COMMANDS, lease, NOON)
    with transaction() as session:
        assert breaker._claim_probe(session, world.provider.id, Call.COMMANDS, lease, NOON + timedelta(seconds=1))


@pytest.mark.parametrize(("counts", "failures"), [({"read": 1}, 0), ({}, 2)])
def test_work_that_may_idle_closes_its_breaker_when_it_did_something(counts: dict[str, int], failures: int) -> None:
    world = make_world()
    set_breaker(world.provider, Call.RECONCILE, failures=2)
    through(Call.RECONCILE, connection_to(world.provider), lambda: counts, lambda: NOON, may_idle=True)
    assert breaker_row(world.provider, Call.RECONCILE)[0] == failures
