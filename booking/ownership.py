"""Who owns a booking, which provider knows of it, which operators may see it, and the audit's line for each of the
operators' looks and searches."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from booking.models import Booking, ProviderTask
from booking.states import BookingState
from marketplace.core import audit
from marketplace.core.errors import NotFound
from vip import roles
from vip.principal import Principal

VIEWED = "booking.viewed"
SEARCHED = "booking.searched"


def customer_of(principal: Principal) -> int:
    """The customer's internal id. Raises NotFound for an operator, who has no bookings of her own."""
    if principal.kind != "customer":
        raise NotFound()
    return principal.id


def own_booking(principal: Principal, public_id: str) -> ColumnElement[bool]:
    """The condition that selects the principal's own booking; for an operator it selects none."""
    owner = Booking.customer_id == principal.id if principal.kind == "customer" else Booking.id.is_(None)
    return and_(Booking.public_id == public_id, owner)


def own_booking_id(session: Session, principal: Principal, public_id: str) -> int:
    """Internal id of the principal's own booking. Raises NotFound if there is none, and if it is another
    customer's."""
    found = session.scalar(select(Booking.id).where(own_booking(principal, public_id)))
    if found is None:
        raise NotFound(field="booking_id")
    return found


_NEVER_SUBMITTED = (BookingState.HELD, BookingState.EXPIRED)
_MAYBE = (BookingState.CANCELLED, BookingState.ENTERED_IN_ERROR)
"""States that a hold may end in as well as what was submitted: that has a command."""


def of_provider(provider_id: int) -> ColumnElement[bool]:
    """The condition that a booking is this provider's, and is or was submitted to it: it knows of no other."""
    submitted = or_(
        Booking.state.not_in((*_NEVER_SUBMITTED, *_MAYBE)),
        and_(Booking.state.in_(_MAYBE), exists().where(ProviderTask.booking_id == Booking.id)),
    )
    return and_(Booking.provider_id == provider_id, submitted)


def providers_booking_id(session: Session, provider_id: int, public_id: str) -> int:
    """Internal id of a booking that the provider knows of. Raises NotFound if there is none, and if it is another
    provider's."""
    found = session.scalar(select(Booking.id).where(of_provider(provider_id), Booking.public_id == public_id))
    if found is None:
        raise NotFound(field="booking_id")
    return found


def insurers_booking(operator: Principal, public_id: str) -> ColumnElement[bool]:
    """The condition that selects a booking of the operator's insurer; without the role for the desk it selects none."""
    theirs = Booking.insurer_id == operator.insurer_id if roles.may(operator, "desk") else Booking.id.is_(None)
    return and_(Booking.public_id == public_id, theirs)


def insurers_booking_id(session: Session, operator: Principal, public_id: str) -> int:
    """Internal id of a booking of the operator's insurer. Raises NotFound if there is none, and if it is another
    insurer's."""
    found = session.scalar(select(Booking.id).where(insurers_booking(operator, public_id)))
    if found is None:
        raise NotFound(field="booking_id")
    return found


def is_booked(session: Session, beneficiary_id: int) -> bool:
    """Whether there is a live booking for this person (internal id)."""
    return session.scalar(select(exists().where(Booking.beneficiary_id == beneficiary_id, Booking.live))) is True


def record_look(
    session: Session, operator: Principal, action: str, subject: str, now: datetime, **facts: str | int
) -> None:
    """Add the line in the caller's transaction. `subject`: the booking's public id, or the customer's where a search
    found her; blank where it found nobody."""
    audit.record(
        session,
        action,
        at=now,
        actor_kind=operator.acts_as,
        actor=operator.public_id,
        subject=subject,
        insurer_id=operator.insurer_id,
        **facts,
    )
