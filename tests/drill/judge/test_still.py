"""The reader that looks whether anything stands still: what it counts, and what it leaves to a trouble."""

from __future__ import annotations

import types
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import psycopg
import pytest
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection

from booking.feeds.cursors import done
from drill.judge.still import MOST_STILL, Trouble, Watch, troubles_of, watch
from drill.rig.plan import make_plan
from tests.people import NOON
from tests.world import World, make_world


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def still(*troubles: Trouble, since: datetime | None = NOON, seconds: float = 100.0) -> float:
    """How long the work of provider `a` has stood still when it was looked at, so many seconds after the beginning."""
    seen = Watch(list(troubles))
    seen.look([("feed", "a", since)], later(seconds), seconds)
    return seen.longest["feed"]


def test_it_counts_from_the_last_success_or_from_the_beginning() -> None:
    assert still(since=later(70)) == 30
    assert still(since=None) == 100
    assert still(since=NOON - timedelta(hours=1)) == 100


def test_while_a_trouble_lasts_nothing_stands_still_and_afterwards_it_counts_from_its_end() -> None:
    assert still(Trouble(20, 300, "a")) == 0
    assert still(Trouble(20, 60, "a")) == 40
    assert still(Trouble(20, 60)) == 40, "of everybody's"
    assert still(Trouble(20, 60, "b")) == 100, "another's trouble explains nothing"
    assert still(Trouble(200, 300, "a")) == 100, "nor does one that is to come"


def killed_again_and_again(seen: Watch, seconds: int) -> None:
    """Of each 30 seconds no worker is there for 20; a job that succeeded at the beginning does nothing more."""
    for second in range(seconds + 1):
        seen.note(second, held_down=0 < second % 30 <= 20)
        seen.look([("job", "", NOON)], later(second), second)


def test_seconds_without_any_worker_are_left_out_and_those_between_them_count() -> None:
    seen = Watch([])
    killed_again_and_again(seen, 90)
    assert seen.longest == {"job": 30} and seen.differences() == []


def test_what_stands_still_is_found_though_workers_are_killed_again_and_again() -> None:
    seen = Watch([])
    killed_again_and_again(seen, 240)
    assert seen.longest == {"job": 80} and len(seen.differences()) == 1


def test_seconds_without_a_worker_before_the_last_success_explain_nothing() -> None:
    seen = Watch([])
    seen.note(10, held_down=False)
    seen.note(40, held_down=True)
    seen.look([("job", "", later(30))], later(100), 100)
    assert seen.longest == {"job": 60}, "of those 30 seconds 10 came after the success"


def test_more_than_a_minute_is_a_difference_and_the_longest_counts_though_it_has_ended() -> None:
    seen = Watch([])
    seen.look([("feed", "a", NOON), ("job", "", NOON)], later(MOST_STILL), MOST_STILL)
    assert seen.differences() == []
    seen.look([("feed", "a", NOON), ("job", "", later(60))], later(61), 61)
    seen.look([("feed", "a", later(62)), ("job", "", later(62))], later(62), 62)
    (difference,) = seen.differences()
    assert "feed for 61 s" in str(difference) and seen.worst() == "61.0 s: feed"


def test_outages_and_silences_are_troubles_and_a_fault_that_comes_now_and_then_is_none() -> None:
    plan = make_plan(7, 120, ("a", "b"), 10)
    found = troubles_of(plan)
    assert len(found) == sum(fault.outage for fault in plan.faults) + len(plan.silences) < len(plan.faults)
    assert [(each.at, each.until) for each in found if not each.code] == [
        (silence.at, silence.until) for silence in plan.silences
    ]


@pytest.mark.usefixtures("db")
def test_it_reads_feeds_jobs_and_due_commands_from_the_database(
    owner_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    world: World = make_world()
    code = world.provider.code
    done(world.provider.id, "slots", None, now=NOON)
    world.submit()
    owner_connection.exec_driver_sql(
        "INSERT INTO job_run (name, every_seconds, started_at, succeeded_at, outcome)"
        " VALUES ('holds', 1, %(at)s, %(at)s, '{}'), ('keys', 3600, %(at)s, %(at)s, '{}')",
        {"at": NOON},
    )
    url = owner_connection.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)

    @contextmanager
    def books() -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(url, autocommit=True, row_factory=namedtuple_row) as connection:
            yield connection

    over = Event()
    seen = Watch([])
    monkeypatch.setattr("drill.judge.still.clock.now", lambda: later(90))
    monkeypatch.setattr("drill.judge.still._LOOK", 0.01)
    look = seen.look

    def once(*args: Any) -> None:
        look(*args)
        over.set()

    monkeypatch.setattr(seen, "look", once)
    fleet = types.SimpleNamespace(held_down=lambda names: False)
    watch(types.SimpleNamespace(books=books, fleet=fleet), seen, -1000.0, over)  # type: ignore[arg-type]
    assert seen.longest == {f"feed slots of {code}": 90, "job holds": 90, f"commands of {code}": 90}
    assert len(seen.differences()) == 3
