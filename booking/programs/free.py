"""Where a test booking can be made at a twin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import text

from booking.offers.bookable import Rule
from marketplace.catalog.one_place.sql import at_place
from marketplace.core.database.db import reading

FULL_SLOT = "kit-sold-out"
"""How the reference of a slot begins that a program treats as full, though it is on sale with us."""
MOST_SLOTS = 200

_RULE = Rule("l", "o", "s", "CAST(:now AS timestamptz)", "o.market")
_FREE = text(f"""
  SELECT l.public_id AS slot, o.public_id AS offer
    FROM slot l JOIN offer o ON o.pool_id = l.pool_id {at_place("o", "s")}
   WHERE o.provider_id = :twin AND l.service_date BETWEEN :first AND :last
     AND starts_with(l.external_ref, :mark) = :full AND o.public_id = coalesce(:offer, o.public_id)
     AND {_RULE.allows()}
   ORDER BY l.service_date, {_RULE.starts_at}, l.id, o.id LIMIT :most
""")


class Free(NamedTuple):
    """A slot and an offer (public ids) that can be booked there."""

    slot: str
    offer: str


@dataclass(frozen=True)
class Days:
    """From the first to the last day, both included."""

    first: date
    last: date


def free_slots(
    twin_id: int, days: Days, now: datetime, *, offer: str | None = None, full: bool = False
) -> Sequence[Free]:
    """What can be booked now in these days, the earliest first, at most MOST_SLOTS: of one offer (a public id) or of
    all. `full`: of the slots that the program treats as full, which are no others otherwise."""
    asked = {"twin": twin_id, "first": days.first, "last": days.last, "now": now, "offer": offer, "full": full}
    with reading() as session:
        rows = session.execute(_FREE, {**asked, "mark": FULL_SLOT, "most": MOST_SLOTS}).all()
    return [Free(row.slot, row.offer) for row in rows]
