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


def first_answer_due(booking: Booking) -> datetime:
    """When the clock ends a booking without a time that nobody has answered, by its kind's own hours."""
    return booking.created_at + timedelta(hours=kind(booking.kind).traits.answer_hours)


LEAST_NOTICE = timedelta(hours=1)
"""How long before a visit its answer is due at the latest, so that the customer can still go elsewhere."""


def before_the_visit(booking: Booking, due: datetime, now: datetime) -> datetime:
    """`due`, or earlier, so that it lies before the booking's visit; see `before_start`."""
    return before_start(due, start_of(booking.service_date, booking.starts_at, booking.time_zone), now)


def before_start(due: datetime, start: datetime, now: datetime) -> datetime:
    """`due`, or an hour before `start` where that comes earlier: nobody may learn as late as the visit whether there is
    one. With less than two hours left, half of the time that is left counts; a start that is over bounds nothing."""
    return min(due, start - min(LEAST_NOTICE, (start - now) / 2)) if start > now else due
