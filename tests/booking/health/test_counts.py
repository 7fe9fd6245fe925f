"""What a worker counts of its calls: several add up, and what could not be written is not lost."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from booking.calls.breaker import Call
from booking.health import counts as counting
from booking.health import histogram
from booking.health.counts import Came, Counts, span_of
from booking.health.models import ProviderCallCount
from booking.personal.retention import forget_old
from marketplace.core.config import settings
from marketplace.core.database.db import reading, transaction
from tests.people import NOON
from tests.world import World, make_world

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]


@pytest.fixture
def world() -> World:
    """A provider."""
    return make_world()


def stored() -> list[ProviderCallCount]:
    with reading() as session:
        return list(session.scalars(select(ProviderCallCount).order_by(ProviderCallCount.call, ProviderCallCount.at)))


def test_two_workers_add_up_in_one_row_of_five_minutes(world: World) -> None:
    one, other = Counts(), Counts()
    for counts, came, milliseconds in (
        (one, Came.SUCCEEDED, 40),
        (one, Came.TIMED_OUT, 8_000),
        (other, Came.SUCCEEDED, 90),
    ):
        counts.add(world.provider.id, Call.COMMANDS, came, milliseconds, at=NOON + timedelta(minutes=4, seconds=59))
    assert (one.write(), other.write()) == (1, 1)
    (row,) = stored()
    assert (row.at, row.calls, row.succeeded, row.timed_out, row.milliseconds) == (NOON, 3, 2, 1, 8_130)
    assert row.histogram == histogram.counted((40, 90, 8_000))


def test_workers_that_write_at_once_lose_nothing(world: World) -> None:
    def work() -> None:
        for _ in range(10):
            counts = Counts()
            for call in (Call.SLOTS, Call.COMMANDS):
                counts.add(world.provider.id, call, Came.SUCCEEDED, 5, at=NOON)
            counts.write()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(row.call, row.calls) for row in stored()] == [("commands", 40), ("slots", 40)]


def test_kinds_and_spans_of_time_are_apart(world: World) -> None:
    counts = Counts()
    counts.add(world.provider.id, Call.SLOTS, Came.SUCCEEDED, 5, at=NOON)
    counts.add(world.provider.id, Call.SLOTS, Came.SUCCEEDED, 5, at=NOON + timedelta(minutes=5))
    counts.add(world.provider.id, Call.REPORTS, Came.UNREADABLE, 5, at=NOON)
    assert counts.write() == 3
    assert [(row.call, row.at, row.unreadable) for row in stored()] == [
        ("reports", NOON, 1),
        ("slots", NOON, 0),
        ("slots", NOON + timedelta(minutes=5), 0),
    ]


def test_what_was_written_is_not_written_again(world: World) -> None:
    counts = Counts()
    counts.add(world.provider.id, Call.SLOTS, Came.SUCCEEDED, 5, at=NOON)
    assert (counts.write(), counts.write()) == (1, 0)
    assert [row.calls for row in stored()] == [1]


def test_what_could_not_be_written_is_counted_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = Counts()
    counts.add(world.provider.id, Call.SLOTS, Came.SUCCEEDED, 5, at=NOON)
    with monkeypatch.context() as broken:
        broken.setattr(counting, "_ADD", counting.text("SELECT 1 / 0"))
        with pytest.raises(SQLAlchemyError):
            counts.write()
    counts.add(world.provider.id, Call.SLOTS, Came.SUCCEEDED, 7, at=NOON)
    counts.write()
    assert [row.calls for row in stored()] == [2]


def test_a_row_whose_parts_do_not_make_its_sum_is_refused(world: World) -> None:
    counts = Counts()
    counts.add(world.provider.id, Call.SLOTS, Came.SUCCEEDED, 5, at=NOON)
    counts.write()
    with pytest.raises(SQLAlchemyError, match="ck_provider_call_count_calls"), transaction() as session:
        session.execute(update(ProviderCallCount).values(calls=2))


def test_counts_are_deleted_after_their_days(world: World) -> None:
    days = settings().call_count_days
    counts = Counts()
    for age in (days - 1, days + 1):
        counts.add(world.provider.id, Call.SLOTS, Came.SUCCEEDED, 5, at=NOON - timedelta(days=age))
    counts.write()
    assert forget_old(now=NOON)["provider_call_count"] == 1
    assert [row.at for row in stored()] == [span_of(NOON - timedelta(days=days - 1))]
