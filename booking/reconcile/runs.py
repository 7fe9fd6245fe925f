"""Reconciliation runs as operators see them, and requesting one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, select

from booking.actors import actor_of
from booking.discrepancies import Discrepancy
from booking.models import Booking
from booking.reconcile.cases import seen_by
from booking.reconcile.models import ReconcileRun
from booking.reconcile.queue import queue_run
from marketplace.catalog.models import Provider
from marketplace.core import audit
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from marketplace.core.text import Text
from vip import roles
from vip.models import Operator
from vip.principal import Principal


@dataclass(frozen=True)
class RunView:
    """A run. `by` is the operator's name, blank for the clock, the command line and another insurer's operator
    (`by_other`). `case` is the public id of the discrepancy that it was limited to, or None, also where the reader may
    not see it. `counts` as in ReconcileRun."""

    id: str
    provider_name: Text
    provider_code: str
    state: str
    by: str
    by_clock: bool
    case: str | None
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    reason: str
    counts: Mapping[str, int]
    by_other: bool = False


def runs(principal: Principal, *, cursor: str | None, limit: int) -> Page[RunView]:
    """Runs, newest first."""
    roles.require(principal, "books")
    query = (
        select(ReconcileRun, Provider, Operator.name, case((seen_by(principal), Discrepancy.public_id)).label("case"))
        .join(Provider, Provider.id == ReconcileRun.provider_id)
        .outerjoin(
            Operator,
            and_(Operator.public_id == ReconcileRun.actor, Operator.insurer_id == principal.insurer_id),
        )
        .outerjoin(Discrepancy, Discrepancy.id == ReconcileRun.case_id)
        .outerjoin(Booking, Booking.id == Discrepancy.booking_id)
    )
    if cursor is not None:
        (last,) = decode_cursor(cursor, (int,))
        query = query.where(ReconcileRun.id < last)
    with reading() as session:
        rows = session.execute(query.order_by(ReconcileRun.id.desc()).limit(limit + 1)).all()
    found = [
        RunView(
            id=row.ReconcileRun.public_id,
            provider_name=Text(row.Provider.name_zh, row.Provider.name_en),
            provider_code=row.Provider.code,
            state=row.ReconcileRun.state,
            by=row.name or "",
            by_clock=row.ReconcileRun.actor_kind == "clock",
            case=row.case,
            asked_at=row.ReconcileRun.asked_at,
            started_at=row.ReconcileRun.started_at,
            finished_at=row.ReconcileRun.finished_at,
            reason=row.ReconcileRun.reason,
            counts=row.ReconcileRun.counts,
            by_other=row.ReconcileRun.actor_kind == "operator" and row.name is None,
        )
        for row in rows[:limit]
    ]
    return Page(found, encode_cursor([rows[limit - 1].ReconcileRun.id]) if rows[limit:] else None)


def provider_choices(principal: Principal) -> list[tuple[str, Text]]:
    """All providers by code, with both names."""
    roles.require(principal, "books")
    with reading() as session:
        rows = session.execute(select(Provider.code, Provider.name_zh, Provider.name_en).order_by(Provider.code))
        return [(row.code, Text(row.name_zh, row.name_en)) for row in rows]


def request_run(principal: Principal, provider_code: str, *, now: datetime) -> bool:
    """Queue a run for the worker. False if one is queued already. Audited. Raises NotFound(field="provider")."""
    roles.require(principal, "books")
    with transaction() as session:
        provider = session.scalar(select(Provider).where(Provider.code == provider_code))
        if provider is None:
            raise NotFound(field="provider")
        queued = queue_run(session, provider.id, actor_of(principal), now=now)
        if queued:
            audit.record(
                session,
                "reconcile.asked",
                at=now,
                actor_kind=principal.acts_as,
                actor=principal.public_id,
                subject=provider.public_id,
                insurer_id=principal.insurer_id,
            )
    return queued
