"""Whose escort it is."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.models import Booking
from booking.ownership import own_booking
from booking.states import BookingState
from marketplace.catalog.kinds import is_dispatched
from marketplace.core.errors import NotFound
from vip.customers.person_keys import PROCESS, WrappedKey, key_of
from vip.models import Beneficiary
from vip.principal import Principal


def own_escort(session: Session, principal: Principal, booking: str, *, lock: bool = False) -> Booking:
    """The customer's own booking for which somebody is sent, locked if asked for. Raises NotFound: another one's, and
    one that is no escort."""
    query = select(Booking).where(own_booking(principal, booking))
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None or not is_dispatched(row.kind) or row.state is BookingState.HELD:
        raise NotFound(field="booking_id")
    return row


def process_key(session: Session, booking: Booking) -> WrappedKey:
    """The process key of the person who is escorted."""
    return key_of(session, session.get_one(Beneficiary, booking.beneficiary_id), PROCESS)
