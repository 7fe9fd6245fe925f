"""When each kind of sync with a provider last succeeded: what is read from it, the comparison of the books, the closing
statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, exists, select
from sqlalchemy.orm import Session

from booking.models import Booking, Feed
from booking.reconcile.models import ReconcileRun
from booking.settlement.close_day import WITHOUT_THEIRS, end_of_day
from booking.settlement.models import ClosingStatement
from booking.views.oversight import ProviderHealth, patience
from marketplace.catalog.models import Provider
from marketplace.core.clock import today
from marketplace.core.config import settings
from providers.registry import capabilities
from vip.principal import Principal

RECONCILIATION, STATEMENT = "reconciliation", "statement"
"""The kinds beside the feeds."""
STATEMENT_LATE = WITHOUT_THEIRS + timedelta(hours=1)
"""So long after a day ended its statement is overdue: by then it is made, with the provider's list or without."""


@dataclass(frozen=True)
class Sync:
    """One kind: a feed, RECONCILIATION or STATEMENT. `at`: its last success, None for never; `late`: it is overdue."""

    kind: str
    at: datetime | None
    late: bool


def syncs(
    session: Session, principal: Principal, found: Sequence[ProviderHealth], now: datetime
) -> Mapping[int, tuple[Sync, ...]]:
    """All kinds that there are with each provider (internal id), the statement being that of the operator's insurer. Of
    one that answers in our books nothing is read, only its statement is made; of tests there is none."""
    pulled = {it.id: it.pulled for it in found}
    rows = session.execute(
        select(Provider, *_LAST).where(Provider.id.in_(pulled)), {"insurer": principal.insurer_id}
    ).all()
    return {
        row.Provider.id: (
            *_read(row.Provider, pulled[row.Provider.id], row.compared_at, now),
            *_stated(session, principal.insurer_id, row, now),
        )
        for row in rows
    }


_COMPARED = (
    select(ReconcileRun.finished_at)
    .where(ReconcileRun.provider_id == Provider.id, ReconcileRun.case_id.is_(None), ReconcileRun.state == "done")
    .order_by(ReconcileRun.id.desc())
    .limit(1)
    .scalar_subquery()
)
_STATEMENTS = (
    select(ClosingStatement)
    .where(ClosingStatement.provider_id == Provider.id, ClosingStatement.insurer_id == bindparam("insurer"))
    .order_by(ClosingStatement.day.desc())
    .limit(1)
)
_LAST = (
    _COMPARED.label("compared_at"),
    _STATEMENTS.with_only_columns(ClosingStatement.day).scalar_subquery().label("day"),
    _STATEMENTS.with_only_columns(ClosingStatement.made_at).scalar_subquery().label("made_at"),
)


def _read(
    row: Provider, pulled: Mapping[str, datetime | None], compared_at: datetime | None, now: datetime
) -> list[Sync]:
    can = capabilities(row.adapter)
    if can.answers_here:
        return []
    every = {Feed.SLOTS: row.slots_seconds}
    found = [_sync(feed, pulled[feed], every.get(feed, row.poll_seconds), now) for feed in Feed]
    if can.list_bookings:
        found.append(_sync(RECONCILIATION, compared_at, settings().reconcile_seconds, now))
    return found


def _sync(kind: str, at: datetime | None, every: int, now: datetime) -> Sync:
    return Sync(kind, at, at is not None and now - at > patience(every))


def _stated(session: Session, insurer_id: int, row: Row[*tuple[Any, ...]], now: datetime) -> list[Sync]:
    provider: Provider = row.Provider
    if provider.test:
        return []
    needed = today(provider.time_zone, now - STATEMENT_LATE) - timedelta(days=1)
    if row.day is not None:
        return [Sync(STATEMENT, row.made_at, row.day < needed)]
    booked = exists().where(
        Booking.provider_id == provider.id,
        Booking.insurer_id == insurer_id,
        Booking.created_at < end_of_day(needed, provider.time_zone),
    )
    return [Sync(STATEMENT, None, bool(session.scalar(select(booked))))]
