"""The worker process: `python -m booking.worker`.

Any number may run. Each works the outbox; one of them, the leader (an advisory lock), also keeps the clock: it pulls
slots, polls statuses and reports, expires holds and entitlements. Each provider has its own threads, so that a slow
one delays nobody else. It survives a database that goes away and comes back.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor as JobThreads
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from booking.dispatch import claim_tasks, note_health, run_task
from booking.expire import end_unanswered, expire_holds, forget_events, forget_keys, raise_unknown
from booking.gateway import Line, lines
from booking.models import JobRun, WorkerBeat
from booking.outbox import Claimed
from booking.report_sync import fetch_due, poll_reports
from booking.slot_sync import pull_slots
from booking.status_sync import poll_bookings
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.db import engine, reading, transaction
from marketplace.core.errors import Refusal
from marketplace.core.logging import configure, get_logger
from providers.port import ProviderAdapter, ProviderError
from vip.codes import forget_codes
from vip.entitlements import expire_due

log = get_logger(__name__)

TICK = 0.2
RETRY_SECONDS = 5
FETCH_SECONDS = 3
LEADER_LOCK = 0x414E5849  # "ANXI"


@dataclass
class Lane:
    """One provider's threads: `pool` for commands, and how many of them are busy."""

    line: Line
    pool: ThreadPoolExecutor
    busy: int = 0
    guard: threading.Lock = field(default_factory=threading.Lock)
    local: threading.local = field(default_factory=threading.local)

    def adapter(self) -> ProviderAdapter:
        """This thread's adapter, made anew when the provider's settings changed."""
        held: tuple[Line, ProviderAdapter] | None = getattr(self.local, "held", None)
        if held is None or held[0].connection != self.line.connection:
            held = (self.line, self.line.open())
            self.local.held = held
        return held[1]


class Worker:
    """One worker process. `run` blocks until `stop` is called."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.stopping = threading.Event()
        self.lanes: dict[int, Lane] = {}
        self.scheduler: BackgroundScheduler | None = None
        self._executors: set[str] = set()
        self._leader_connection: Any = None

    def stop(self, *_: object) -> None:
        """Finish what is in flight, then end."""
        self.stopping.set()

    def run(self) -> None:
        """Work until stopped."""
        log.info("worker.started", worker=self.name)
        beat = threading.Thread(target=self._every, args=(2.0, self._beat, self._lose_leadership), daemon=True)
        beat.start()
        try:
            self._every(TICK, self._pass, lambda: None)
        finally:
            if self.scheduler is not None:
                self.scheduler.shutdown(wait=False)
            for lane in self.lanes.values():
                lane.pool.shutdown(wait=True, cancel_futures=True)
            self._farewell()
            log.info("worker.stopped", worker=self.name)

    def _every(self, seconds: float, work: Callable[[], None], trouble: Callable[[], None]) -> None:
        """Repeat `work`. A database that is away is waited for, after `trouble`."""
        while not self.stopping.is_set():
            try:
                work()
            except (SQLAlchemyError, Refusal) as failed:
                log.warning("worker.database_trouble", reason=type(failed).__name__)
                trouble()
                self.stopping.wait(1.0)
            self.stopping.wait(seconds)

    # --- the outbox -------------------------------------------------------------------------------------------------

    def _pass(self) -> None:
        """Claim for every provider as much as it has free threads for."""
        for lane in list(self.lanes.values()):
            with lane.guard:
                places = lane.line.max_in_flight - lane.busy
            if places <= 0:
                continue
            claimed = claim_tasks(lane.line, worker=self.name, places=places, now=clock.now())
            with lane.guard:
                lane.busy += len(claimed)
            for task in claimed:
                lane.pool.submit(self._run_task, lane, task)

    def _run_task(self, lane: Lane, task: Claimed) -> None:
        """One command in one thread. What breaks here leaves the task claimed; its lease ends and it is looked up."""
        try:
            run_task(lane.line, lane.adapter(), task, clock.now)
        except Exception as broken:
            log.error("task.broken", provider=lane.line.code, task=task.id, error=type(broken).__name__, exc_info=True)
        finally:
            with lane.guard:
                lane.busy -= 1

    # --- heartbeat, providers, leadership ---------------------------------------------------------------------------

    def _beat(self) -> None:
        self._refresh_lanes()
        leader = self._lead()
        now = clock.now()
        with transaction() as session:
            values = {"at": now, "leader": leader}
            session.execute(
                insert(WorkerBeat)
                .values(worker=self.name, **values)
                .on_conflict_do_update(index_elements=["worker"], set_=values)
            )
            session.execute(delete(WorkerBeat).where(WorkerBeat.at < now - timedelta(hours=1)))

    def _farewell(self) -> None:
        try:
            with transaction() as session:
                session.execute(delete(WorkerBeat).where(WorkerBeat.worker == self.name))
        except SQLAlchemyError as failed:
            log.warning("worker.no_farewell", reason=type(failed).__name__)

    def _refresh_lanes(self) -> None:
        with reading() as session:
            current = {line.id: line for line in lines(session)}
        for provider_id, line in current.items():
            lane = self.lanes.get(provider_id)
            if lane is None or lane.line.max_in_flight != line.max_in_flight:
                self.lanes[provider_id] = Lane(
                    line, ThreadPoolExecutor(line.max_in_flight, thread_name_prefix=line.code)
                )
            else:
                lane.line = line

    def _lead(self) -> bool:
        """Hold the leader's lock on a connection of its own; the leader runs the clock."""
        if self._leader_connection is None:
            connection = engine().connect().execution_options(isolation_level="AUTOCOMMIT")
            if not connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LEADER_LOCK}).scalar_one():
                connection.close()
                return False
            self._leader_connection = connection
            self.scheduler = BackgroundScheduler(timezone="UTC")
            self._executors = set()
            self.scheduler.start()
            log.info("worker.leads", worker=self.name)
        self._leader_connection.execute(text("SELECT 1"))
        self._schedule()
        return True

    def _lose_leadership(self) -> None:
        connection, self._leader_connection = self._leader_connection, None
        if self.scheduler is not None:
            self.scheduler.shutdown(wait=False)
            self.scheduler = None
        if connection is not None:
            connection.invalidate()
            connection.close()

    # --- the clock --------------------------------------------------------------------------------------------------

    def _schedule(self) -> None:
        """Give every job its interval; jobs of new providers are added, known ones are left alone."""
        if self.scheduler is None:
            return
        for name, every, work in self._jobs():
            if self.scheduler.get_job(name) is None:
                executor = self._executor(self.scheduler, name.partition(":")[2])
                self.scheduler.add_job(
                    self._run_job,
                    "interval",
                    seconds=every,
                    args=(name, every, work),
                    id=name,
                    executor=executor,
                    max_instances=1,
                    coalesce=True,
                    misfire_grace_time=None,
                    next_run_time=clock.now(),
                )

    def _executor(self, scheduler: BackgroundScheduler, provider: str) -> str:
        """Each provider's jobs run in threads of their own, so that a slow one holds up neither another nor ours."""
        if not provider:
            return "default"
        if provider not in self._executors:
            scheduler.add_executor(JobThreads(4), alias=provider)
            self._executors.add(provider)
        return provider

    def _jobs(self) -> list[tuple[str, int, Callable[[], Any]]]:
        jobs: list[tuple[str, int, Callable[[], Any]]] = [
            ("holds", 1, lambda: {"expired": expire_holds(now=clock.now())}),
            ("unanswered", 15, lambda: {"asked": end_unanswered(now=clock.now())}),
            ("unknown", 15, lambda: {"open": raise_unknown(now=clock.now())}),
            ("entitlements", 300, lambda: vars(expire_due(clock.now(), 500))),
            ("keys", 3600, lambda: {"forgotten": forget_keys(now=clock.now())}),
            ("events", 3600, lambda: {"forgotten": forget_events(now=clock.now())}),
            ("codes", 3600, lambda: {"forgotten": forget_codes(now=clock.now())}),
        ]
        for lane in self.lanes.values():
            code, line = lane.line.code, lane.line
            jobs += [
                (f"slots:{code}", line.slots_seconds, self._pull(lane, self._slots)),
                (f"bookings:{code}", line.poll_seconds, self._pull(lane, self._bookings)),
                (f"reports:{code}", line.poll_seconds, self._pull(lane, self._reports)),
                (f"fetch:{code}", FETCH_SECONDS, self._pull(lane, self._fetch)),
            ]
        return jobs

    @staticmethod
    def _slots(lane: Lane) -> dict[str, int]:
        now = clock.now()
        today = clock.today(lane.line.connection.time_zone, now)
        return pull_slots(lane.line, lane.adapter(), today=today, now=now)

    @staticmethod
    def _bookings(lane: Lane) -> dict[str, int]:
        return poll_bookings(lane.line, lane.adapter(), now=clock.now())

    @staticmethod
    def _reports(lane: Lane) -> dict[str, int]:
        return poll_reports(lane.line, lane.adapter(), now=clock.now())

    @staticmethod
    def _fetch(lane: Lane) -> dict[str, int]:
        return fetch_due(lane.line, lane.adapter(), now=clock.now())

    def _pull(self, lane: Lane, work: Callable[[Lane], dict[str, int]]) -> Callable[[], dict[str, int]]:
        def pull() -> dict[str, int]:
            try:
                counts = work(lane)
            except ProviderError as problem:
                note_health(lane.line, failed=True, now=clock.now())
                log.warning("provider.unreadable", provider=lane.line.code, reason=str(problem)[:120])
                raise
            return counts

        return pull

    def _soon(self, name: str, seconds: float) -> None:
        """Run a job again before its interval is over: the provider could not be read."""
        scheduler = self.scheduler
        if scheduler is not None and scheduler.get_job(name) is not None:
            scheduler.modify_job(name, next_run_time=clock.now() + timedelta(seconds=seconds))

    def _run_job(self, name: str, every: int, work: Callable[[], dict[str, int]]) -> None:
        """Run a job and leave a note of it: when, how it ended, what it counted."""
        started = clock.now()
        try:
            outcome: dict[str, Any] = work()
            succeeded = True
        except ProviderError as problem:
            outcome, succeeded = {"error": str(problem)[:200]}, False
            self._soon(name, min(every, RETRY_SECONDS))
        except (SQLAlchemyError, Refusal) as failed:
            log.warning("job.database_trouble", job=name, reason=type(failed).__name__)
            return
        values: dict[str, Any] = {
            "every_seconds": every,
            "started_at": started,
            "finished_at": clock.now(),
            "outcome": outcome,
        }
        if succeeded:
            values["succeeded_at"] = started
        try:
            with transaction() as session:
                session.execute(
                    insert(JobRun)
                    .values(name=name, **values)
                    .on_conflict_do_update(index_elements=["name"], set_=values)
                )
        except SQLAlchemyError as failed:
            log.warning("job.not_noted", job=name, reason=type(failed).__name__)


def main() -> None:
    """Run a worker until SIGTERM or SIGINT."""
    configure(json=settings().env == "production")
    worker = Worker()
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    worker.run()


if __name__ == "__main__":
    main()
