"""When a report was promised."""

from __future__ import annotations

from datetime import datetime, timedelta

from booking.models import Booking
from marketplace.catalog.kinds import kind
from marketplace.core.clock import start_of, today


def report_due(booking: Booking, now: datetime) -> datetime | None:
    """The end of the last promised day for the report of a booking that is fulfilled now, in the site's zone; None for
    a kind after which no report comes.

    The package's own `report_days` counts, else the kind's.
    """
    traits = kind(booking.kind).traits
    if not traits.report:
        return None
    days = int(booking.snapshot.get("package", {}).get("report_days", traits.report_days))
    last = today(booking.time_zone, now) + timedelta(days=days)
    return start_of(last + timedelta(days=1), None, booking.time_zone)
