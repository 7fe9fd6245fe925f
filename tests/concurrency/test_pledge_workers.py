"""Pledges with worker processes: some die, some have a wrong clock; each breach is written once and in time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from booking.consultation.say import Said, customer_says
from booking.pledges.models import Pledge
from booking.worker_models import WorkerBeat
from marketplace.core.database.db import reading
from marketplace.core.database.moment import by_database, now_by_database
from tests.booking.consultation.rooms import Practice, make_practice
from tests.booking.pledges.rows import compensations, granted, pledges
from tests.eventually import eventually
from tests.processes import Running, killed_afterwards, start_worker

pytestmark = pytest.mark.one_postgres
SECONDS = 4
LATE = timedelta(seconds=8)
"""Of a machine that does much else. Who took another clock for its own would be an hour off, or never there."""
OFFSETS = (0, 3600, -3600)


@pytest.fixture
def workers(db: object, tmp_path: Path) -> Iterator[list[Running]]:
    """Three that work: one's own clock is right, one's an hour ahead and one's an hour behind."""
    made = [
        start_worker({**os.environ, "CLOCK_OFFSET_SECONDS": str(offset)}, tmp_path / f"worker{offset}.log")
        for offset in OFFSETS
    ]
    with killed_afterwards(*made):
        eventually(lambda: len(_names()) == len(made), 60)
        yield made


def _names() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(WorkerBeat.worker)))


def _leader() -> str:
    with reading() as session:
        return session.scalar(select(WorkerBeat.worker).where(WorkerBeat.leader)) or ""


def ask(practice: Practice, number: int) -> None:
    """A question whose moment is the database's, as at the entrypoints."""
    opened = practice.open().conversation
    customer_says(practice.world.principal, opened, Said(f"message-{number}", "嗓子疼"), now=by_database)


def practice() -> Practice:
    return make_practice(quantity=50, package={"pledge_seconds": SECONDS})


def over() -> list[Pledge]:
    """All, once each has ended."""
    found = pledges()
    return found if all(each.breached_at for each in found) else []


def assert_each_once_and_in_time(count: int) -> None:
    found = eventually(over, SECONDS + 40)
    assert len(found) == len(compensations()) == len(granted()) - 1 == count
    for each in found:
        assert timedelta() <= each.breached_at - each.due_at <= LATE
        assert isinstance(each.begun_at, datetime)


def test_three_workers_with_clocks_an_hour_off_break_each_once_and_in_time(workers: list[Running]) -> None:
    asked = practice()
    for number in range(5):
        ask(asked, number)
    assert_each_once_and_in_time(5)


def test_whichever_worker_dies_before_the_moment_the_others_keep_it(workers: list[Running]) -> None:
    """The leader above all: what only a leader did would wait for another one."""
    leader = eventually(_leader, 30)
    dying = next(each for each in workers if leader.endswith(f":{each.pid}"))
    asked = practice()
    ask(asked, 0)
    ask(asked, 1)
    due = pledges()[0].due_at
    eventually(lambda: now_by_database() > due - timedelta(seconds=0.5), SECONDS + 2)
    dying.kill()
    assert_each_once_and_in_time(2)
