"""A customer's bookings as a list, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Date, Select, and_, cast, func, or_, select
from sqlalchemy.orm import Session

from booking.models import Booking, ChangeRequest
from booking.ownership import customer_of
from booking.views.cards import BookingCard
from booking.views.customer import card_of, card_rows
from marketplace.catalog.kinds import without_times
from marketplace.core.database.db import reading
from marketplace.core.errors import Invalid
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from vip.principal import Principal

When = Literal["upcoming", "past"]


def bookings_version(principal: Principal) -> tuple[int, int]:
    """The number of the principal's bookings and the sum of their versions: it changes whenever one of them does, or a
    new one is made. For pages that poll it; one query by the customer's index."""
    with reading() as session:
        row = session.execute(
            select(func.count(), func.coalesce(func.sum(Booking.version), 0)).where(
                Booking.customer_id == customer_of(principal)
            )
        ).one()
    return row[0], int(row[1])


def bookings(
    principal: Principal, *, cursor: str | None, limit: int, now: datetime, when: When | None = None
) -> Page[BookingCard]:
    """The principal's bookings: upcoming (live, and not before today at the site if it has a time) by date, soonest
    first; past and all, newest first."""
    with reading() as session:
        query = card_rows().where(Booking.customer_id == customer_of(principal))
        ascending = when == "upcoming"
        if when is not None:
            query = query.where(_upcoming(now) if ascending else ~_upcoming(now))
        query = _after(query, cursor, ascending)
        rows = session.execute(query.limit(limit + 1)).all()
        changes = _open_changes(session, [row.Booking.id for row in rows[:limit]])
    cards = [
        card_of(row.Booking, row.Beneficiary, row.entitlement, changes.get(row.Booking.public_id))
        for row in rows[:limit]
    ]
    if len(rows) <= limit:
        return Page(cards, None)
    last: Booking = rows[limit - 1].Booking
    key = [last.service_date.isoformat(), last.id] if ascending else [last.id]
    return Page(cards, encode_cursor(key))


def _upcoming(now: datetime) -> ColumnElement[bool]:
    today_there = cast(func.timezone(Booking.time_zone, now), Date)
    goes_on = Booking.kind.in_(without_times())  # across midnight too
    return and_(Booking.live, or_(Booking.service_date >= today_there, goes_on))


def _after(query: Select[*tuple[Any, ...]], cursor: str | None, ascending: bool) -> Select[*tuple[Any, ...]]:
    if not ascending:
        if cursor is not None:
            (last_id,) = decode_cursor(cursor, (int,))
            query = query.where(Booking.id < last_id)
        return query.order_by(Booking.id.desc())
    if cursor is not None:
        text, last_id = decode_cursor(cursor, (str, int))
        try:
            day = date.fromisoformat(text)
        except ValueError as bad:
            raise Invalid(field="cursor", reason="bad_cursor") from bad
        query = query.where(or_(Booking.service_date > day, and_(Booking.service_date == day, Booking.id > last_id)))
    return query.order_by(Booking.service_date, Booking.id)


def _open_changes(session: Session, ids: Sequence[int]) -> dict[str, str]:
    rows = session.execute(
        select(Booking.public_id, ChangeRequest.kind)
        .join(ChangeRequest, ChangeRequest.booking_id == Booking.id)
        .where(Booking.id.in_(ids), ChangeRequest.state == "open")
    )
    return {row.public_id: row.kind for row in rows}
