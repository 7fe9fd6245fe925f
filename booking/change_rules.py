"""Until when and how often a booking may be changed or cancelled: frozen at the hold, told before the tap."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.models import Booking, ChangeRequest


def starts(booking: Booking) -> datetime:
    """When it starts; a day without times starts at midnight in the site's zone."""
    return booking.starts_at or datetime.combine(booking.service_date, time(), ZoneInfo(booking.time_zone))


def cancel_until(booking: Booking) -> datetime:
    """The last moment to cancel online."""
    return starts(booking) - timedelta(hours=int(booking.snapshot.get("cancel_hours", 0)))


def change_until(booking: Booking) -> datetime:
    """The last moment to ask for another date online."""
    return starts(booking) - timedelta(hours=int(booking.snapshot.get("change_hours", 24)))


def changes_left(session: Session, booking: Booking) -> int:
    """How many more changes the customer may make."""
    made = session.scalar(
        select(func.count())
        .select_from(ChangeRequest)
        .where(
            ChangeRequest.booking_id == booking.id,
            ChangeRequest.kind == "reschedule",
            ChangeRequest.state == "done",
            ChangeRequest.actor_kind == "customer",
        )
    )
    return max(int(booking.snapshot.get("max_changes", 3)) - (made or 0), 0)
