"""The outbox: commands that must reach a provider, stored before they are sent.

A PostgreSQL job table claimed in batches with SKIP LOCKED and a lease, by any number of workers. A task that may
have been sent before is claimed for a look-up, never for a blind resend.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from booking.models import Booking, ProviderTask
from marketplace.core.config import settings
from marketplace.core.ids import new_id

Command = Literal["reserve", "cancel", "change", "decline"]

UNFINISHED = ("queued", "in_flight", "unknown", "parked")


@dataclass(frozen=True)
class Claimed:
    """A task in a worker's hands. `tries` fences: only this claim may settle it. `sent_before` asks for a look-up.
    `probe` is the lease of the breaker's probe, if this task is the one."""

    id: int
    booking_id: int
    provider_id: int
    command: Command
    key: str
    tries: int
    lease_until: datetime
    sent_before: bool
    probe: datetime | None = None


def enqueue(
    session: Session,
    booking: Booking,
    command: Command,
    *,
    now: datetime,
    change_request_id: int | None = None,
    facts: Mapping[str, Any] | None = None,
) -> ProviderTask:
    """Add a command behind the booking's earlier ones. The caller holds the booking's lock."""
    last = session.scalar(
        select(ProviderTask.seq).where(ProviderTask.booking_id == booking.id).order_by(ProviderTask.seq.desc()).limit(1)
    )
    task = ProviderTask(
        public_id=new_id("tsk"),
        provider_id=booking.provider_id,
        booking_id=booking.id,
        change_request_id=change_request_id,
        seq=(last or 0) + 1,
        command=command,
        key=str(uuid.uuid4()),
        state="queued",
        run_after=now,
        created_at=now,
        facts=dict(facts or {}),
    )
    session.add(task)
    session.flush()
    return task


def lock_unfinished(session: Session, booking_id: int) -> list[ProviderTask]:
    """Lock the booking's unfinished tasks, lowest first; the caller holds the booking's lock."""
    return list(
        session.scalars(
            select(ProviderTask)
            .where(ProviderTask.booking_id == booking_id, ProviderTask.state.in_(UNFINISHED))
            .order_by(ProviderTask.seq)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def finish(task: ProviderTask, state: Literal["done", "refused"], *, now: datetime, error: str = "") -> None:
    """End a task; a claim that is still out can no longer settle it."""
    task.state = state
    task.finished_at = now
    task.lease_until = None
    task.last_error = error
    task.unknown_since = None


def annul(task: ProviderTask, *, now: datetime) -> None:
    """End a task that was never sent."""
    finish(task, "refused", now=now, error="annulled")


def unsent(task: ProviderTask) -> bool:
    """Whether the provider cannot have seen the command."""
    return task.first_sent_at is None


_CLAIM = text(
    """
    WITH ready AS (
      SELECT c.id, c.first_sent_at IS NOT NULL AS sent_before
        FROM provider_task c
       WHERE c.provider_id = :provider AND c.run_after <= :now
         AND (c.state IN ('queued', 'unknown') OR (c.state = 'in_flight' AND c.lease_until <= :now))
         AND (NOT :paused OR c.first_sent_at IS NOT NULL)
         AND NOT EXISTS (SELECT 1 FROM provider_task earlier
                          WHERE earlier.booking_id = c.booking_id AND earlier.seq < c.seq
                            AND earlier.state = ANY(:unfinished))
       ORDER BY CASE WHEN :fewest_tries THEN c.tries END, c.run_after, c.id LIMIT :places FOR UPDATE OF c SKIP LOCKED
    )
    UPDATE provider_task t
       SET state = 'in_flight', tries = t.tries + 1, lease_until = :lease, worker = :worker,
           first_sent_at = coalesce(t.first_sent_at, :now)
      FROM ready WHERE t.id = ready.id
    RETURNING t.id, t.booking_id, t.provider_id, t.command, t.key, t.tries, t.lease_until, ready.sent_before
    """
)


def claim(
    session: Session,
    provider_id: int,
    *,
    worker: str,
    places: int,
    paused: bool,
    now: datetime,
    probe: datetime | None = None,
) -> list[Claimed]:
    """Take up to `places` tasks of a provider that are due. Only a booking's lowest unfinished task can be had; a
    paused provider is still looked up, but gets nothing new. The lease (setting OUTBOX_LEASE_SECONDS) must be longer
    than any call's deadline and its settling together.

    For a breaker's `probe` one task is taken, the one with the fewest tries: a command that always fails by its own
    fault stands behind all others then.
    """
    rows = session.execute(
        _CLAIM,
        {
            "provider": provider_id,
            "now": now,
            "paused": paused,
            "places": places if probe is None else min(places, 1),
            "fewest_tries": probe is not None,
            "lease": now + timedelta(seconds=settings().outbox_lease_seconds),
            "worker": worker,
            "unfinished": list(UNFINISHED),
        },
    )
    return [Claimed(**row._mapping, probe=probe) for row in rows]
