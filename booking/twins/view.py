"""A twin's test bookings as they are now, for the people who make them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, and_, exists, func, select
from sqlalchemy.orm import aliased

from booking.changes.rules import changes_made, customer_may_cancel, left_after, may_change
from booking.models import Booking, ChangeRequest
from booking.states import BookingState, state_at
from marketplace.catalog.models import Offer
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from marketplace.core.text import Text
from vip.models import Customer


@dataclass(frozen=True)
class TimeOf:
    """A day, and a time of it unless it is all day."""

    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True)
class TrialBooking:
    """One test booking. `asked` is what its customer asks for and has no answer to (cancel or reschedule, blank for
    nothing), `wanted` the time of that reschedule. `may_cancel` and `may_change`: what she can ask for now."""

    id: str
    reference: str
    offer_id: str
    offer: Text
    place: str
    customer: str
    state: BookingState
    at: TimeOf
    time_zone: str
    asked: str
    wanted: TimeOf | None
    may_cancel: bool
    may_change: bool


def mark(twin_id: int) -> str:
    """A text that changes whenever the list does."""
    with reading() as session:
        row = session.execute(
            select(func.count(), func.coalesce(func.sum(Booking.version), 0)).where(
                Booking.provider_id == twin_id, Booking.market == twin_id
            )
        ).one()
    return f"{row[0]} {row[1]}"


def trial_bookings(twin_id: int, *, cursor: str | None, limit: int, now: datetime) -> Page[TrialBooking]:
    """Those that were not cleared, the newest first; none for a provider that is no twin. One query, however many.
    Raises Invalid(field="cursor")."""
    query = _trials(twin_id).order_by(Booking.id.desc()).limit(limit + 1)
    if cursor is not None:
        query = query.where(Booking.id < decode_cursor(cursor, [int])[0])
    with reading() as session:
        rows = session.execute(query).all()
    following = encode_cursor([rows[limit - 1].Booking.id]) if rows[limit:] else None
    return Page([_view(row, now) for row in rows[:limit]], following)


def trial_booking(twin_id: int, booking: str, *, now: datetime) -> TrialBooking:
    """One of them by its public id. Raises NotFound(field="booking_id")."""
    with reading() as session:
        row = session.execute(_trials(twin_id).where(Booking.public_id == booking)).one_or_none()
    if row is None:
        raise NotFound(field="booking_id")
    return _view(row, now)


def _trials(twin_id: int) -> Select[Booking, str, str, str, str, ChangeRequest, bool, int]:
    unfinished = aliased(ChangeRequest)
    return (
        select(
            *(Booking, Offer.public_id.label("offer_id"), Offer.name_zh, Offer.name_en, Customer.name, ChangeRequest),
            exists()
            .where(unfinished.booking_id == Booking.id, unfinished.closed_at.is_(None))
            .correlate(Booking)
            .label("unfinished"),
            changes_made().label("made"),
        )
        .join(Offer, Offer.id == Booking.offer_id)
        .join(Customer, Customer.id == Booking.customer_id)
        .outerjoin(ChangeRequest, and_(ChangeRequest.booking_id == Booking.id, ChangeRequest.state == "open"))
        .where(
            Booking.provider_id == twin_id,
            Booking.market == twin_id,
            Booking.state != BookingState.ENTERED_IN_ERROR,
        )
    )


def _view(row: Any, now: datetime) -> TrialBooking:
    it, request = row.Booking, row.ChangeRequest
    moves = request is not None and request.kind == "reschedule" and request.new_service_date is not None
    return TrialBooking(
        id=it.public_id,
        reference=it.reference,
        offer_id=row.offer_id,
        offer=Text(row.name_zh, row.name_en),
        place=it.snapshot["site"]["name"],
        customer=row.name,
        state=state_at(it.state, it.hold_expires_at, now),
        at=TimeOf(it.service_date, it.starts_at, it.ends_at),
        time_zone=it.time_zone,
        asked="" if request is None else request.kind,
        wanted=TimeOf(request.new_service_date, request.new_starts_at, request.new_ends_at) if moves else None,
        may_cancel=customer_may_cancel(it, asked=request is not None and request.kind == "cancel", now=now),
        may_change=may_change(it, unfinished=row.unfinished, left=left_after(it, row.made), now=now),
    )
