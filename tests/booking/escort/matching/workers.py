"""Workers and requests to match, without a database: a worker of these can be sent to a request of these."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from booking.escort.matching.people import Candidate, Duty, Request, Taken
from booking.escort.matching.travel import Stop
from marketplace.core.clock import HOME_ZONE
from marketplace.core.sphere import Position

DAY = date(2026, 3, 10)  # a Tuesday
EVERY_DAY = frozenset(range(1, 8))
HERE = Stop(501, Position(30.25, 120.16))
THERE = Stop(502, Position(30.30, 120.25))  # about ten kilometres from HERE
UNKNOWN = Stop(503)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    """A time of the day in Hangzhou."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(HOME_ZONE)).astimezone(UTC)


def worker(number: int = 1, **facts: Any) -> Candidate:
    """On duty every day from seven to seven."""
    values: dict[str, Any] = {
        "id": number,
        "public_id": f"esw_{number:020d}",
        "provider_id": 1,
        "name": "",
        "sex": "female",
        "languages": frozenset({"mandarin"}),
        "province": "浙江省",
        "city": "杭州市",
        "active_from": LONG_AGO,
        "duties": [Duty(EVERY_DAY, 7 * 60, 19 * 60, date(2026, 1, 1))],
    }
    return Candidate(**{**values, **facts})


def request(number: int = 1, start: int = 9, hours: int = 4, **facts: Any) -> Request:
    """For four hours from nine on DAY, at HERE, without a wish; it is asked for the day before."""
    values: dict[str, Any] = {
        "booking": f"bkg_{number:020d}",
        "provider_id": 1,
        "province": "浙江省",
        "city": "杭州市",
        "zone": HOME_ZONE,
        "starts_at": at(start),
        "ends_at": at(start) + timedelta(hours=hours),
        "stop": HERE,
        "earliest": at(12, day=DAY - timedelta(days=1)),
    }
    return Request(**{**values, **facts})


def taken(start: datetime, end: datetime, stop: Stop = HERE) -> Taken:
    """Another booking of hers."""
    return Taken(start, end, stop, f"bkg_other_{start.isoformat()}")
