"""When a slot starts, as SQL; written once, so that lists, cards, the calendar and alternatives agree."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.core.clock import start_of

# Whether slot `{slot}` has just become free while somebody waits for it, by the database's own clock.
KEPT = """EXISTS (SELECT FROM freed_slot f WHERE f.slot_id = {slot} AND f.kept
                    AND f.freed_at > clock_timestamp() - interval '10 s')"""


def start_sql(slot: str, zone: str) -> str:
    """The start of `slot` (a table's alias), midnight in `zone` (an SQL expression) when it is for the whole day."""
    return f"coalesce({slot}.starts_at, {slot}.service_date::timestamp AT TIME ZONE {zone})"


def in_season(service_date: date, available_from: date | None, available_until: date | None) -> bool:
    """Whether the offer is given out on that day; both ends are included, None leaves one open."""
    return (available_from or date.min) <= service_date <= (available_until or date.max)


def closes_at(service_date: date, starts_at: datetime | None, time_zone: str, lead_minutes: int) -> datetime:
    """The last moment at which a slot may be booked; a slot without times starts at midnight in the site's zone."""
    return start_of(service_date, starts_at, time_zone).astimezone(UTC) - timedelta(minutes=lead_minutes)


def kept_for_those_who_wait(session: Session, slot_id: int) -> bool:
    """Whether a free place of the slot is not to be had for a moment, since those who wait are asked first."""
    return session.execute(text(f"SELECT {KEPT.format(slot=':slot')}"), {"slot": slot_id}).scalar_one() is True
