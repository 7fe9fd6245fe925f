"""When somebody who is sent is needed: the one rule of how long a booking takes her."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

USUAL_MINUTES = 240
"""Half a day, where an offer doesn't say how long it takes at most."""
BEGINS = time(8)
"""Where a booking is for a whole day."""


def service_times(
    day: date, starts_at: datetime | None, zone: str, package: Mapping[str, Any]
) -> tuple[datetime, datetime]:
    """From the start of a booking's window until what its package says at most (`duration_minutes`)."""
    start = starts_at or datetime.combine(day, BEGINS, ZoneInfo(zone))
    return start, start + timedelta(minutes=int(package.get("duration_minutes") or USUAL_MINUTES))
