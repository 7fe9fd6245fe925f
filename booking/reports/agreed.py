"""Whether a provider ever agreed to a booking: until then nothing was examined, and no report is taken."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, or_

from booking.models import Booking, BookingHistory
from booking.states import AT_PROVIDER


def was_agreed() -> ColumnElement[bool]:
    """Whether (SQL, of a Booking) its provider has said yes, though it may have been cancelled since."""
    said_yes = exists().where(BookingHistory.booking_id == Booking.id, BookingHistory.to_state.in_(AT_PROVIDER))
    return or_(Booking.state.in_(AT_PROVIDER), said_yes)
