"""The queue of reconciliation runs. At most one runs for a provider at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.reconcile.models import ReconcileRun
from marketplace.core.database.db import reading, transaction, violated
from marketplace.core.ids import new_id

LEASE = timedelta(seconds=60)
AFTER_A_FAILURE = timedelta(minutes=1)
NAMELESS = "nameless"
"""How many rows of the list may be about any booking (a count of a run): nothing is missing in such a list."""


class LostLease(Exception):
    """Another process has ended this run: it must stop."""


@dataclass(frozen=True)
class Run:
    """A run that this process has begun. `case_id` limits it to one discrepancy."""

    id: int
    public_id: str
    case_id: int | None


def ask_for_run(provider_id: int, by: Actor, *, now: datetime, case_id: int | None = None) -> bool:
    """Queue a run for the worker. False if the same one is queued already."""
    with transaction() as session:
        return queue_run(session, provider_id, by, now=now, case_id=case_id)


def queue_run(session: Session, provider_id: int, by: Actor, *, now: datetime, case_id: int | None = None) -> bool:
    """The same in the caller's transaction."""
    queued = session.execute(
        insert(ReconcileRun)
        .values(
            public_id=new_id("rec"),
            provider_id=provider_id,
            case_id=case_id,
            state="queued",
            actor_kind=by.kind,
            actor=by.id,
            asked_at=now,
        )
        .on_conflict_do_nothing()
        .returning(ReconcileRun.id)
    ).scalar_one_or_none()
    return queued is not None


def begin(provider_id: int, by: Actor | None, *, now: datetime) -> Run | None:
    """Begin a new run of `by`, or with None the oldest queued one. None while another one runs, or if none is queued.

    A run whose lease has expired is recorded as failed: its process was killed.
    """
    started = {"state": "running", "started_at": now, "lease_until": now + LEASE}
    try:
        with transaction() as session:
            session.execute(
                update(ReconcileRun)
                .where(
                    ReconcileRun.provider_id == provider_id,
                    ReconcileRun.state == "running",
                    ReconcileRun.lease_until < now,
                )
                .values(state="failed", reason="stopped", finished_at=now, lease_until=None)
            )
            if by is None:
                run = session.scalar(
                    select(ReconcileRun)
                    .where(ReconcileRun.provider_id == provider_id, ReconcileRun.state == "queued")
                    .order_by(ReconcileRun.id)
                    .limit(1)
                    .with_for_update(skip_locked=True)
                )
                if run is None:
                    return None
                for name, value in started.items():
                    setattr(run, name, value)
            else:
                run = ReconcileRun(
                    public_id=new_id("rec"),
                    provider_id=provider_id,
                    actor_kind=by.kind,
                    actor=by.id,
                    asked_at=now,
                    **started,
                )
                session.add(run)
            session.flush()
            return Run(run.id, run.public_id, run.case_id)
    except IntegrityError as refused:
        if violated(refused) != "uq_reconcile_run_running":
            raise
        return None


def due(provider_id: int, every: timedelta, now: datetime) -> bool:
    with reading() as session:
        done, tried = session.execute(
            select(
                func.max(ReconcileRun.started_at).filter(ReconcileRun.state == "done"),
                func.max(ReconcileRun.started_at),
            ).where(ReconcileRun.provider_id == provider_id, ReconcileRun.case_id.is_(None))
        ).one()
    return (done is None or now - done >= every) and (tried is None or now - tried >= min(every, AFTER_A_FAILURE))


def list_is_read(session: Session, provider_id: int, every: timedelta, now: datetime) -> bool:
    """Whether the provider's list of bookings is read as it should be: the last run that ended read it whole, and it is
    at most two intervals old. True before the first run has ended, which comes at once."""
    last = session.execute(
        select(ReconcileRun.state, ReconcileRun.started_at, ReconcileRun.counts)
        .where(
            ReconcileRun.provider_id == provider_id,
            ReconcileRun.case_id.is_(None),
            ReconcileRun.state.in_(("done", "failed")),
        )
        .order_by(ReconcileRun.id.desc())
        .limit(1)
    ).one_or_none()
    if last is None or last.started_at is None:
        return True
    return last.state == "done" and not last.counts.get(NAMELESS) and now - last.started_at <= 2 * every


def end(run: Run, state: str, now: datetime, **values: Any) -> None:
    with transaction() as session:
        session.execute(
            update(ReconcileRun)
            .where(ReconcileRun.id == run.id, ReconcileRun.state == "running")
            .values(state=state, finished_at=now, lease_until=None, **values)
        )


def go_on(run: Run, now: datetime) -> None:
    """Renew the lease. Raises LostLease."""
    with transaction() as session:
        renewed = session.execute(
            update(ReconcileRun)
            .where(ReconcileRun.id == run.id, ReconcileRun.state == "running")
            .values(lease_until=now + LEASE)
            .returning(ReconcileRun.id)
        ).scalar_one_or_none()
    if renewed is None:
        raise LostLease(run.public_id)
