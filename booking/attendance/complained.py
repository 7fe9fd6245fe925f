"""While a customer's complaint about a visit is open, nobody's word completes it: not the worker's, nor the desk's, nor
that of her provider's system. It goes on as far as being under way, and the person who closes the case has the last
word."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from booking.discrepancies import Discrepancy
from booking.models import Booking
from booking.states import BookingState, legal
from marketplace.core.errors import Refusal

COMPLAINT = "escort_complaint"
"""The kind of the case that a customer's word opens who says that something is wrong."""


class ComplaintOpen(Refusal):
    """The customer says that something is wrong with the visit, and a person has not closed that yet."""

    code = "complaint_open"


def has_complaint() -> ColumnElement[bool]:
    """Whether (SQL, of a Booking) a case of its customer's is open."""
    return exists().where(
        Discrepancy.booking_id == Booking.id, Discrepancy.kind == COMPLAINT, Discrepancy.closed_at.is_(None)
    )


def is_complained(session: Session, booking: Booking) -> bool:
    """The same of one booking."""
    return session.scalar(select(has_complaint()).where(Booking.id == booking.id)) is True


def as_far_as_it_goes(session: Session, booking: Booking, said: BookingState) -> BookingState:
    """Where a locked booking goes of which its provider says that state: instead of done, under way, as after a
    worker's last step."""
    goes = said
    if said is BookingState.FULFILLED and booking.state is not said and is_complained(session, booking):
        under_way = legal(booking.state, BookingState.IN_SERVICE)
        goes = BookingState.IN_SERVICE if under_way else booking.state
        if booking.state is BookingState.NO_SHOW:
            goes = BookingState.CHECKED_IN
    return goes
