"""When a report was promised, and until when a provider may answer."""

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


def before_the_visit(booking: Booking, due: datetime, now: datetime) -> datetime:
    """`due`, or the start of the booking's visit (for a day, its first moment at the site) where that comes earlier and
    is still ahead: nobody may learn only afterwards whether there was one."""
    start = start_of(booking.service_date, booking.starts_at, booking.time_zone)
    return min(due, start) if start > now else due
