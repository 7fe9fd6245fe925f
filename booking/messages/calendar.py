"""A customer's bookings for a calendar program: one at a time, or all of them at a secret address.

Calendar programs cannot sign in, so the address holds the secret: 256 random bits, of which only a hash is stored. It
is shown once. It can be renewed, which revokes the old one, and revoked. It gives dates and places, never a result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, and_, exists, func, select
from sqlalchemy.orm import Session

from booking.messages.remind import preparation
from booking.messages.settings import own_row
from booking.models import Booking, BookingHistory
from booking.notices.models import NoticeSetting
from booking.ownership import own_booking
from booking.states import AT_PROVIDER, GIVEN_UP
from marketplace.catalog.kinds import without_times
from marketplace.core import audit
from marketplace.core.crypto import token_hash
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from marketplace.core.ids import new_token
from marketplace.core.text import Text
from vip.models import Beneficiary, Customer
from vip.principal import Principal

FEED_DAYS = 400
"""How many days a booking stays in the feed after its service date."""

_SUBMITTED = ("awaiting_provider", "confirmed")


@dataclass(frozen=True)
class Event:
    """A booking as an event of a calendar. `sequence` grows with every change; `status` is confirmed, tentative or
    cancelled (RFC 5545, section 3.8.1.11). `starts_at` and `ends_at` are None for a whole `day`. `person` is the full
    name of the relative who is booked, blank for the customer herself. `prepare` has both languages."""

    id: str
    reference: str
    sequence: int
    status: str
    offer: Text
    site: Mapping[str, str]
    day: date
    starts_at: datetime | None
    ends_at: datetime | None
    zone: str
    created_at: datetime
    updated_at: datetime
    person: str
    prepare: Text


@dataclass(frozen=True)
class Feed:
    """The feed at a secret address. `language` is the customer's choice or None; `mark` changes whenever an event
    does."""

    mark: str
    language: str | None
    customer_id: int


def event(principal: Principal, public_id: str) -> Event:
    """One of the customer's bookings. Raises NotFound, also for one that was never submitted, or has no time."""
    with reading() as session:
        row = session.execute(_rows().where(own_booking(principal, public_id))).one_or_none()
    if row is None:
        raise NotFound(field="booking_id")
    return _event(row)


def new_feed(principal: Principal, *, now: datetime) -> str:
    """Make a new secret for the feed's address and return it; it cannot be read later. The old one is revoked.
    Audited."""
    token = new_token()
    with transaction() as session:
        row = own_row(session, principal, now)
        row.feed_hash, row.feed_made_at, row.updated_at = token_hash(token), now, now
        _record(session, principal, "calendar.address_made", now)
    return token


def end_feed(principal: Principal, *, now: datetime) -> None:
    """Revoke the feed's address. Audited. Does nothing if there is none."""
    with transaction() as session:
        row = own_row(session, principal, now)
        if row.feed_hash is not None:
            row.feed_hash, row.updated_at = None, now
            _record(session, principal, "calendar.address_ended", now)


def open_feed(token: str, *, now: datetime) -> Feed:
    """The feed with this secret. Raises NotFound for an unknown secret and for a revoked one alike."""
    with reading() as session:
        owner = session.execute(
            select(Customer.id, Customer.language)
            .join(NoticeSetting, NoticeSetting.customer_id == Customer.id)
            .where(NoticeSetting.feed_hash == token_hash(token), Customer.blocked_at.is_(None))
        ).one_or_none()
        if owner is None:
            raise NotFound()
        newest = session.execute(
            select(func.count(), func.max(Booking.updated_at), func.sum(Booking.version)).where(
                *_in_feed(owner.id, now)
            )
        ).one()
    mark = hashlib.sha256(repr((owner.language, *newest)).encode()).hexdigest()[:24]
    return Feed(mark, owner.language, owner.id)


def events(feed: Feed, *, now: datetime) -> list[Event]:
    """The feed's events, by service date."""
    query = _rows().where(*_in_feed(feed.customer_id, now)).order_by(Booking.service_date, Booking.id)
    with reading() as session:
        return [_event(row) for row in session.execute(query)]


def _in_feed(customer_id: int, now: datetime) -> tuple[Any, ...]:
    return (
        Booking.customer_id == customer_id,
        Booking.service_date > now.date() - timedelta(days=FEED_DAYS),
        _submitted(),
    )


def _submitted() -> Any:
    """The condition that a booking was submitted and has a time, so that a calendar can hold it."""
    asked = exists().where(BookingHistory.booking_id == Booking.id, BookingHistory.to_state.in_(_SUBMITTED))
    return and_(Booking.kind.not_in(without_times()), asked)


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(Booking, Beneficiary.name, Beneficiary.relation)
        .join(Beneficiary, Beneficiary.id == Booking.beneficiary_id)
        .where(_submitted())
    )


def _event(row: Row[*tuple[Any, ...]]) -> Event:
    booking, name, relation = row
    status = "confirmed" if booking.state in AT_PROVIDER else "cancelled" if booking.state in GIVEN_UP else "tentative"
    return Event(
        id=booking.public_id,
        reference=booking.reference,
        sequence=booking.version,
        status=status,
        offer=Text.of(booking.snapshot["offer"]),
        site=booking.snapshot["site"],
        day=booking.service_date,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        zone=booking.time_zone,
        created_at=booking.created_at,
        updated_at=booking.updated_at,
        person="" if relation == "self" else name,
        prepare=preparation(booking.kind, booking.snapshot.get("package", {})),
    )


def _record(session: Session, principal: Principal, what: str, now: datetime) -> None:
    me = principal.public_id
    audit.record(session, what, at=now, actor_kind="customer", actor=me, subject=me, insurer_id=principal.insurer_id)
