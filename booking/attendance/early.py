"""A status that a provider reports before the day of the service: it opens a discrepancy and does not move the
booking."""

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
"""How long before the service date begins a check-in is accepted: some sites check in the evening before."""

_TOLERANCE: Mapping[str, timedelta] = {
    "checked_in": CHECK_IN_EARLY,
    "in_service": timedelta(),
    "fulfilled": timedelta(),
    "no_show": timedelta(),
}
"""Statuses that are possible only from the service date on, and how long before it each is accepted."""


def too_early(status: str, service_date: date, time_zone: str, now: datetime) -> bool:
    """Whether the provider cannot report this status yet. The service date begins at midnight at the site."""
    tolerance = _TOLERANCE.get(status)
    return tolerance is not None and now < start_of(service_date, None, time_zone) - tolerance


def record_early_status(session: Session, booking: Booking, there: RemoteBooking, now: datetime) -> None:
    """Open the discrepancy for a status that came too early; the booking does not move."""
    facts = {
        "ours": booking.state.value,
        "theirs": there.status,
        "reference": there.reference,
        "version": there.version,
        "service_date": booking.service_date.isoformat(),
        "starts_at": booking.starts_at.isoformat() if booking.starts_at else None,
    }
    open_discrepancy(session, booking.provider_id, KIND, booking.public_id, now=now, booking_id=booking.id, facts=facts)


def close_early_status(session: Session, booking: Booking, now: datetime) -> None:
    """Close the discrepancy: the provider reports another status now, which is possible."""
    close_discrepancy(session, booking.provider_id, KIND, booking.public_id, "corrected_by_provider", now=now)


def is_early_status(session: Session, booking: Booking, there: RemoteBooking) -> bool:
    """Whether this is the report (same version and status) that came too early. It stays refused after its day has
    come."""
    recorded: list[dict[str, Any]] = list(
        session.scalars(select(Discrepancy.facts).where(Discrepancy.booking_id == booking.id, Discrepancy.kind == KIND))
    )
    return any(facts.get("version") == there.version and facts.get("theirs") == there.status for facts in recorded)


def has_early_status() -> ColumnElement[bool]:
    """The condition that a booking has an open discrepancy for a status that came too early."""
    return exists().where(
        Discrepancy.booking_id == Booking.id, Discrepancy.kind == KIND, Discrepancy.closed_at.is_(None)
    )
