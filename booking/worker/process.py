"""The worker process: `python -m booking.worker`.

Any number may run. Each works the outbox and watches what is promised by the second; one of them, the leader (an
advisory lock), also keeps the clock: it pulls slots, polls statuses and reports, expires holds and entitlements, sends
messages and reminders. Each provider has its
own threads, so that a slow one delays nobody else. It survives a database that goes away and comes back, and ends
itself when its heartbeat or a job stands still (`watchdog`), so that whoever watches over it starts a new one. On a
restored copy (`marketplace.core.database.released`) it does nothing at all until that is released.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor as JobThreads
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from booking.calls.breaker import Call
from booking.calls.connections import provider_connections
from booking.consultation.outside.deliver import Parcel, claim_parcels, deliver, with_parcels
from booking.consultation.outside.listen import talking
from booking.escort.outside.listen import escorting
from booking.exchange.send import claim_tasks, run_task
from booking.health.counts import WRITE_SECONDS
from booking.outbox import Claimed
from booking.webhooks.senders import Senders
from booking.worker import figures
from booking.worker.jobs.consultations import PLEDGES
from booking.worker.jobs.every import all_jobs
from booking.worker.jobs.job import Job
from booking.worker.lanes import Lane, Lanes
from booking.worker.leader import LeaderLock
from booking.worker.watchdog import Watchdog
from booking.worker_models import JobRun, WorkerBeat
from marketplace.core import clock, release
from marketplace.core.config import ConfigError, settings
from marketplace.core.database import released
from marketplace.core.database.db import bare_app, reading, require_limits, transaction
from marketplace.core.database.moment import by_database
from marketplace.core.errors import Refusal
from marketplace.core.logging import configure, get_logger
from providers.conversing import conversing_adapter
from providers.port import ProviderError

log = get_logger(__name__)

TICK = 0.2
BEAT = 2.0
PLEDGES_SECONDS = 0.5
"""What is promised is looked at so often, by each worker: a breach is written within a second of its moment."""
RETRY_SECONDS = 5
AGAIN_SECONDS = 1.0
STOP_SECONDS = 60
_NEXT = "next "
_FORGOTTEN = timedelta(hours=3)
"""A beat so old is of a worker that is gone: more than two clocks differ by that are both an hour off."""


class Worker:
    """One worker process. `run` blocks until `stop` is called or something breaks that nobody expected."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.stopping = threading.Event()
        self.broken = False
        self.lanes = Lanes()
        self.scheduler: BackgroundScheduler | None = None
        self._executors: set[str] = set()
        self._lock = LeaderLock()
        self._watchdog = Watchdog()
        self._senders = Senders(clock.now)
        self._held = False
        self._overdue_seconds = settings().overdue_seconds
        self._still_seconds = settings().still_seconds

    def stop(self, *_: object) -> None:
        """Finish what is in flight, then end."""
        self.stopping.set()

    def run(self) -> int:
        """Work until stopped; the exit code: 1 when an unexpected error ended the work."""
        log.info("worker.started", worker=self.name)
        self._watchdog.start()
        beat = threading.Thread(
            target=self._every, args=(BEAT, self._beat, self._lose_leadership), name="beat", daemon=True
        )
        beat.start()
        counting = threading.Thread(target=self._count, name="counts", daemon=True)
        counting.start()
        promises = threading.Thread(
            target=self._every, args=(PLEDGES_SECONDS, self._promises, lambda: None), name="pledges", daemon=True
        )
        promises.start()
        try:
            self._every(TICK, self._pass, lambda: None)
        finally:
            self._watchdog.expect("stop", STOP_SECONDS)
            beat.join(timeout=10)
            promises.join(timeout=10)
            self._lose_leadership()  # its connection must not be lent to anybody else
            self.lanes.close()
            self._senders.close()
            counting.join(timeout=10)
            self._write_counts()
            self._farewell()
            self._watchdog.close()
            log.info("worker.stopped", worker=self.name)
        return int(self.broken)

    def _every(self, seconds: float, work: Callable[[], None], trouble: Callable[[], None]) -> None:
        """Repeat `work`. A database that is away is asked again a second later, after `trouble`; any other error ends
        the process, so that whoever watches over it starts a new one."""
        while not self.stopping.is_set():
            self._watchdog.expect(work.__name__, self._overdue_seconds)
            try:
                work()
            except (SQLAlchemyError, Refusal) as failed:
                log.warning("worker.database_trouble", reason=type(failed).__name__)
                trouble()
                self.stopping.wait(AGAIN_SECONDS)
                continue
            except Exception as unexpected:
                log.critical("worker.broken", worker=self.name, error=type(unexpected).__name__, exc_info=True)
                self.broken = True
                self.stop()
            self.stopping.wait(seconds)
        self._watchdog.forget(work.__name__)

    # --- the outbox -------------------------------------------------------------------------------------------------

    def _pass(self) -> None:
        """Claim webhooks, and each provider's commands, as many as threads are free; from a restored copy nothing."""
        if release.look():
            return
        self._senders.round()
        spoken_to = with_parcels(now=by_database)
        for lane in self.lanes.all():
            places = lane.places()
            if places <= 0:
                continue
            for task in claim_tasks(lane.provider, worker=self.name, places=places, now=clock.now()):
                lane.put(self._run_task, task)
            if lane.provider.id in spoken_to and lane.provider.converses:
                self._carry(lane)

    def _carry(self, lane: Lane) -> None:
        """What customers said goes to those whose doctors answer in a system of their own."""
        places = lane.places()
        if places > 0:
            for parcel in claim_parcels(lane.provider, places=places, now=by_database):
                lane.put(self._deliver, parcel)

    def _deliver(self, lane: Lane, parcel: Parcel) -> None:
        """One message in one thread. What breaks here leaves it claimed; its lease ends and it is sent again."""
        with self._working(lane, f"delivery {parcel.id}", "consultation.not_carried", parcel.id):
            adapter = conversing_adapter(lane.adapter(Call.COMMANDS))
            deliver(lane.provider, adapter, parcel, now=by_database)

    def _run_task(self, lane: Lane, task: Claimed) -> None:
        """One command in one thread. What breaks here leaves the task claimed; its lease ends and it is looked up."""
        with self._working(lane, f"task {task.id}", "task.broken", task.id):
            run_task(lane.provider, lane.adapter(Call.COMMANDS), task, clock.now)

    @contextmanager
    def _working(self, lane: Lane, name: str, event: str, task: int) -> Iterator[None]:
        """Around one piece of work in a lane's thread: watched, and what breaks in it ends nothing else."""
        try:
            with self._watchdog.watching(name, self._still_seconds), bare_app().app_context():
                yield
        except Exception as broken:
            facts = {"provider": lane.provider.code, "task": task, "error": type(broken).__name__}
            if isinstance(broken, SQLAlchemyError):  # no trace: the database's errors quote rows
                log.error(event, **facts)  # noqa: TRY400
            else:
                log.exception(event, **facts)

    def _promises(self) -> None:
        """Look at what is promised, whether or not this worker leads; on a restored copy nothing."""
        if not released.held():
            self._work_and_note(PLEDGES)

    # --- heartbeat, providers, leadership ---------------------------------------------------------------------------

    def _beat(self) -> None:
        held = release.look()
        if held:
            self._lose_leadership()
        if held and not self._held:
            log.error("worker.held", reason="this database was restored and not released: it sends and calls nothing")
        self._held = held
        self._refresh_lanes()
        leader = not held and self._lead()
        if not leader:
            self._watchdog.forget_all(_NEXT)
        now = clock.now()
        with transaction() as session:
            values = {"at": now, "leader": leader}
            session.execute(
                insert(WorkerBeat)
                .values(worker=self.name, **values)
                .on_conflict_do_update(index_elements=["worker"], set_=values)
            )
            session.execute(delete(WorkerBeat).where(WorkerBeat.at < now - _FORGOTTEN))

    def _count(self) -> None:
        """Write what was counted of the calls, again and again. Nobody waits for it, and its trouble ends nothing."""
        while not self.stopping.wait(WRITE_SECONDS):
            self._write_counts()

    def _write_counts(self) -> None:
        try:
            self.lanes.counts.write()
        except (SQLAlchemyError, Refusal) as failed:
            log.warning("worker.counts_not_written", reason=type(failed).__name__)

    def _farewell(self) -> None:
        try:
            with transaction() as session:
                session.execute(delete(WorkerBeat).where(WorkerBeat.worker == self.name))
        except SQLAlchemyError as failed:
            log.warning("worker.no_farewell", reason=type(failed).__name__)

    def _refresh_lanes(self) -> None:
        with reading() as session:
            self.lanes.refresh(*provider_connections(session))
            self.lanes.talking = talking(session, now=by_database)
            self.lanes.escorting = escorting(session)

    def _lead(self) -> bool:
        """Hold the leader's lock; the leader runs the clock."""
        if not self._lock.held:
            if not self._lock.take():
                return False
            self.scheduler = BackgroundScheduler(timezone="UTC")
            self._executors = set()
            self.scheduler.start()
            log.info("worker.leads", worker=self.name)
        self._lock.check()
        self._schedule()
        return True

    def _lose_leadership(self) -> None:
        if self.scheduler is not None:
            self.scheduler.shutdown(wait=False)
            self.scheduler = None
        self._watchdog.forget_all(_NEXT)
        self._lock.drop()

    # --- the clock --------------------------------------------------------------------------------------------------

    def _schedule(self) -> None:
        """Give every job its interval, a changed one too; jobs of providers that have gone end."""
        if self.scheduler is None:
            return
        jobs = {job.name: job for job in all_jobs(self.lanes, self.stopping)}
        for known in self.scheduler.get_jobs():
            job = jobs.pop(known.id, None)
            if job is None:
                known.remove()
            elif known.args[0].every != job.every:
                known.modify(args=(job,))
                known.reschedule("interval", seconds=job.every)
        for job in jobs.values():
            self.scheduler.add_job(
                self._run_job,
                "interval",
                seconds=job.every,
                args=(job,),
                id=job.name,
                executor=self._executor(self.scheduler, job.code),
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
                next_run_time=clock.of_the_machine(),
            )
            if job.brief:
                self._expect(job)

    def _executor(self, scheduler: BackgroundScheduler, provider: str) -> str:
        """Each provider's jobs run in threads of their own, so that a slow one holds up neither another nor ours."""
        if not provider:
            return "default"
        if provider not in self._executors:
            scheduler.add_executor(JobThreads(4), alias=provider)
            self._executors.add(provider)
        return provider

    def _soon(self, name: str, seconds: float) -> None:
        """Run a job again before its interval is over: the provider could not be read."""
        scheduler = self.scheduler
        if scheduler is not None:
            with suppress(JobLookupError):  # it ended meanwhile, or another worker leads
                scheduler.modify_job(name, next_run_time=clock.of_the_machine() + timedelta(seconds=seconds))

    def _run_job(self, job: Job) -> None:
        """Run a job and leave a note of it. One that stands still, or a brief one that is not begun anew, ends the
        process."""
        if job.brief:
            self._expect(job)
        if released.held():
            return
        with self._watchdog.watching(f"job {job.name}", self._still_seconds):
            self._work_and_note(job)

    def _expect(self, job: Job) -> None:
        self._watchdog.expect(f"{_NEXT}{job.name}", self._overdue_seconds)

    def _work_and_note(self, job: Job) -> None:
        """Whatever comes: when, how it ended, what it counted."""
        started = clock.now()
        values: dict[str, Any] = {"every_seconds": job.every, "started_at": started}
        try:
            with bare_app().app_context():
                values |= {"outcome": job.work(), "succeeded_at": started}
        except ProviderError as problem:
            values["outcome"] = {"error": type(problem).__name__, "reason": str(problem)[:200]}
            self._soon(job.name, min(job.every, RETRY_SECONDS))
        except (SQLAlchemyError, Refusal) as failed:  # no text: the database's errors quote rows
            values["outcome"] = {"error": type(failed).__name__}
            log.warning("job.failed", job=job.name, error=type(failed).__name__)
        except Exception as failed:
            values["outcome"] = {"error": type(failed).__name__}
            log.exception("job.failed", job=job.name, error=type(failed).__name__)
        self._note(job.name, {**values, "finished_at": clock.now()})

    def _note(self, name: str, values: dict[str, Any]) -> None:
        try:
            with transaction() as session:
                session.execute(
                    insert(JobRun)
                    .values(name=name, **values)
                    .on_conflict_do_update(index_elements=["name"], set_=values)
                )
        except (SQLAlchemyError, Refusal) as failed:
            log.warning("job.not_noted", job=name, reason=type(failed).__name__)


def main() -> int:
    """Run a worker until SIGTERM or SIGINT; the exit code."""
    try:
        configure(json=settings().env == "production")
        clock.follow_demonstration(development=settings().development)
        require_limits()
    except ConfigError as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 1
    figures.serve()
    worker = Worker()
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    return worker.run()
