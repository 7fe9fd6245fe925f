"""The processes of a drill: who is at work, and who is not because it was killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from drill.rig import fleet
from drill.rig.fleet import Fleet
from marketplace.development.database import DevDatabase

NAMES = ("worker-1", "worker-2")


@pytest.fixture
def at_work() -> set[int]:
    """The pids of who is at work."""
    return set()


@pytest.fixture
def two(tmp_path: Path, at_work: set[int]) -> Iterator[Fleet]:
    """Two processes that do nothing, both at work."""
    made = Fleet(
        database=cast(DevDatabase, None),
        environment=os.environ,
        logs=tmp_path,
        commands={name: ["sleep", "600"] for name in NAMES},
        ready=dict.fromkeys(NAMES, at_work.__contains__),
    )
    try:
        for name in NAMES:
            made.start(name)
        at_work |= pids(made)
        made.look()
        yield made
    finally:
        made.end()


def pids(of: Fleet) -> set[int]:
    return {process.pid for process in of._running.values()}


def test_who_was_killed_is_not_up_before_it_works_and_has_not_rested_then(two: Fleet, at_work: set[int]) -> None:
    assert two.up("worker-1")
    two.kill("worker-1")
    two.look()
    assert not two.up("worker-1")
    at_work |= pids(two)
    two.look()
    assert two.up("worker-1") and not two.up("worker-1", seconds=600)


def test_workers_are_held_down_while_each_was_killed_and_none_works_again(two: Fleet, at_work: set[int]) -> None:
    two.kill("worker-1")
    assert not two.held_down(NAMES), "the other one works"
    two.kill("worker-2")
    two.look()
    assert two.held_down(NAMES)
    at_work |= pids(two)
    two.look()
    assert not two.held_down(NAMES)


def test_a_worker_that_ended_by_itself_is_not_held_down(two: Fleet) -> None:
    two.kill("worker-1")
    two.kill("worker-2")
    process = two._running["worker-2"]
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    two.look()
    assert not two.held_down(NAMES)


def test_nor_is_one_whose_start_takes_too_long(two: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    two.kill("worker-1")
    two.kill("worker-2")
    monkeypatch.setattr(fleet, "LONGEST_START", -1.0)
    assert not two.held_down(NAMES)
