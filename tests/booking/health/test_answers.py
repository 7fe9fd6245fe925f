"""How long providers take to answer a request is counted from the histories, once each however often it is counted."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text

from booking.actors import Actor, ActorKind
from booking.health import histogram
from booking.health.answers import ANSWERS, count_answers
from booking.health.models import ProviderCallCount
from booking.states import BookingState
from booking.transition import lock_booking, move
from marketplace.core.database.db import reading, transaction
from tests.people import NOON
from tests.world import World, booking_row, make_world

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]
S = BookingState


@pytest.fixture
def world() -> World:
    """A provider that answers requests."""
    return make_world(quantity=3)


def answered(public_id: str, *states: BookingState, at: datetime, by: ActorKind = "provider") -> None:
    for state in states:
        with transaction() as session:
            booking, _ = lock_booking(session, booking_row(public_id).id)
            move(session, booking, state, actor=Actor(by), now=at)


def stored() -> list[tuple[datetime, int, list[int]]]:
    with reading() as session:
        rows = session.scalars(
            select(ProviderCallCount).where(ProviderCallCount.call == ANSWERS).order_by(ProviderCallCount.at)
        )
        return [(row.at, row.calls, row.histogram) for row in rows]


def test_an_answer_is_counted_with_the_time_since_it_was_asked_for(world: World) -> None:
    answered(world.submit(0), S.CONFIRMED, at=NOON + timedelta(minutes=7))
    answered(world.submit(1), S.REJECTED, at=NOON + timedelta(minutes=8))
    later = NOON + timedelta(minutes=10)
    assert count_answers(now=later) == {"spans": 1}
    minutes = [7 * 60_000.0, 8 * 60_000.0]
    assert stored() == [(NOON + timedelta(minutes=5), 2, histogram.counted(minutes))]
    count_answers(now=later + timedelta(minutes=1))
    assert stored() == [(NOON + timedelta(minutes=5), 2, histogram.counted(minutes))]


def test_one_that_was_committed_late_is_found(world: World) -> None:
    answered(world.submit(0), S.CONFIRMED, at=NOON + timedelta(minutes=12))
    count_answers(now=NOON + timedelta(minutes=13))
    answered(world.submit(1), S.CONFIRMED, at=NOON + timedelta(minutes=6))
    count_answers(now=NOON + timedelta(minutes=14))
    assert [(at, calls) for at, calls, _steps in stored()] == [
        (NOON + timedelta(minutes=5), 1),
        (NOON + timedelta(minutes=10), 1),
    ]


def test_after_a_long_pause_of_the_workers_nothing_is_missing(world: World) -> None:
    answered(world.submit(0), S.CONFIRMED, at=NOON + timedelta(minutes=1))
    count_answers(now=NOON + timedelta(minutes=2))
    answered(world.submit(1), S.CONFIRMED, at=NOON + timedelta(hours=3))
    count_answers(now=NOON + timedelta(days=1))
    assert [calls for _at, calls, _steps in stored()] == [1, 1]


def test_a_look_at_what_is_unknown_begins_no_new_request(world: World) -> None:
    booking = world.submit(0)
    answered(booking, S.OUTCOME_UNKNOWN, S.AWAITING_PROVIDER, at=NOON + timedelta(minutes=20), by="system")
    answered(booking, S.CONFIRMED, at=NOON + timedelta(minutes=30))
    count_answers(now=NOON + timedelta(minutes=31))
    assert [steps for _at, _calls, steps in stored()] == [histogram.counted([30 * 60_000.0])]


def test_what_others_end_is_no_answer(world: World) -> None:
    answered(world.submit(0), S.CANCELLED, at=NOON + timedelta(minutes=3), by="clock")
    answered(world.submit(1), S.CONFIRMED, at=NOON + timedelta(minutes=3), by="operator")
    assert count_answers(now=NOON + timedelta(minutes=4)) == {"spans": 0}


def test_the_lines_are_found_by_their_index() -> None:
    with transaction() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = session.execute(
            text(
                "EXPLAIN SELECT * FROM booking_history WHERE at >= now() AND actor_kind = 'provider'"
                " AND from_state IN ('awaiting_provider','outcome_unknown') AND to_state IN ('confirmed','rejected')"
            )
        ).scalars()
        assert "ix_booking_history_answered" in " ".join(plan)
