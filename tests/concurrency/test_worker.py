"""The worker as a process: one leader, providers that do not hold each other up, and errors that are seen."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import select

from booking.sync.slots import pull_slots
from booking.worker.jobs import books
from booking.worker.jobs.books import expire_entitlements
from booking.worker.jobs.job import Job
from booking.worker.process import Worker
from booking.worker_models import JobRun, WorkerBeat
from marketplace.core import clock
from marketplace.core.crypto import seal_master
from marketplace.core.database.db import reading, transaction
from tests.conftest import TestDatabase
from tests.people import NOON, give, make_customer
from tests.processes import Running, start_worker
from tests.sandboxes import account, eventually, start_sandbox
from tests.stage import POOLS, Stage, set_stage
from tests.world import booking_row, connection_to, make_offer, set_provider
from vip.entitlements.of_customer import Expired

pytestmark = pytest.mark.one_postgres


@pytest.fixture
def stage(
    other_database: Callable[[str], TestDatabase], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    """A provider that confirms at once."""
    with set_stage(other_database("stage"), tmp_path, monkeypatch) as made:
        yield made


def rows(stage: Stage, statement: str) -> list[Any]:
    return stage.owner.execute(statement.encode()).fetchall()


def confirmed(public_id: str) -> Callable[[], bool]:
    return lambda: booking_row(public_id).state == "confirmed"


def name(worker: Running) -> str:
    return f"{socket.gethostname()}:{worker.pid}"


def leaders(stage: Stage) -> list[str]:
    """Who leads by the beats of the last few seconds."""
    found = rows(stage, "SELECT worker FROM worker_beat WHERE leader AND at > now() - interval '5 seconds'")
    return [each[0] for each in found]


def last_success(job: str) -> Any:
    with reading() as session:
        return session.scalar(select(JobRun.succeeded_at).where(JobRun.name == job))


def test_one_of_three_leads_and_another_takes_over_when_it_is_killed(stage: Stage) -> None:
    workers = {name(each): each for each in (stage.worker(), stage.worker(), stage.worker())}
    eventually(lambda: len(rows(stage, "SELECT 1 FROM worker_beat")) == 3, 30)
    (leader,) = eventually(lambda: leaders(stage), 30)
    workers[leader].kill()
    killed = clock.now()
    (heir,) = eventually(lambda: [each for each in leaders(stage) if each != leader], 30)
    eventually(lambda: leader not in leaders(stage), 30)
    assert heir in workers
    for job in ("holds", f"bookings:{stage.provider.code}"):
        eventually(lambda job=job: (last_success(job) or killed) > killed, 30)  # type: ignore[misc]


def test_a_worker_whose_clock_was_moved_to_tomorrow_does_not_wait_for_tomorrow(stage: Stage) -> None:
    environment = {**stage.environment, "CLOCK_OFFSET_SECONDS": "86400"}
    stage.running.append(start_worker(environment, stage.folder / "tomorrow.log"))
    eventually(lambda: last_success("holds"), 30)


@contextmanager
def second_provider(stage: Stage) -> Iterator[Stage]:
    """Another provider with a server of its own, beside the first and on the same database."""
    sandbox = start_sandbox(stage.folder / "second", [account("prompt", "prompt")], POOLS)
    try:
        provider, offer, _ = make_offer(slots=0, base_url=sandbox.base_url())
        sealed = seal_master("key-prompt", f"provider:{provider.code}:secret")
        set_provider(provider, secret_sealed=sealed, deadline_seconds=2)  # less than the stage's lease
        known, now = connection_to(provider), clock.now()
        pull_slots(known, known.open(), today=clock.today("Asia/Shanghai", now), now=now)
        yield replace(stage, sandbox=sandbox, provider=provider, offer=offer)
    finally:
        sandbox.kill()


def book(stage: Stage, customer: int, count: int) -> list[str]:
    principal, beneficiary, _ = stage.customer(customer)
    return [stage.submit(principal, beneficiary, slot) for slot in stage.slots()[:count]]


def in_state(stage: Stage, state: str) -> int:
    """How many of the provider's commands are in that state."""
    found = rows(
        stage,
        f"SELECT count(*) FROM provider_task WHERE provider_id = {stage.provider.id} AND state = '{state}'",
    )
    return int(found[0][0])


def test_a_slow_provider_does_not_delay_anothers_booking(stage: Stage) -> None:
    stage.sandbox.control().fault("slow", "*", seconds=1.5, times=None)
    with second_provider(stage) as other:
        book(stage, 1, 48)
        stage.worker()
        eventually(lambda: in_state(stage, "in_flight") > 0, 30)
        (quick,) = book(other, 2, 1)
        eventually(confirmed(quick), 30)
        assert in_state(stage, "queued") > 0, "it came after those of the slow one, or that had too few"
        assert other.live_there(quick) == 1


def most_in_flight(stage: Stage, done: int, least: int = 0) -> int:
    """The most that were seen in flight until so many are done and, however seldom we come to look, `least` were."""
    most = 0

    def look() -> bool:
        nonlocal most
        most = max(most, in_state(stage, "in_flight"))
        return most >= least and in_state(stage, "done") >= done

    eventually(look, 60)
    return most


def test_calls_in_flight_are_bounded_also_while_the_bound_changes(stage: Stage) -> None:
    set_provider(stage.provider, max_in_flight=3)
    stage.sandbox.control().fault("slow", "reserve", seconds=0.7, times=None)
    made = book(stage, 1, 40)
    stage.worker()
    assert most_in_flight(stage, 6, least=3) == 3
    set_provider(stage.provider, max_in_flight=5)
    assert most_in_flight(stage, 26, least=5) == 5
    set_provider(stage.provider, max_in_flight=1)
    eventually(lambda: in_state(stage, "in_flight") <= 1, 20)
    assert most_in_flight(stage, 31) <= 5
    set_provider(stage.provider, max_in_flight=8)
    eventually(lambda: all(confirmed(each)() for each in made), 40)
    assert [stage.live_there(each) for each in made] == [1] * 40


def test_a_changed_interval_is_followed(stage: Stage) -> None:
    set_provider(stage.provider, slots_seconds=3600)
    stage.worker()
    job = f"slots:{stage.provider.code}"
    first = eventually(lambda: last_success(job), 30)
    set_provider(stage.provider, slots_seconds=1)
    eventually(lambda: last_success(job) > first, 30)


def test_providers_that_cannot_be_spoken_to_stop_nobody_else_and_are_told_once(stage: Stage) -> None:
    unreadable, unknown = make_offer(slots=0)[0], make_offer(slots=0)[0]
    set_provider(unreadable, secret_sealed=b"not sealed by this installation's key")
    set_provider(unknown, adapter="fax")
    worker = stage.worker()
    (public_id,) = book(stage, 1, 1)
    eventually(confirmed(public_id), 30)
    seen: set[Any] = set()
    eventually(lambda: seen.update(rows(stage, "SELECT at FROM worker_beat")) or len(seen) >= 4, 30)
    log = stage.folder / "worker.log"
    told = [each for each in log.read_text().splitlines() if "provider.unusable" in each]
    assert sorted(unreadable.code in each for each in told) == [False, True]
    assert sorted(unknown.code in each for each in told) == [False, True]
    set_provider(unknown, adapter="open_protocol")
    eventually(lambda: f"slots:{unknown.code}" in {each[0] for each in rows(stage, "SELECT name FROM job_run")}, 20)
    assert worker.stop() == 0


def boom() -> dict[str, Any]:
    raise LookupError("13800000011")


def kept(job: str) -> JobRun:
    with reading() as session:
        return session.get_one(JobRun, job)


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("part", ["_pass", "_beat"])
def test_an_error_that_nobody_expected_ends_the_process_with_a_code(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker()
    monkeypatch.setattr(worker, part, boom)
    assert worker.run() == 1


@pytest.mark.usefixtures("db")
def test_two_clocks_an_hour_off_each_way_forget_no_beat_and_what_is_gone_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker = Worker()
    monkeypatch.setattr(worker, "_lead", lambda: False)
    beats = {"late": timedelta(hours=2, seconds=5), "gone": timedelta(hours=4)}
    with clock.frozen(NOON):
        with transaction() as session:
            session.add_all(WorkerBeat(worker=name, leader=False, at=NOON - ago) for name, ago in beats.items())
        worker._beat()
    with reading() as session:
        assert set(session.scalars(select(WorkerBeat.worker))) == {"late", worker.name}


@pytest.mark.usefixtures("db")
def test_a_job_that_breaks_leaves_a_note_with_the_kind_of_error_alone() -> None:
    worker = Worker()
    worker._run_job(Job("trial", 5, lambda: {"counted": 3}))
    succeeded = kept("trial").succeeded_at
    assert (kept("trial").outcome, succeeded is not None) == ({"counted": 3}, True)
    worker._run_job(Job("trial", 5, boom))
    assert (kept("trial").outcome, kept("trial").succeeded_at) == ({"error": "LookupError"}, succeeded)


@pytest.mark.usefixtures("db")
def test_all_entitlements_that_are_over_expire_in_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "EXPIRE_AT_ONCE", 2)
    customer = make_customer()
    for _ in range(5):
        give(customer, 3, valid_until=date(2026, 1, 31))
    assert expire_entitlements(Event()) == {"entitlements": 5, "units": 15, "skipped": 0}


def test_expiring_ends_when_all_that_is_left_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "expire_due", lambda now, limit: Expired(0, 0, limit, True))
    assert expire_entitlements(Event())["skipped"] == 500
