"""Which bookings a provider knows of: those that were submitted to it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from booking.models import Booking, ProviderTask
from booking.states import BookingState
from marketplace.catalog.models import Provider
from marketplace.core.errors import NotFound
from providers.registry import ADAPTERS, capabilities

_NEVER_SUBMITTED = (BookingState.HELD, BookingState.EXPIRED)
_MAYBE = (BookingState.CANCELLED, BookingState.ENTERED_IN_ERROR)
"""States that a hold may end in as well as what was submitted: that has a command."""


def of_provider(provider_id: int) -> ColumnElement[bool]:
    """The condition that a booking is this provider's, and is or was submitted to it."""
    submitted = or_(
        Booking.state.not_in((*_NEVER_SUBMITTED, *_MAYBE)),
        and_(Booking.state.in_(_MAYBE), exists().where(ProviderTask.booking_id == Booking.id)),
    )
    return and_(Booking.provider_id == provider_id, submitted)


def answers_here(session: Session, provider_id: int) -> bool:
    """Whether the provider answers in our books, rather than in a system of its own that we call."""
    adapter = session.scalar(select(Provider.adapter).where(Provider.id == provider_id))
    return adapter in ADAPTERS and capabilities(adapter).answers_here


def providers_booking_id(session: Session, provider_id: int, public_id: str) -> int:
    """Internal id of a provider's booking. Raises NotFound if there is none, and if it is another provider's."""
    found = session.scalar(select(Booking.id).where(of_provider(provider_id), Booking.public_id == public_id))
    if found is None:
        raise NotFound(field="booking_id")
    return found
