"""A customer's inbox: her notices, newest first, and which of them she has read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, or_, select, update

from booking.models import Booking
from booking.notices.models import Notification
from booking.ownership import customer_of
from booking.states import BookingState
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from vip.models import Beneficiary
from vip.principal import Principal

MOST_COUNTED = 1_000


@dataclass(frozen=True)
class Notice:
    """A notice. `facts` are as notify() stored them; `booking_id`, `report_id` and `entitlement_id` are
    public ids of what it is about, None where there is none. `person` is the full name of who is booked, None without a
    booking."""

    id: str
    kind: str
    facts: Mapping[str, Any]
    created_at: datetime
    read_at: datetime | None
    booking_id: str | None
    report_id: str | None
    entitlement_id: str | None
    person: str | None
    relation: str | None


def notices(principal: Principal, *, cursor: str | None, limit: int) -> Page[Notice]:
    """The customer's notices, newest first. A notice of a hold that has ended is left out."""
    query = _rows(principal).where(_worth_showing()).order_by(Notification.id.desc()).limit(limit + 1)
    if cursor is not None:
        query = query.where(Notification.id < decode_cursor(cursor, (int,))[0])
    with reading() as session:
        rows = session.execute(query).all()
    shown = rows[:limit]
    return Page([_notice(row) for row in shown], encode_cursor([shown[-1][0].id]) if len(rows) > limit else None)


def unread(principal: Principal, *, most: int = 100) -> int:
    """How many notices she has not read, at most `most`."""
    found = (
        select(Notification.id)
        .outerjoin(Booking, Booking.id == Notification.booking_id)
        .where(Notification.customer_id == customer_of(principal), Notification.read_at.is_(None), _worth_showing())
        .limit(most)
        .subquery()
    )
    with reading() as session:
        return session.scalar(select(func.count()).select_from(found)) or 0


def mark_read(principal: Principal, public_id: str, *, now: datetime) -> Notice:
    """Mark a notice as read and return it; one that was read before keeps its time. Raises NotFound if there is none
    and if it is another customer's."""
    with transaction() as session:
        session.execute(
            update(Notification)
            .where(
                Notification.public_id == public_id,
                Notification.customer_id == customer_of(principal),
                Notification.read_at.is_(None),
            )
            .values(read_at=now)
        )
        row = session.execute(_rows(principal).where(Notification.public_id == public_id)).one_or_none()
        if row is None:
            raise NotFound(field="notification_id")
        return _notice(row)


def mark_all_read(principal: Principal, *, now: datetime) -> int:
    """Mark all notices as read. Returns how many were unread, at most MOST_COUNTED."""
    new = unread(principal, most=MOST_COUNTED)
    with transaction() as session:
        session.execute(
            update(Notification)
            .where(Notification.customer_id == customer_of(principal), Notification.read_at.is_(None))
            .values(read_at=now)
        )
    return new


def _rows(principal: Principal) -> Select[*tuple[Any, ...]]:
    return (
        select(Notification, Booking.public_id, Beneficiary.name, Beneficiary.relation)
        .outerjoin(Booking, Booking.id == Notification.booking_id)
        .outerjoin(Beneficiary, Beneficiary.id == Booking.beneficiary_id)
        .where(Notification.customer_id == customer_of(principal))
    )


def _worth_showing() -> ColumnElement[bool]:
    return or_(Notification.kind != "held", Booking.state == BookingState.HELD)


def _notice(row: Row[*tuple[Any, ...]]) -> Notice:
    notice, booking, person, relation = row
    return Notice(
        id=notice.public_id,
        kind=notice.kind,
        facts=notice.facts,
        created_at=notice.created_at,
        read_at=notice.read_at,
        booking_id=booking or notice.facts.get("booking"),
        report_id=notice.facts.get("report"),
        entitlement_id=notice.facts.get("entitlement"),
        person=person,
        relation=relation,
    )
