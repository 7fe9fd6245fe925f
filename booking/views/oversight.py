"""What operators look at: the health of providers, jobs that did not run, and whether the audit is sealed.

Discrepancies are in booking.reconcile.cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.calls.breaker import Call
from booking.calls.models import ProviderBreaker
from booking.discrepancies import Discrepancy
from booking.feeds.models import SyncCursor
from booking.models import Booking, Feed, ProviderTask
from booking.reconcile.cases import seen_by
from booking.reconcile.look_ups import Reached, reached
from booking.reconcile.queue import list_is_read
from booking.worker_models import JobRun
from marketplace.catalog.models import Provider
from marketplace.chain.heads import HeadsFile
from marketplace.chain.watch import UNSEALED_SECONDS, LastVerification, last_verification, unsealed_seconds
from marketplace.core import integrity
from marketplace.core.clock import today
from marketplace.core.config import settings
from marketplace.core.database.db import reading
from marketplace.core.integrity import Alarm
from marketplace.core.text import Text
from providers.registry import capabilities
from vip import roles
from vip.principal import Principal

MISSED_INTERVALS = 3
LEAST_WAIT = timedelta(seconds=60)
"""A job of every second is late after a minute, not after three: a worker that starts again needs that long."""


@dataclass(frozen=True)
class BreakerView:
    """A breaker that is not quite well: `failures` in a row, and calls of its kind wait until `open_until`, if set;
    `probing` while one call tries whether the provider is well again."""

    failures: int
    open_until: datetime | None = None
    probing: bool = False


@dataclass(frozen=True)
class ProviderHealth:
    """A provider now. `pulled` gives the last complete pull of each feed (slots, bookings, reports), None if there was
    none yet. `breakers` are those of the kinds of call that failed last; no command is sent while `paused_at` is set or
    the one of commands is open. `waiting` and `unknown` count commands. `look_ups`: how far they get up to tomorrow,
    and later, where bookings are looked up one by one because the list of them is not read. `answers_here`: it answers
    in our books, so that nothing is read from it. `id` is internal."""

    code: str
    name: Text
    pulled: Mapping[str, datetime | None]
    breakers: Mapping[Call, BreakerView]
    paused_at: datetime | None
    waiting: int
    unknown: int
    discrepancies: int
    look_ups: tuple[Reached, Reached] | None = None
    answers_here: bool = False
    id: int = 0


@dataclass(frozen=True)
class LateJob:
    """A job whose last success lies more than three of its intervals back; `succeeded_at` None if it never had one."""

    name: str
    every_seconds: int
    started_at: datetime | None
    succeeded_at: datetime | None


@dataclass(frozen=True)
class AuditHealth:
    """How it is with the chain of audit and ledger. `unsealed` is the seconds that the oldest line waits for its seal;
    `heads_file` is None until the first sealing, `verified` until the first verification."""

    unsealed: float
    heads_file: HeadsFile | None
    verified: LastVerification | None

    @property
    def late(self) -> bool:
        """Lines have waited too long for their seal."""
        return self.unsealed > UNSEALED_SECONDS


def providers(principal: Principal, *, now: datetime) -> list[ProviderHealth]:
    """All providers by code, each with its present state; of discrepancies those that the operator may see."""
    roles.require(principal, "books")
    with reading() as session:
        rows = session.scalars(select(Provider).order_by(Provider.code)).all()
        pulled = {
            (row.provider_id, row.feed): row.last_success_at
            for row in session.execute(select(SyncCursor.provider_id, SyncCursor.feed, SyncCursor.last_success_at))
        }
        tasks = {
            row.provider_id: row
            for row in session.execute(
                select(
                    ProviderTask.provider_id,
                    func.count().filter(ProviderTask.state != "unknown").label("waiting"),
                    func.count().filter(ProviderTask.state == "unknown").label("unknown"),
                )
                .where(ProviderTask.state.in_(("queued", "in_flight", "unknown")))
                .group_by(ProviderTask.provider_id)
            )
        }
        breakers = _breakers(session)
        open_cases = {
            row.provider_id: row.number
            for row in session.execute(
                select(Discrepancy.provider_id, func.count().label("number"))
                .outerjoin(Booking, Booking.id == Discrepancy.booking_id)
                .where(Discrepancy.closed_at.is_(None), seen_by(principal))
                .group_by(Discrepancy.provider_id)
            )
        }
        looked_up = {row.id: _look_ups(session, row, now) for row in rows}
    return [
        ProviderHealth(
            code=row.code,
            name=Text(row.name_zh, row.name_en),
            pulled={feed: pulled.get((row.id, feed)) for feed in Feed},
            breakers=breakers.get(row.id, {}),
            paused_at=row.paused_at,
            waiting=tasks[row.id].waiting if row.id in tasks else 0,
            unknown=tasks[row.id].unknown if row.id in tasks else 0,
            discrepancies=open_cases.get(row.id, 0),
            look_ups=looked_up[row.id],
            answers_here=capabilities(row.adapter).answers_here,
            id=row.id,
        )
        for row in rows
    ]


def _look_ups(session: Session, provider: Provider, now: datetime) -> tuple[Reached, Reached] | None:
    every = timedelta(seconds=settings().reconcile_seconds)
    can = capabilities(provider.adapter)
    if can.answers_here or (can.list_bookings and list_is_read(session, provider.id, every, now)):
        return None
    return reached(session, provider, today(provider.time_zone, now))


def _breakers(session: Session) -> dict[int, dict[Call, BreakerView]]:
    """The breakers that count failures, by provider's id and kind of call."""
    found: dict[int, dict[Call, BreakerView]] = {}
    query = select(ProviderBreaker).where(ProviderBreaker.failures > 0).order_by(ProviderBreaker.call)
    for row in session.scalars(query):
        view = BreakerView(row.failures, row.open_until, row.probe_until is not None)
        found.setdefault(row.provider_id, {})[Call(row.call)] = view
    return found


def late_jobs(principal: Principal, *, now: datetime) -> Sequence[LateJob]:
    """Jobs that ran once and then did not, or did not succeed, for three of their intervals; by name."""
    roles.require(principal, "books")
    with reading() as session:
        rows = session.scalars(select(JobRun).order_by(JobRun.name)).all()
    return [
        LateJob(row.name, row.every_seconds, row.started_at, row.succeeded_at)
        for row in rows
        if row.succeeded_at is None or now - row.succeeded_at > patience(row.every_seconds)
    ]


def audit_health(principal: Principal, *, now: datetime) -> AuditHealth:
    """The chain now: asked of the lines themselves, so that a worker that stands still hides nothing."""
    roles.require(principal, "books")
    with reading() as session:
        sealing = session.get(JobRun, "seal")
    told = sealing.outcome.get("heads_file") if sealing is not None else None
    until = sealing.succeeded_at if sealing is not None else None
    return AuditHealth(
        unsealed_seconds(now=now, sealed_until=until), HeadsFile(told) if told else None, last_verification()
    )


def unreadable_records(principal: Principal, *, now: datetime) -> Sequence[Alarm]:
    """The records whose ciphertext did not open within the last days, by names that are nobody's; the newest first."""
    roles.require(principal, "books")
    return integrity.alarms(now=now)


def patience(every_seconds: int) -> timedelta:
    """How long after its last success a job of this interval is late."""
    return max(LEAST_WAIT, MISSED_INTERVALS * timedelta(seconds=every_seconds))
