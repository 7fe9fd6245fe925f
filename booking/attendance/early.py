"""A status that a provider reports before it can be true: it opens a discrepancy and does not move the
booking."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import Session

from booking.discrepancies import Discrepancy, close_discrepancy, open_discrepancy
from booking.models import Booking
from marketplace.core.clock import start_of
from providers.reported import RemoteBooking

TOO_EARLY = "too_early"

CHECK_IN_EARLY = timedelta(hours=6)
"""How long before the service date begins a check-in is accepted: some sites check in the evening before."""

_TOLERANCE: Mapping[str, timedelta] = {
    "checked_in": CHECK_IN_EARLY,
    "in_service": timedelta(),
    "fulfilled": timedelta(),
    "no_show": timedelta(),
}
"""Statuses that are possible only from the service date, or its time, on, and how long before each is accepted."""

DAY_OF_SERVICE = frozenset(_TOLERANCE)
"""Statuses that say who came on the day, or that nobody did."""


_NOT_BEFORE_ITS_TIME = frozenset({"no_show"})
"""Statuses that are possible only from the time of the service on, where it has one. Who comes early may be served
early, on the same day; who has not come may still come."""


def possible_from(status: str, service_date: date, starts_at: datetime | None, time_zone: str) -> datetime | None:
    """From when the provider can report this status; None if it always can. The service date begins at midnight at the
    site; `starts_at` is None for a whole day."""
    tolerance = _TOLERANCE.get(status)
    if tolerance is None:
        return None
    return start_of(service_date, starts_at if status in _NOT_BEFORE_ITS_TIME else None, time_zone) - tolerance


def too_early(status: str, service_date: date, starts_at: datetime | None, time_zone: str, now: datetime) -> bool:
    """Whether the provider cannot report this status yet."""
    begins = possible_from(status, service_date, starts_at, time_zone)
    return begins is not None and now < begins


def record_early_status(session: Session, booking: Booking, there: RemoteBooking, now: datetime) -> None:
    """Record a status that came too early in the open discrepancy of this provider booking, or open one. The booking
    does not move."""
    known = session.scalar(_of(booking, there.reference).where(Discrepancy.closed_at.is_(None)))
    report = _report(there)
    before = [] if known is None else [each for each in known.facts.get("reports", []) if each != report]
    starts_at = there.starts_at if there.service_date else booking.starts_at
    facts = {
        "ours": booking.state.value,
        **report,
        "reference": there.reference,
        "reports": [*before, report],
        "service_date": (there.service_date or booking.service_date).isoformat(),
        "starts_at": starts_at.isoformat() if starts_at else None,
    }
    if known is not None:
        known.facts = facts
        return
    open_discrepancy(
        session, booking.provider_id, TOO_EARLY, there.reference, now=now, booking_id=booking.id, facts=facts
    )


def refuse_early(session: Session, booking: Booking, there: RemoteBooking, now: datetime) -> bool:
    """Whether this report can't be followed because it comes too early, which is recorded, or came too early when it
    was first made."""
    known = is_early_status(session, booking, there)
    # What it says of another time of the day can't come too early for ours: the times differ, and that is the case.
    at = booking.starts_at if there.starts_at in (None, booking.starts_at) else None
    early = not known and too_early(there.status, booking.service_date, at, booking.time_zone, now)
    if early:
        record_early_status(session, booking, there, now)
    return known or early


def close_all_early(session: Session, booking: Booking, now: datetime) -> None:
    """Close what came too early of any provider booking: ours has ended."""
    references = select(Discrepancy.subject).where(
        Discrepancy.booking_id == booking.id, Discrepancy.kind == TOO_EARLY, Discrepancy.closed_at.is_(None)
    )
    for reference in session.scalars(references).all():
        close_discrepancy(session, booking.provider_id, TOO_EARLY, reference, "booking_ended", now=now)


def is_early_status(session: Session, booking: Booking, there: RemoteBooking) -> bool:
    """Whether this is a report (same provider booking, version and status) that came too early. It stays refused after
    its day has come, and after the discrepancy is closed."""
    recorded = session.scalars(_of(booking, there.reference)).all()
    return any(_report(there) in case.facts.get("reports", []) for case in recorded)


def last_early(session: Session, booking: Booking, reference: str) -> Discrepancy | None:
    """The latest discrepancy, open or closed, for what came too early of this provider booking."""
    return session.scalar(_of(booking, reference).order_by(Discrepancy.id.desc()).limit(1))


def _of(booking: Booking, reference: str) -> Select[Discrepancy]:
    return (
        select(Discrepancy)
        .where(
            Discrepancy.provider_id == booking.provider_id,
            Discrepancy.kind == TOO_EARLY,
            Discrepancy.subject == reference,
        )
        .execution_options(populate_existing=True)
    )


def _report(there: RemoteBooking) -> dict[str, Any]:
    return {"version": there.version, "theirs": there.status}


def has_early_status() -> ColumnElement[bool]:
    """The condition that a booking has an open discrepancy for a status that came too early."""
    return exists().where(
        Discrepancy.booking_id == Booking.id, Discrepancy.kind == TOO_EARLY, Discrepancy.closed_at.is_(None)
    )
