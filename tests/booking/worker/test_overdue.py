"""What the worker puts under its watchdog: jobs, the clock that begins them, and commands."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine

from booking.worker import process
from booking.worker.jobs.every import all_jobs
from booking.worker.jobs.job import Job
from booking.worker.lanes import Lanes
from booking.worker.process import Worker
from marketplace.core.config import settings
from tests.sandboxes import eventually


@pytest.fixture
def go_on() -> Iterator[Event]:
    """What the jobs and commands here wait for."""
    event = Event()
    yield event
    event.set()


@pytest.fixture
def leader(db: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A worker that leads, with short limits; what is overdue is asked, and ends nothing."""
    monkeypatch.setenv("WORKER_OVERDUE_SECONDS", "1")
    monkeypatch.setenv("WORKER_STILL_SECONDS", "1")
    settings.cache_clear()
    made = Worker()
    made.scheduler = BackgroundScheduler(timezone="UTC")
    made.scheduler.start()
    yield made
    made._lose_leadership()
    monkeypatch.undo()
    settings.cache_clear()


def give(worker: Worker, monkeypatch: pytest.MonkeyPatch, job: Job) -> None:
    monkeypatch.setattr(process, "all_jobs", lambda lanes, stopping: [job])
    worker._schedule()


def test_a_job_that_stands_still_is_overdue(leader: Worker, go_on: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    give(leader, monkeypatch, Job("slots", 60, lambda: {"waited": go_on.wait(60)}))
    assert eventually(leader._watchdog.overdue) == "job slots"
    go_on.set()
    eventually(lambda: leader._watchdog.overdue() is None)


def test_a_leader_whose_clock_begins_no_job_any_more_is_overdue(
    leader: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert leader.scheduler is not None
    leader.scheduler.pause()
    give(leader, monkeypatch, Job("holds", 1, dict, brief=True))
    assert eventually(leader._watchdog.overdue) == "next holds"
    leader._lose_leadership()
    assert leader._watchdog.overdue() is None


def test_a_brief_job_that_is_begun_again_and_again_is_not_overdue(
    leader: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[None] = []

    def begin() -> dict[str, Any]:
        begun.append(None)
        return {}

    monkeypatch.setattr(leader, "_overdue_seconds", 3)
    give(leader, monkeypatch, Job("holds", 1, begin, brief=True))
    eventually(lambda: len(begun) == 5 or leader._watchdog.overdue(), 10)
    assert leader._watchdog.overdue() is None


def test_holds_are_the_brief_job() -> None:
    assert [job.name for job in all_jobs(Lanes(), Event()) if job.brief] == ["holds"]


def test_a_command_that_stands_still_is_overdue(leader: Worker, go_on: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "run_task", lambda *_: go_on.wait(60))
    lane: Any = type("Lane", (), {"provider": None, "adapter": lambda self, call: None})()
    task: Any = type("Task", (), {"id": 7})()
    thread = Thread(target=leader._run_task, args=(lane, task), daemon=True)
    thread.start()
    assert eventually(leader._watchdog.overdue) == "task 7"
    go_on.set()
    thread.join(30)
    assert leader._watchdog.overdue() is None
