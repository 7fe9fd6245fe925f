"""Who answers slowly: told with a reason where it is known, and not told where too little is."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from booking.actors import Actor
from booking.health import histogram
from booking.health.answers import ANSWERS
from booking.health.counts import INSERT, Came
from booking.health.slowly import LATELY, LEAST_LATELY, note_slow, slow_from
from booking.health.usual import EVERY, LEAST_USUALLY, WHERE_UNKNOWN, note_usual
from booking.offers.answers_slowly import AnswersSlowly, SlowReason
from booking.offers.availability import OfferQuery, offer, search_offers
from booking.states import BookingState
from booking.transition import lock_booking, move
from booking.views.customer import booking
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from tests.people import NOON
from tests.world import World, booking_row, go, make_world, set_breaker, set_provider

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world() -> World:
    """A provider that answers requests."""
    return make_world(quantity=3)


def told(world: World) -> AnswersSlowly | None:
    return offer(world.offer.public_id, now=NOON).card.answers_slowly


def took(world: World, number: int, each: timedelta, *, at: datetime) -> None:
    """So many answers within five minutes, each after that time."""
    times = [each.total_seconds() * 1000] * number
    row = {
        "provider_id": world.provider.id,
        "call": ANSWERS,
        "at": at.isoformat(),
        "calls": number,
        **dict.fromkeys(Came, 0),
        Came.SUCCEEDED: number,
        "milliseconds": round(sum(times)),
        "histogram": histogram.counted(times),
    }
    with transaction() as session:
        session.execute(text(f"{INSERT} calls = excluded.calls"), {"rows": json.dumps([row])})


def usually(world: World, each: timedelta, number: int = LEAST_USUALLY) -> None:
    took(world, number, each, at=NOON - timedelta(days=2))


def lately(world: World, each: timedelta, number: int = LEAST_LATELY) -> None:
    took(world, number, each, at=NOON - timedelta(hours=1))


def test_all_is_well_and_nothing_is_said(world: World) -> None:
    world.submit(0)
    assert note_slow(now=NOON) == {"slow": 0, "changed": 0}
    assert told(world) is None


def test_a_pause_is_told_at_once_and_ends_with_it(world: World) -> None:
    set_provider(world.provider, paused_at=NOON - MINUTE)
    note_slow(now=NOON)
    assert told(world) == AnswersSlowly(NOON - MINUTE, SlowReason.PAUSED)
    set_provider(world.provider, paused_at=None)
    assert note_slow(now=NOON) == {"slow": 0, "changed": 1}
    assert told(world) is None


@pytest.mark.parametrize(("ago", "reason"), [(59, None), (60, SlowReason.NOT_REACHED)])
def test_a_breaker_of_commands_is_told_once_it_is_open_for_a_minute(
    world: World, ago: int, reason: SlowReason | None
) -> None:
    since = NOON - timedelta(seconds=ago)
    set_breaker(world.provider, failures=5, opened_at=since, open_until=NOON)
    note_slow(now=NOON)
    assert told(world) == (AnswersSlowly(since, reason) if reason else None)


def test_commands_that_wait_for_two_minutes_are_told(world: World) -> None:
    world.submit(0)
    note_slow(now=NOON + 2 * MINUTE - timedelta(seconds=1))
    assert told(world) is None
    note_slow(now=NOON + 2 * MINUTE)
    assert told(world) == AnswersSlowly(NOON, SlowReason.NOT_TAKEN)


def test_twice_as_long_as_usual_is_slow(world: World) -> None:
    usually(world, 30 * MINUTE)
    lately(world, 50 * MINUTE)
    note_slow(now=NOON)
    assert told(world) is None
    took(world, LEAST_LATELY + 1, 70 * MINUTE, at=NOON - timedelta(hours=2))
    note_slow(now=NOON)
    assert told(world) == AnswersSlowly(NOON, SlowReason.SLOWER)
    note_slow(now=NOON + MINUTE)
    assert told(world) == AnswersSlowly(NOON, SlowReason.SLOWER), "since then, not since the last look"


def test_a_quick_one_that_takes_some_minutes_is_not_slow(world: World) -> None:
    usually(world, timedelta(seconds=2))
    lately(world, 10 * MINUTE)
    note_slow(now=NOON)
    assert told(world) is None


@pytest.mark.parametrize(("number", "reason"), [(LEAST_LATELY - 1, None), (LEAST_LATELY, SlowReason.SLOWER)])
def test_of_too_few_requests_nothing_is_said(world: World, number: int, reason: SlowReason | None) -> None:
    usually(world, MINUTE)
    lately(world, 300 * MINUTE, number)
    note_slow(now=NOON)
    found = told(world)
    assert (found.reason if found else None) is reason


def test_where_nothing_usual_is_known_half_of_the_pledge_counts(world: World) -> None:
    set_provider(world.provider, answer_hours=10)
    usually(world, MINUTE, LEAST_USUALLY - 1)
    lately(world, timedelta(hours=4))
    note_slow(now=NOON)
    assert told(world) is None
    took(world, LEAST_LATELY + 1, timedelta(hours=6), at=NOON - timedelta(hours=2))
    note_slow(now=NOON)
    assert told(world) == AnswersSlowly(NOON, SlowReason.SLOWER)


def test_requests_that_nobody_answers_count_once_they_wait_for_too_long(world: World) -> None:
    usually(world, MINUTE)
    lately(world, 100 * MINUTE, LEAST_LATELY - 1)
    made = world.submit(0, now=NOON - timedelta(minutes=15))
    set_provider(world.provider, answer_hours=48)
    _no_command_waits()
    note_slow(now=NOON)
    assert told(world) is None, "a quarter of an hour and a minute is slow; this one may still be answered before"
    note_slow(now=NOON + 3 * MINUTE)
    assert told(world) == AnswersSlowly(NOON + 3 * MINUTE, SlowReason.SLOWER)
    go(made, BookingState.CONFIRMED)
    note_slow(now=NOON + 4 * MINUTE)
    assert told(world) is None


def _no_command_waits() -> None:
    with transaction() as session:
        session.execute(text("UPDATE provider_task SET state = 'done', finished_at = now()"))


def test_places_that_are_ours_are_confirmed_at_once_whoever_is_slow(world: World) -> None:
    set_provider(world.provider, paused_at=NOON, allotment=True)
    assert note_slow(now=NOON) == {"slow": 0, "changed": 0}


def test_searches_and_a_booking_that_waits_say_so_and_one_that_is_confirmed_does_not(world: World) -> None:
    made = world.submit(0)
    set_provider(world.provider, paused_at=NOON)
    note_slow(now=NOON)
    slow = AnswersSlowly(NOON, SlowReason.PAUSED)
    assert [card.answers_slowly for card in search_offers(OfferQuery(), now=NOON).items] == [slow]
    assert booking(world.principal, made, now=NOON).answers_slowly == slow
    go(made, BookingState.CONFIRMED)
    assert booking(world.principal, made, now=NOON).answers_slowly is None


def test_a_reason_of_a_later_release_is_not_shown(world: World) -> None:
    set_provider(world.provider, answers_slowly_since=NOON, answers_slowly_reason="on_fire")
    assert told(world) is None


def test_slow_is_never_less_than_a_quarter_of_an_hour_more_than_usual() -> None:
    assert slow_from(1_000, timedelta(hours=1)) == timedelta(minutes=15, seconds=1)
    assert slow_from(None, timedelta(hours=1)) == timedelta(minutes=30)


def test_the_young_ones_that_wait_count_as_quick_so_that_the_old_ones_alone_make_nobody_slow(world: World) -> None:
    usually(world, MINUTE)
    lately(world, 100 * MINUTE, LEAST_LATELY)
    took(world, 3, MINUTE, at=NOON - timedelta(hours=2))
    note_slow(now=NOON + MINUTE)
    assert told(world) == AnswersSlowly(NOON + MINUTE, SlowReason.SLOWER), "five of eight"
    for slot in range(3):
        world.submit(slot, now=NOON)
    _no_command_waits()
    note_slow(now=NOON + MINUTE)
    assert told(world) is None, "five of eleven"


def test_a_night_in_which_nobody_works_makes_nobody_slow(world: World) -> None:
    usually(world, 30 * MINUTE)
    took(world, 7, 20 * MINUTE, at=NOON - timedelta(hours=18))
    lately(world, 100 * MINUTE, 2)
    for slot in range(3):
        world.submit(slot, now=NOON - timedelta(hours=10))
    _no_command_waits()
    note_slow(now=NOON)
    assert told(world) is None
    note_slow(now=NOON - timedelta(hours=18) + LATELY)
    found = told(world)
    assert found is not None and found.reason is SlowReason.SLOWER, "what was quick was more than a day ago"


def test_one_that_goes_on_after_an_unknown_outcome_waits_since_it_was_asked_for(world: World) -> None:
    usually(world, MINUTE)
    lately(world, 100 * MINUTE, LEAST_LATELY - 1)
    made = world.submit(0, now=NOON)
    later = NOON + 15 * MINUTE
    for state in (BookingState.OUTCOME_UNKNOWN, BookingState.AWAITING_PROVIDER):
        with transaction() as session:
            row, _ = lock_booking(session, booking_row(made).id)
            move(session, row, state, actor=Actor("system"), now=later)
    _no_command_waits()
    note_slow(now=NOON + 18 * MINUTE)
    assert told(world) == AnswersSlowly(NOON + 18 * MINUTE, SlowReason.SLOWER)


def test_what_is_usual_is_found_once_a_day_and_sooner_where_nothing_was_known(world: World) -> None:
    assert note_usual(now=NOON) == 1 and usual(world) is None
    usually(world, 30 * MINUTE)
    assert note_usual(now=NOON + WHERE_UNKNOWN - MINUTE) == 0
    assert note_usual(now=NOON + WHERE_UNKNOWN) == 1
    found = usual(world)
    assert found is not None and 0.9 < found / 1_800_000 < 1.1
    assert note_usual(now=NOON + WHERE_UNKNOWN + EVERY - MINUTE) == 0
    assert note_usual(now=NOON + WHERE_UNKNOWN + EVERY) == 1


def test_the_answers_of_a_day_are_found_by_their_index() -> None:
    with transaction() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = session.execute(
            text("EXPLAIN SELECT * FROM provider_call_count WHERE call = 'answers' AND at > now() - interval '1 day'")
        ).scalars()
        assert "ix_provider_call_count_answers" in " ".join(plan)


def usual(world: World) -> int | None:
    with reading() as session:
        return session.get_one(Provider, world.provider.id).usual_answer_ms
