"""When a booking occupies its person, and which one stands in the way of another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import Range

from marketplace.catalog.kinds import kind
from marketplace.core.database import db

_OCCUPYING = """
  SELECT public_id AS booking, reference FROM booking
   WHERE beneficiary_id = %(person)s AND customer_id = %(customer)s AND live
     AND occupied && tstzrange(%(from)s, %(until)s) AND public_id <> %(but)s
   ORDER BY id LIMIT 1
"""


def occupied_time(code: str, starts: datetime, ends: datetime) -> Range[datetime]:
    """When a booking of this kind occupies its person; empty for a kind that goes on beside anything."""
    return Range(starts, ends, bounds="[)") if kind(code).traits.occupies_person else Range(empty=True)


def occupying(
    ask: db.Ask, *, customer: int, person: int, starts: datetime, ends: datetime, but: str = ""
) -> Mapping[str, Any]:
    """The facts of AlreadyBooked: `booking` and `reference` of the person's (internal ids) live booking at that time,
    other than `but`. Empty when it has ended meanwhile."""
    values = {"customer": customer, "person": person, "from": starts, "until": ends, "but": but}
    rows = ask(_OCCUPYING, values)
    return {"booking": rows[0].booking, "reference": rows[0].reference} if rows else {}
