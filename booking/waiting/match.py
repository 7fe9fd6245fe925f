"""Which slots fit which entries of the waiting list: one set of conditions, used from either side."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from booking.offers.bookable import Rule
from marketplace.catalog.one_place.sql import at_place

LEAST_TIME = timedelta(minutes=5)
"""A place is not offered if the customer would have less time than this to answer."""


RULE = Rule("s", "o", "si", "(CAST(:now AS timestamptz) + CAST(:least AS float) * interval '1 s')", "o.market")
"""Whether a slot can still be booked `:least` seconds from `:now`."""

WINDOW_ENDS = f"least({RULE.closes_at}, {RULE.starts_at} - e.hours_before * interval '1 hour')"
"""Until when entry `e` can answer: until booking closes, or until its `hours_before`, whichever is earlier."""

# Entry `e` waits, by its place `p` (offer `o` at site `si`), for slot `s`. A slot that was offered to the entry before
# is not offered to it again.
FITS = f"""
  e.state = 'waiting' AND p.open AND {RULE.allows(in_line=True)} AND {WINDOW_ENDS} >= {RULE.now}
  AND s.pool_id = p.pool_id AND s.service_date BETWEEN e.first_day AND e.last_day
  AND (e.weekdays >> (extract(isodow FROM s.service_date)::int - 1)) & 1 = 1
  AND coalesce(extract(hour FROM s.starts_at AT TIME ZONE si.time_zone) >= e.from_hour
           AND extract(hour FROM s.starts_at AT TIME ZONE si.time_zone) < e.until_hour, true)
  AND NOT EXISTS (SELECT FROM waiting_chance c WHERE c.entry_id = e.id AND c.slot_id = s.id)
"""

_OF_ENTRY = text(f"""
  INSERT INTO freed_slot (slot_id, kept)
  SELECT s.id, false
    FROM waiting_entry e
    JOIN waiting_place p ON p.entry_id = e.id
    JOIN offer o ON o.id = p.offer_id
    {at_place("o", "si")}
    JOIN slot s ON s.pool_id = p.pool_id
   WHERE e.id = :entry AND {FITS}
   ORDER BY s.service_date, s.starts_at, s.id LIMIT 20
""")

_OF_ALL = text(f"""
  INSERT INTO freed_slot (slot_id, kept)
  SELECT DISTINCT found.id, false
    FROM waiting_entry e
    JOIN waiting_place p ON p.entry_id = e.id AND p.open
    JOIN offer o ON o.id = p.offer_id
    {at_place("o", "si")}
    CROSS JOIN LATERAL (SELECT s.id FROM slot s WHERE {FITS}
                         ORDER BY s.service_date, s.starts_at LIMIT 20) AS found
   WHERE e.state = 'waiting' AND NOT EXISTS (SELECT FROM freed_slot f WHERE f.slot_id = found.id)
""")


def look_again(session: Session, entry_id: int, *, now: datetime) -> None:
    """Queue the free slots that fit the entry for the worker. Called when the entry is new or waits again."""
    session.execute(_OF_ENTRY, {"entry": entry_id, "now": now, "least": LEAST_TIME.total_seconds()})


def look_everywhere(session: Session, *, now: datetime) -> int:
    """Queue the free slots that fit any waiting entry: the reason why one was passed over may be gone. Returns how
    many."""
    found = session.execute(_OF_ALL, {"now": now, "least": LEAST_TIME.total_seconds()})
    return int(getattr(found, "rowcount", 0))
