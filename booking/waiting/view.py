"""What a customer sees of the waiting list, as plain data: what she waits for, and what she could wait for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select, text
from sqlalchemy.orm import Session

from booking.models import Booking
from booking.offers.bookable import given_out, on_sale
from booking.ownership import customer_of
from booking.waiting.join import own_entry_id
from booking.waiting.models import OPEN, WaitingEntry, WaitingOffer, WaitingPlace
from marketplace.catalog.markets import LIVE
from marketplace.catalog.models import Offer, Site
from marketplace.catalog.one_place.sql import at_place, offers_at, place_id
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from marketplace.core.ids import well_formed
from marketplace.core.paging import Page, check_limit, decode_cursor, encode_cursor
from marketplace.core.text import Text
from vip.models import Beneficiary, Entitlement
from vip.principal import Principal

RECENT = timedelta(days=7)
"""How long an entry that is over stays in the list of the pages."""


@dataclass(frozen=True)
class WaitingSite:
    """An offer that the entry waits for, and its site."""

    offer_id: str
    offer_name: Text
    site_id: str
    site_name: str
    city: str
    district: str
    tier: str | None


@dataclass(frozen=True)
class HeldPlace:
    """The place that is offered to an entry now. `state` is the booking's. A hold is released at `until` and then
    offered to the next entry. `starts_at` and `ends_at` are UTC, None for a whole day."""

    booking_id: str
    state: str
    until: datetime
    offered_at: datetime
    offer_id: str
    site_name: str
    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None
    time_zone: str


@dataclass(frozen=True)
class WaitingView:
    """An entry. `weekdays` are ISO (1 Monday). `cause` says why it ended: over, lapsed, entitlement_gone, person_gone,
    offer_closed, booked_otherwise, stopped_waiting. `lapses` counts the offers that she let pass; the second ends it.
    `unit_free`: whether a unit of the benefit is left to take a place with now."""

    id: str
    state: str
    cause: str
    version: int
    kind: str
    beneficiary_id: str
    beneficiary_name: str
    relation: str
    entitlement_id: str | None
    sites: tuple[WaitingSite, ...]
    first_day: date
    last_day: date
    weekdays: tuple[int, ...]
    from_hour: int
    until_hour: int
    hours_before: int
    auto_book: bool
    lapses: int
    unit_free: bool
    closes_at: datetime
    created_at: datetime
    updated_at: datetime
    held: HeldPlace | None


def waiting(principal: Principal, public_id: str) -> WaitingView:
    """The principal's own entry. Raises NotFound."""
    with reading() as session:
        entry_id = own_entry_id(session, principal, public_id)
        [found] = _views(session, WaitingEntry.id == entry_id, limit=1)
    return found


def waiting_list(principal: Principal, *, cursor: str | None, limit: int) -> Page[WaitingView]:
    """All of the principal's entries, newest first."""
    check_limit(limit)
    wanted = WaitingEntry.customer_id == customer_of(principal)
    if cursor is not None:
        (last,) = decode_cursor(cursor, (int,))
        wanted = and_(wanted, WaitingEntry.id < last)
    with reading() as session:
        ids = session.scalars(
            select(WaitingEntry.id).where(wanted).order_by(WaitingEntry.id.desc()).limit(limit + 1)
        ).all()
        views = _views(session, WaitingEntry.id.in_(ids[:limit]), limit=limit)
    return Page(views, encode_cursor([ids[limit - 1]]) if len(ids) > limit else None)


def current(principal: Principal, *, now: datetime) -> list[WaitingView]:
    """What she waits for, and what ended within a week without her doing; newest first."""
    wanted = and_(
        WaitingEntry.customer_id == customer_of(principal),
        or_(WaitingEntry.state.in_(OPEN), and_(WaitingEntry.state == "ended", WaitingEntry.updated_at > now - RECENT)),
    )
    with reading() as session:
        return _views(session, wanted, limit=30)


def mark(principal: Principal, *, now: datetime) -> str:
    """A text that changes whenever `current` does: what a waiting page asks again and again."""
    with reading() as session:
        row = session.execute(
            select(func.count(), func.coalesce(func.sum(WaitingEntry.version), 0)).where(
                WaitingEntry.customer_id == customer_of(principal),
                or_(
                    WaitingEntry.state.in_(OPEN),
                    and_(WaitingEntry.state == "ended", WaitingEntry.updated_at > now - RECENT),
                ),
            )
        ).one()
        held = session.execute(
            select(func.coalesce(func.sum(Booking.version), 0))
            .select_from(WaitingEntry)
            .join(WaitingOffer, and_(WaitingOffer.entry_id == WaitingEntry.id, WaitingOffer.outcome == "open"))
            .join(Booking, Booking.id == WaitingOffer.booking_id)
            .where(WaitingEntry.customer_id == customer_of(principal), WaitingEntry.state == "offered")
        ).scalar_one()
    return f"{row[0]} {row[1]} {held}"


_ALIKE = text(f"""
  SELECT o.public_id AS offer_id, o.name_zh, o.name_en, si.public_id AS site_id, si.name AS site_name, si.city,
         si.district, si.tier
    FROM offer mine
    {at_place("mine", "here")}
    JOIN site si ON si.province = here.province AND si.city = here.city AND si.merged_into IS NULL
    {offers_at("si", "o")} AND o.kind = mine.kind AND {given_out("o", "si", "mine.market")}
     AND (o.package = mine.package OR (o.provider_id = mine.provider_id AND o.name_zh = mine.name_zh))
   WHERE mine.public_id = :offer AND {on_sale("mine", ":market")}
   ORDER BY o.id <> mine.id, si.district <> here.district, si.name, o.id LIMIT :most
""")


def alike(offer: str, *, market: int = LIVE, most: int = 20) -> list[WaitingSite]:
    """The offer itself, then the same package at other open sites of its city, those of its district first, for
    customers of a market. Raises NotFound(field="offer_id")."""
    found: Sequence[Row[Any]] = ()
    if well_formed(offer):
        with reading() as session:
            found = session.execute(_ALIKE, {"offer": offer, "most": most, "market": market}).all()
    if not found:
        raise NotFound(field="offer_id")
    return [_site(row) for row in found]


def _site(row: Any) -> WaitingSite:
    names = Text(row.name_zh, row.name_en)
    return WaitingSite(row.offer_id, names, row.site_id, row.site_name, row.city, row.district, row.tier)


def _views(session: Session, wanted: ColumnElement[bool], *, limit: int) -> list[WaitingView]:
    rows = session.execute(
        select(WaitingEntry, Beneficiary, Entitlement.public_id.label("entitlement"), _unit_free().label("unit_free"))
        .join(Beneficiary, Beneficiary.id == WaitingEntry.beneficiary_id)
        .outerjoin(Entitlement, Entitlement.id == WaitingEntry.entitlement_id)
        .where(wanted)
        .order_by(WaitingEntry.id.desc())
        .limit(limit)
    ).all()
    ids = [row.WaitingEntry.id for row in rows]
    sites, held = _sites(session, ids), _held(session, ids)
    return [_view(row, tuple(sites[row.WaitingEntry.id]), held.get(row.WaitingEntry.id)) for row in rows]


def _unit_free() -> ColumnElement[bool]:
    unit = select(Entitlement.id).where(
        Entitlement.customer_id == WaitingEntry.customer_id,
        Entitlement.kind == WaitingEntry.kind,
        or_(WaitingEntry.entitlement_id.is_(None), Entitlement.id == WaitingEntry.entitlement_id),
        or_(Entitlement.available.is_(None), Entitlement.available > 0),
    )
    return unit.correlate(WaitingEntry).exists()


def _sites(session: Session, ids: Sequence[int]) -> dict[int, list[WaitingSite]]:
    found: dict[int, list[WaitingSite]] = {entry_id: [] for entry_id in ids}
    rows = session.execute(
        select(
            WaitingPlace.entry_id,
            Offer.public_id.label("offer_id"),
            Offer.name_zh,
            Offer.name_en,
            Site.public_id.label("site_id"),
            Site.name.label("site_name"),
            Site.city,
            Site.district,
            Site.tier,
        )
        .join(Offer, Offer.id == WaitingPlace.offer_id)
        .join(Site, Site.id == place_id(Offer.site_id))
        .where(WaitingPlace.entry_id.in_(ids))
        .order_by(WaitingPlace.id)
    )
    for row in rows:
        found[row.entry_id].append(_site(row))
    return found


def _held(session: Session, ids: Sequence[int]) -> dict[int, HeldPlace]:
    rows = session.execute(
        select(WaitingOffer, Booking)
        .join(Booking, Booking.id == WaitingOffer.booking_id)
        .where(WaitingOffer.entry_id.in_(ids), WaitingOffer.outcome == "open")
    )
    return {
        row.WaitingOffer.entry_id: HeldPlace(
            booking_id=row.Booking.public_id,
            state=row.Booking.state.value,
            until=row.WaitingOffer.until,
            offered_at=row.WaitingOffer.made_at,
            offer_id=row.Booking.snapshot["offer"]["id"],
            site_name=row.Booking.snapshot["site"]["name"],
            service_date=row.Booking.service_date,
            starts_at=row.Booking.starts_at,
            ends_at=row.Booking.ends_at,
            time_zone=row.Booking.time_zone,
        )
        for row in rows
    }


def _view(row: Any, sites: tuple[WaitingSite, ...], held: HeldPlace | None) -> WaitingView:
    entry: WaitingEntry = row.WaitingEntry
    person: Beneficiary = row.Beneficiary
    return WaitingView(
        id=entry.public_id,
        state=entry.state,
        cause=entry.cause,
        version=entry.version,
        kind=entry.kind,
        beneficiary_id=person.public_id,
        beneficiary_name=person.name,
        relation=person.relation,
        entitlement_id=row.entitlement,
        sites=sites,
        first_day=entry.first_day,
        last_day=entry.last_day,
        weekdays=tuple(day for day in range(1, 8) if entry.weekdays >> (day - 1) & 1),
        from_hour=entry.from_hour,
        until_hour=entry.until_hour,
        hours_before=entry.hours_before,
        auto_book=entry.auto_book,
        lapses=entry.lapses,
        unit_free=row.unit_free,
        closes_at=entry.closes_at,
        created_at=entry.created_at,
        updated_at=entry.updated_at,
        held=held,
    )
