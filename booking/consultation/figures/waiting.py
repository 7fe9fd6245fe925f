"""Who waited for a first answer at a moment, by how long: as it is now, or as it was when somebody looked.

It follows from the moments alone, so that what a figure counted can still be listed after those were answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import text

from booking.consultation.figures.rows import Listing
from booking.consultation.figures.scope import Whose
from booking.consultation.pledge_figures import ANSWERED_AT, PLEDGES, Counting
from marketplace.core.database.db import reading

AGES: Sequence[tuple[int, int | None]] = ((0, 30), (30, 60), (60, 90), (90, 300), (300, None))
"""How long somebody has waited: from so many seconds up to so many, the last without an end."""
LOOK_BACK = timedelta(days=8)
"""Whoever asked longer ago is not looked for: the clock ends what nobody answers within a day."""

_WAITED = f"""
    SELECT *, width_bucket(seconds, ARRAY[{", ".join(str(low) for low, _ in AGES)}]::double precision[]) - 1 AS age
      FROM (SELECT p.id, p.booking_id, c.department, v.name_zh, v.name_en, p.begun_at, p.risk_due_at, p.due_at,
                   CAST(extract(epoch FROM CAST(:at AS timestamptz) - p.begun_at) AS double precision) AS seconds,
                   {ANSWERED_AT} AS answered_at {PLEDGES}
               AND p.begun_at >= :since AND p.begun_at <= :at
               AND (p.cancelled_at IS NULL OR p.cancelled_at > :at)
               AND (c.closed_at IS NULL OR c.closed_at > :at)) AS begun
     WHERE answered_at IS NULL OR answered_at > :at
"""


def ages(whose: Whose, *, at: datetime) -> Sequence[int]:
    """How many waited at a moment for each of AGES."""
    it = _asked(whose, at)
    query = text(f"SELECT age, count(*) AS number FROM ({it.of(_WAITED)}) AS waited GROUP BY age")
    with reading() as session:
        found = {row.age: row.number for row in session.execute(query, {**it.values, "at": at})}
    return [found.get(number, 0) for number in range(len(AGES))]


def late(whose: Whose, *, at: datetime) -> int:
    """How many of them had waited longer than was promised to each."""
    it = _asked(whose, at)
    query = text(f"SELECT count(*) FROM ({it.of(_WAITED)}) AS waited WHERE due_at <= :at")
    with reading() as session:
        found: int = session.execute(query, {**it.values, "at": at}).scalar_one()
    return found


def listing(whose: Whose, age: int | None, *, at: datetime) -> Listing:
    """Those of one of AGES (by its number), or all, who have waited longest first. `state` is the pledge's as it was
    at that moment."""
    it = _asked(whose, at)
    sql = f"""
        SELECT seconds AS sort, id, booking_id, name_zh, name_en, department, begun_at AS at, seconds,
               CASE WHEN due_at <= :at THEN 'breached' WHEN risk_due_at <= :at THEN 'at_risk' ELSE 'pending' END
                 AS state, NULL AS stars, '' AS giver, '' AS taker
          FROM ({it.of(_WAITED)}) AS waited WHERE age = coalesce(CAST(:age AS integer), age)"""
    return Listing(sql, {**it.values, "at": at, "age": age})


def _asked(whose: Whose, at: datetime) -> Counting:
    return Counting(at - LOOK_BACK, at, whose.provider_id, whose.insurer_id)
