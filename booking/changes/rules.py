"""Until when and how often a booking may be changed or cancelled online: stored with the hold, so that the
customer knows it before she acts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.models import Booking, ChangeRequest
from booking.states import BEGUN, LIVE, BookingState
from marketplace.core.clock import start_of


def cancel_until(booking: Booking) -> datetime:
    """The last moment to cancel: the frozen number of hours before the start (or before the day begins), in UTC."""
    return _before_start(booking, int(booking.snapshot.get("cancel_hours", 0)))


def customer_may_cancel(booking: Booking, now: datetime) -> bool:
    """Whether the customer herself, or an agent for her, may cancel now: a hold until it ends, anything else until
    its window closes or the service begins."""
    if booking.state is BookingState.HELD:
        return True
    begun = booking.state in BEGUN
    return booking.state in LIVE and not begun and now < cancel_until(booking)


def change_until(booking: Booking) -> datetime:
    """The last moment to ask for another date, counted like `cancel_until`."""
    return _before_start(booking, int(booking.snapshot.get("change_hours", 24)))


def changes_left(session: Session, booking: Booking) -> int:
    """How many more changes the customer may make; those that a provider or an operator made are not counted."""
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
    return max(changes_allowed(booking) - (made or 0), 0)


def changes_allowed(booking: Booking) -> int:
    """How many changes the customer may make in all, frozen at the hold."""
    return int(booking.snapshot.get("max_changes", 3))


def _before_start(booking: Booking, hours: int) -> datetime:
    start = start_of(booking.service_date, booking.starts_at, booking.time_zone).astimezone(UTC)
    return start - timedelta(hours=hours)
