"""What a customer sees of her bookings, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Date, Row, Select, and_, cast, func, or_, select
from sqlalchemy.orm import Session

from booking.change_rules import cancel_until, change_until, changes_left
from booking.models import Booking, BookingHistory, ChangeRequest, Report
from booking.own import customer_of, own_booking, own_booking_id
from booking.states import LIVE, BookingState
from marketplace.catalog.models import Offer, Provider, Site
from marketplace.core.db import reading
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from vip.ledger import Reservation, Standing, standing
from vip.models import Beneficiary, Entitlement
from vip.principal import Principal

When = Literal["upcoming", "past"]


@dataclass(frozen=True)
class Moved:
    """One line of the timeline. `actor` is a kind (customer, provider, clock, …), never a person."""

    at: datetime
    state: str
    actor: str
    cause: str


@dataclass(frozen=True)
class BookingCard:
    """A booking in a list. Times are UTC; `time_zone` is the site's."""

    id: str
    reference: str
    state: str
    version: int
    kind: str
    offer_id: str
    offer_name: dict[str, str]
    site: dict[str, Any]
    provider_name: dict[str, str]
    beneficiary_id: str
    beneficiary_name: str
    relation: str
    entitlement_id: str
    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None
    time_zone: str
    hold_expires_at: datetime | None
    answer_due_at: datetime | None
    cause: str
    change: str | None
    price_minor: int
    currency: str
    report_state: str
    report_due_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class BookingView(BookingCard):
    """A booking in full. `cancel_until` and `change_until` are the last moments to do it online, `can_cancel` and
    `can_change` whether it may be done now, `changes_left` how often still. `change` names an open request (cancel,
    reschedule), `new_…` the time it asks for, `change_refused` the cause of the last one that was refused. `benefit`:
    where the unit that it took stands. With `allotment` it is confirmed at once, else within `answer_hours`."""

    package: dict[str, Any]
    cancel_until: datetime
    can_cancel: bool
    change_until: datetime
    changes_left: int
    can_change: bool
    new_service_date: date | None
    new_starts_at: datetime | None
    new_ends_at: datetime | None
    change_refused: str | None
    report_id: str | None
    longitude: float | None
    latitude: float | None
    allotment: bool
    answer_hours: int
    benefit: Standing
    timeline: Sequence[Moved]


def booking(principal: Principal, public_id: str, *, now: datetime) -> BookingView:
    """The principal's own booking in full. Raises NotFound."""
    with reading() as session:
        row = session.execute(
            _cards()
            .add_columns(Site.longitude, Site.latitude, Provider.allotment, Provider.answer_hours)
            .join(Offer, Offer.id == Booking.offer_id)
            .join(Site, Site.id == Offer.site_id)
            .join(Provider, Provider.id == Booking.provider_id)
            .where(own_booking(principal, public_id))
        ).one_or_none()
        if row is None:
            raise NotFound(field="booking_id")
        booking_id = row.Booking.id
        requests = session.scalars(
            select(ChangeRequest).where(ChangeRequest.booking_id == booking_id).order_by(ChangeRequest.id)
        ).all()
        report = session.scalar(
            select(Report.public_id).where(Report.booking_id == booking_id, Report.fetched_version > 0)
        )
        history = session.scalars(
            select(BookingHistory).where(BookingHistory.booking_id == booking_id).order_by(BookingHistory.version)
        ).all()
        kept: Booking = row.Booking
        left = changes_left(session, kept)
        benefit = standing(session, Reservation(kept.entitlement_id, kept.id, kept.attempt))
    until = cancel_until(kept)
    cancellable = kept.state in LIVE and kept.state not in (BookingState.CHECKED_IN, BookingState.IN_SERVICE)
    asked = next((request for request in requests if request.state == "open"), None)
    return BookingView(
        **{**vars(_card(row)), "change": asked.kind if asked else None},
        package=kept.snapshot.get("package", {}),
        cancel_until=until,
        can_cancel=cancellable
        and (asked is None or asked.kind != "cancel")
        and (kept.state is BookingState.HELD or now < until),
        change_until=change_until(kept),
        changes_left=left,
        can_change=kept.state is BookingState.CONFIRMED and asked is None and left > 0 and now < change_until(kept),
        new_service_date=asked.new_service_date if asked else None,
        new_starts_at=asked.new_starts_at if asked else None,
        new_ends_at=asked.new_ends_at if asked else None,
        change_refused=requests[-1].cause if requests and requests[-1].state == "refused" else None,
        report_id=report,
        longitude=row.longitude,
        latitude=row.latitude,
        allotment=row.allotment,
        answer_hours=row.answer_hours,
        benefit=benefit,
        timeline=_timeline(history, requests),
    )


def booking_version(principal: Principal, public_id: str) -> int:
    """The booking's version alone: what a waiting page asks again and again. Raises NotFound."""
    with reading() as session:
        booking_id = own_booking_id(session, principal, public_id)
        version: int = session.execute(select(Booking.version).where(Booking.id == booking_id)).scalar_one()
        return version


def bookings(
    principal: Principal, *, cursor: str | None, limit: int, now: datetime, when: When | None = None
) -> Page[BookingCard]:
    """The principal's bookings: upcoming (live, and not before today at the site) by date, soonest first; past and
    all, newest first."""
    with reading() as session:
        query = _cards().where(Booking.customer_id == customer_of(principal))
        ascending = when == "upcoming"
        if when is not None:
            query = query.where(_upcoming(now) if ascending else ~_upcoming(now))
        query = _after(query, cursor, ascending)
        rows = session.execute(query.limit(limit + 1)).all()
        cards = [_card(row) for row in rows[:limit]]
        changes = _open_changes(session, [row.Booking.id for row in rows[:limit]])
    cards = [BookingCard(**{**vars(card), "change": changes.get(card.id)}) for card in cards]
    if len(rows) <= limit:
        return Page(cards, None)
    last: Booking = rows[limit - 1].Booking
    key = [last.service_date.isoformat(), last.id] if ascending else [last.id]
    return Page(cards, encode_cursor(key))


def _upcoming(now: datetime) -> ColumnElement[bool]:
    today_there = cast(func.timezone(Booking.time_zone, now), Date)
    return and_(Booking.live, Booking.service_date >= today_there)


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


def _cards() -> Select[*tuple[Any, ...]]:
    return (
        select(Booking, Beneficiary, Entitlement.public_id.label("entitlement"))
        .join(Beneficiary, Beneficiary.id == Booking.beneficiary_id)
        .join(Entitlement, Entitlement.id == Booking.entitlement_id)
    )


def _card(row: Row[Any]) -> BookingCard:
    kept: Booking = row.Booking
    person: Beneficiary = row.Beneficiary
    offer = kept.snapshot["offer"]
    return BookingCard(
        id=kept.public_id,
        reference=kept.reference,
        state=kept.state.value,
        version=kept.version,
        kind=kept.kind,
        offer_id=offer["id"],
        offer_name={"zh": offer["zh"], "en": offer["en"]},
        site=kept.snapshot["site"],
        provider_name=kept.snapshot["provider"],
        beneficiary_id=person.public_id,
        beneficiary_name=person.name,
        relation=person.relation,
        entitlement_id=row.entitlement,
        service_date=kept.service_date,
        starts_at=kept.starts_at,
        ends_at=kept.ends_at,
        time_zone=kept.time_zone,
        hold_expires_at=kept.hold_expires_at,
        answer_due_at=kept.answer_due_at,
        cause=kept.cause,
        change=None,
        price_minor=kept.price_minor,
        currency=kept.currency,
        report_state=kept.report_state,
        report_due_at=kept.report_due_at,
        created_at=kept.created_at,
        updated_at=kept.updated_at,
    )


def _open_changes(session: Session, ids: Sequence[int]) -> dict[str, str]:
    rows = session.execute(
        select(Booking.public_id, ChangeRequest.kind)
        .join(ChangeRequest, ChangeRequest.booking_id == Booking.id)
        .where(Booking.id.in_(ids), ChangeRequest.state == "open")
    )
    return {row.public_id: row.kind for row in rows}


def _timeline(history: Sequence[BookingHistory], requests: Sequence[ChangeRequest]) -> list[Moved]:
    """Moves and asked changes in the order of time. A cancel that was asked for is told when it was asked."""
    lines = [Moved(line.at, line.to_state, line.actor_kind, line.cause) for line in history]
    for request in requests:
        lines.append(Moved(request.asked_at, f"{request.kind}_asked", request.actor_kind, request.cause))
        if request.state == "refused" and request.closed_at is not None:
            lines.append(Moved(request.closed_at, f"{request.kind}_refused", "provider", request.cause))
    return sorted(lines, key=lambda line: line.at)
