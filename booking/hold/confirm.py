"""The customer submits a held booking: it goes to the provider, or is firm at once where places were allotted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.models import Booking
from booking.ownership import own_booking_id
from booking.states import BookingState
from booking.transition import lock_booking, move
from marketplace.catalog.models import Provider
from marketplace.core.db import transaction
from marketplace.core.errors import Refusal
from marketplace.core.logging import get_logger
from vip.principal import Principal

log = get_logger(__name__)


class HoldExpired(Refusal):
    """The time to confirm is over; place and quota were given back (or will be in a moment)."""

    code = "hold_expired"


class NotHeld(Refusal):
    """Only a held booking can be confirmed; `state` says what it is now."""

    code = "not_held"


def confirm(principal: Principal, public_id: str, *, now: datetime) -> None:
    """Submit the booking. Asking again after it was submitted changes nothing and succeeds.

    Raises NotFound, HoldExpired, NotHeld.
    """
    with transaction() as session:
        booking_id = own_booking_id(session, principal, public_id)
        booking, _ = lock_booking(session, booking_id)
        if booking.state in (BookingState.AWAITING_PROVIDER, BookingState.OUTCOME_UNKNOWN, BookingState.CONFIRMED):
            return
        if booking.state is BookingState.EXPIRED:
            raise HoldExpired()
        if booking.state is not BookingState.HELD:
            raise NotHeld(state=booking.state.value)
        if booking.hold_expires_at is not None and booking.hold_expires_at <= now:
            raise HoldExpired()
        submit(session, booking, actor=Actor("customer", principal.public_id), cause="submitted", now=now)
    log.info("booking.submitted", booking=public_id)


def submit(session: Session, booking: Booking, *, actor: Actor, cause: str, now: datetime) -> None:
    """Submit a locked booking that is held: to the provider, or confirmed at once where places were allotted."""
    allotment = session.scalar(select(Provider.allotment).where(Provider.id == booking.provider_id))
    to = BookingState.CONFIRMED if allotment else BookingState.AWAITING_PROVIDER
    move(session, booking, to, actor=actor, now=now, cause=cause)
