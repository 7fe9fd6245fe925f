"""Moments at which somebody who can't be answered now may be called back."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from marketplace.web import formats

_HOURS = (9, 14, 19)
_DAYS = 2


def moments(now: datetime, until: datetime, zone: str) -> tuple[tuple[str, str], ...]:
    """Pairs of an ISO moment and its words: mornings, afternoons and evenings of today and tomorrow, an hour ahead at
    least and `until` at the latest; none where that is too soon."""
    here = ZoneInfo(zone)
    first = now.astimezone(here).date()
    days = (first + timedelta(days=number) for number in range(_DAYS))
    found = [datetime.combine(day, time(hour), here) for day in days for hour in _HOURS]
    return tuple((it.isoformat(), formats.moment(it, zone)) for it in found if now + timedelta(hours=1) <= it <= until)


def moment(text: str) -> datetime | None:
    """The moment that a form names; None where it names none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
