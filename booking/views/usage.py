"""The record of benefits: each line of the ledger with the booking that caused it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text

from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from marketplace.core.ids import well_formed
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from vip.principal import Principal

# How far a line moves what is available. A use spends what a reservation had taken before.
_LINES = """
WITH line AS (
  SELECT l.id, l.at, l.entry, l.quantity, l.booking_id, l.actor_kind, l.reason, e.public_id AS entitlement, e.kind,
         CASE WHEN l.entry IN ('grant', 'release', 'reverse') THEN l.quantity
              WHEN l.entry IN ('reserve', 'expire', 'revoke') THEN -l.quantity ELSE 0 END AS change,
         e.granted IS NULL AS unlimited
    FROM entitlement_entry l JOIN entitlement e ON e.id = l.entitlement_id
   WHERE e.customer_id = :customer AND (CAST(:entitlement AS text) IS NULL OR e.public_id = :entitlement)
), counted AS (
  SELECT *, CASE WHEN NOT unlimited THEN sum(change) OVER (PARTITION BY entitlement ORDER BY id) END AS available
    FROM line
)
SELECT c.*, b.public_id AS booking, b.reference, b.service_date, p.name, p.relation
  FROM counted c LEFT JOIN booking b ON b.id = c.booking_id LEFT JOIN beneficiary p ON p.id = b.beneficiary_id
 WHERE CAST(:before AS bigint) IS NULL OR c.id < :before
 ORDER BY c.id DESC LIMIT :limit
"""


@dataclass(frozen=True)
class UsageEntry:
    """A line. `change` is by how much it moved what is available (0 for a use), `left` what was available then, None
    for an unlimited benefit. The booking's facts are None for lines that no booking caused; `actor` is a kind."""

    at: datetime
    entry: str
    quantity: int
    change: int
    left: int | None
    entitlement_id: str
    kind: str
    actor: str
    reason: str
    booking_id: str | None
    reference: str | None
    service_date: date | None
    beneficiary_name: str | None
    relation: str | None


def usage(principal: Principal, entitlement_id: str | None, *, cursor: str | None, limit: int) -> Page[UsageEntry]:
    """The lines of one benefit, or of all, newest first. Raises NotFound(field="entitlement_id") for one not hers."""
    if principal.kind != "customer" or (entitlement_id is not None and not well_formed(entitlement_id)):
        raise NotFound(field="entitlement_id")
    before = None if cursor is None else decode_cursor(cursor, (int,))[0]
    values = {"customer": principal.id, "entitlement": entitlement_id, "before": before, "limit": limit + 1}
    with reading() as session:
        rows = session.execute(text(_LINES), values).all()
    if not rows and entitlement_id is not None and before is None:
        raise NotFound(field="entitlement_id")  # every entitlement begins with a line
    return Page([_entry(row) for row in rows[:limit]], encode_cursor([rows[limit - 1].id]) if rows[limit:] else None)


def _entry(row: Row[Any]) -> UsageEntry:
    return UsageEntry(
        at=row.at,
        entry=row.entry,
        quantity=row.quantity,
        change=row.change,
        left=None if row.available is None else int(row.available),
        entitlement_id=row.entitlement,
        kind=row.kind,
        actor=row.actor_kind,
        reason=row.reason,
        booking_id=row.booking,
        reference=row.reference,
        service_date=row.service_date,
        beneficiary_name=row.name,
        relation=row.relation,
    )
