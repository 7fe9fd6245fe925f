"""Telling customers that a place which they asked about is covered now, or will be on days that can be booked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select, text
from sqlalchemy.orm import Session, aliased

from booking.coverage.models import CoverageWish
from booking.notices.notify import notify
from booking.offers.bookable import given_out
from marketplace.catalog.coverage.changes import change_sql
from marketplace.catalog.coverage.level import level_sql
from marketplace.catalog.one_place.sql import at_place, entries_with, placed
from marketplace.core.clock import HOME_ZONE
from marketplace.core.database.db import reading, transaction
from marketplace.core.one_by_one import one_by_one

NOTICE = "place_covered"
AT_ONCE = 500
DAYS_AHEAD = 62
"""How far ahead times can be booked, as booking.offers.availability shows them; a test compares the two."""

_TODAY = "CAST(CAST(:now AS timestamptz) AT TIME ZONE i.time_zone AS date)"
_LEVEL = level_sql(site="s", kind="w.kind", day=_TODAY, insurer="c.insurer_id")
_CHANGE = change_sql(site="s", kind="w.kind", day=_TODAY, insurer="c.insurer_id")

# Open wishes whose place can be booked: it is covered today or from a day on that can be booked already, and somebody
# in its city can be sent there.
_DUE = f"""
  SELECT w.id, s.name, s.public_id AS site, judged.level AS level_today, change.on_day, change.level AS level_then
    FROM coverage_wish w
    JOIN customer c ON c.id = w.customer_id
    JOIN insurer i ON i.id = c.insurer_id
    {placed("w.site_id", "s")} AND s.closed_at IS NULL
    CROSS JOIN LATERAL (SELECT {_LEVEL} AS level) AS judged
    LEFT JOIN LATERAL ({_CHANGE}) AS change ON change.on_day <= {_TODAY} + CAST(:days AS integer)
   WHERE w.outcome = 'open'
     AND (judged.level <> 'not_covered' OR change.level <> 'not_covered')
     AND EXISTS (SELECT FROM offer o {at_place("o", "at")}
                  WHERE (at.province, at.city) = (s.province, s.city) AND o.kind = w.kind
                    AND {given_out("o", "at", "i.market")})"""


def tell_covered(*, now: datetime) -> dict[str, int]:
    """Notify whoever asked about a place that can be booked now or soon, each once; her wish has ended with that.
    Returns counts by outcome."""
    values = {"now": now, "days": DAYS_AHEAD}
    with reading() as session:
        due = session.scalars(text(f"SELECT id FROM ({_DUE}) AS due ORDER BY id LIMIT {AT_ONCE}"), values).all()
    return dict(one_by_one("coverage", due, lambda wish_id: _tell(wish_id, values)))


def _tell(wish_id: int, values: dict[str, Any]) -> str:
    """Notify one customer, as things stand under the lock of her wish, and end it with all that she has for entries of
    the same place. Returns the outcome."""
    with transaction() as session:
        alike = _alike(session, wish_id)
        wish = next((each for each in alike if each.id == wish_id), None)
        if wish is None:
            return "gone"
        found = session.execute(text(f"{_DUE} AND w.id = :wish"), {**values, "wish": wish_id}).first()
        if found is None:
            return "not_covered"
        _notify(session, wish, found, values["now"])
        for each in alike:
            each.outcome, each.ended_at = "told", values["now"]
    return "told"


def _alike(session: Session, wish_id: int) -> Sequence[CoverageWish]:
    """The customer's open wishes for the place of this one, locked."""
    this, wish = aliased(CoverageWish), CoverageWish
    same = and_(
        wish.customer_id == this.customer_id, wish.kind == this.kind, wish.site_id.in_(entries_with(this.site_id))
    )
    return session.scalars(
        select(wish)
        .join(this, same)
        .where(this.id == wish_id, wish.outcome == "open")
        .order_by(wish.id)
        .with_for_update(of=wish)
    ).all()


def _notify(session: Session, wish: CoverageWish, found: Any, now: datetime) -> None:
    later = found.level_today == "not_covered"
    facts = {
        "benefit": wish.kind,
        "site": found.name,
        "place": found.site,
        "zone": HOME_ZONE,
        "level": found.level_then if later else found.level_today,
        "covered_from": found.on_day.isoformat() if later else None,
    }
    notify(session, wish.customer_id, NOTICE, wish.public_id, now=now, facts=facts)
