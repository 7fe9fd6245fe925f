"""What a provider tells of a visit before its day: no state of the booking, but a difference for a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from booking.discrepancies import close_discrepancy, open_discrepancy
from booking.models import Booking, Discrepancy
from marketplace.core.clock import start_of
from providers.port import RemoteBooking

KIND = "too_early"

CHECK_IN_EARLY = timedelta(hours=6)
"""How long before the service date begins a check-in is believed: whoever has to fast registers the evening before."""

_TOLERANCE: Mapping[str, timedelta] = {
    "checked_in": CHECK_IN_EARLY,
    "in_service": timedelta(),
    "fulfilled": timedelta(),
    "no_show": timedelta(),
}
"""What can only be true on the service date, with how long before."""


def too_early(status: str, service_date: date, time_zone: str, now: datetime) -> bool:
    """Whether the service date, which begins at midnight at the site, is still too far away for that."""
    tolerance = _TOLERANCE.get(status)
    return tolerance is not None and now < start_of(service_date, None, time_zone) - tolerance


def keep_early_word(session: Session, booking: Booking, there: RemoteBooking, now: datetime) -> None:
    """Keep it as a difference; the booking stays where it is."""
    facts = {
        "ours": booking.state.value,
        "theirs": there.status,
        "reference": there.reference,
        "version": there.version,
        "service_date": booking.service_date.isoformat(),
        "starts_at": booking.starts_at.isoformat() if booking.starts_at else None,
    }
    open_discrepancy(session, booking.provider_id, KIND, booking.public_id, now=now, booking_id=booking.id, facts=facts)


def forget_early_word(session: Session, booking: Booking, now: datetime) -> None:
    """The provider says something else now that can be true: the difference is explained."""
    close_discrepancy(session, booking.provider_id, KIND, booking.public_id, "corrected_by_provider", now=now)


def said_early(session: Session, booking: Booking, there: RemoteBooking) -> bool:
    """Whether this is still the word that was told too early, and none that was said since. The day that has come
    meanwhile does not make it true."""
    kept: list[dict[str, Any]] = list(
        session.scalars(select(Discrepancy.facts).where(Discrepancy.booking_id == booking.id, Discrepancy.kind == KIND))
    )
    return any(facts.get("version") == there.version and facts.get("theirs") == there.status for facts in kept)


def waits_for_a_person() -> ColumnElement[bool]:
    """In a query of bookings: one whose provider told something too early, which nobody has settled."""
    return exists().where(
        Discrepancy.booking_id == Booking.id, Discrepancy.kind == KIND, Discrepancy.closed_at.is_(None)
    )
