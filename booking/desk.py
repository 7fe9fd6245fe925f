"""What the phone desk sees of its insurer's bookings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from booking.models import Booking
from booking.own import insurers_booking
from booking.view import BookingCard, BookingView, card_of, card_rows, full_view
from marketplace.core.db import reading
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.strictjson import storable
from vip import phone as phones
from vip.models import Customer
from vip.principal import Principal

MOST_FOUND = 50


def booking_at_desk(operator: Principal, public_id: str, *, now: datetime) -> BookingView:
    """A booking of the operator's insurer in full. Raises NotFound."""
    return full_view(insurers_booking(operator, public_id), now=now)


def find_bookings(operator: Principal, wanted: str) -> Sequence[BookingCard]:
    """The bookings, newest first and at most MOST_FOUND, with this number, or of the customer with this phone number;
    of the operator's insurer. Empty for an unknown one and for what can be neither. Raises NotFound for anybody but an
    operator."""
    if operator.kind != "operator":
        raise NotFound()
    if not storable(wanted):
        return []
    query = card_rows().where(Booking.insurer_id == operator.insurer_id)
    number = "".join(wanted.split()).upper()
    try:
        index = phones.index(phones.normalise(wanted))
        query = query.join(Customer, Customer.id == Booking.customer_id).where(Customer.phone_index == index)
    except Invalid:
        query = query.where(Booking.reference == number)
    with reading() as session:
        rows = session.execute(query.order_by(Booking.id.desc()).limit(MOST_FOUND)).all()
        return [card_of(row) for row in rows]
