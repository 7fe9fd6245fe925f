"""Expiring what is left of entitlements whose validity is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.core.database.db import reading, transaction
from vip.entitlements.ledger import Stamp, expire_rest

_DUE = (
    " FROM entitlement e JOIN insurer i ON i.id = e.insurer_id"
    " WHERE e.available > 0 AND e.valid_until < (CAST(:now AS timestamptz) AT TIME ZONE i.time_zone)::date"
)


@dataclass(frozen=True)
class Expired:
    """`entitlements` were expired, with `units` that nobody had used; `skipped` were busy or changed meanwhile;
    `more`: the limit was reached, call again."""

    entitlements: int
    units: int
    skipped: int
    more: bool


def expire_due(now: datetime, limit: int = 500) -> Expired:
    """Expire up to `limit` entitlements, each in a transaction of its own; a busy one is left for the next run.

    An entitlement is over when, in the insurer's zone, the day after `valid_until` has begun. Only what is available
    expires: reservations stay, and their service date lies within validity.
    """
    with reading() as session:
        due = session.scalars(
            text("SELECT e.id" + _DUE + " AND e.valid_until < :latest ORDER BY e.valid_until, e.id LIMIT :limit"),
            # no zone is further ahead than UTC+14: a bound that the index can use
            {"now": now, "latest": (now + timedelta(hours=14)).date(), "limit": limit},
        ).all()
    units = []
    for entitlement_id in due:
        with transaction() as session:
            units.append(_expire(session, entitlement_id, now))
    done = [number for number in units if number > 0]
    return Expired(len(done), sum(done), len(due) - len(done), len(due) == limit)


def _expire(session: Session, entitlement_id: int, now: datetime) -> int:
    """Expire one and return how many units, 0 if it is locked or no longer due."""
    available: int | None = session.scalar(
        text("SELECT e.available" + _DUE + " AND e.id = :id FOR NO KEY UPDATE OF e SKIP LOCKED"),
        {"now": now, "id": entitlement_id},
    )
    if available is None:
        return 0
    expire_rest(session, entitlement_id, available, Stamp(now, "system", "expire_entitlements", "validity over"))
    return available
