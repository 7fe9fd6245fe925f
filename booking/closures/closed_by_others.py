"""What an insurer learns of sites that others closed: that its own bookings stand at a place that sells no times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Date, Select, and_, cast, distinct, exists, func, or_, select, union
from sqlalchemy.orm import aliased

from booking.closures.models import SiteClosure
from booking.models import Booking
from booking.states import BEGUN, LIVE
from marketplace.catalog.kinds import without_times
from marketplace.catalog.models import Offer, Site
from marketplace.catalog.one_place.sql import entries_with, sites_covered
from marketplace.core.clock import today
from marketplace.core.database.db import reading
from vip import roles
from vip.principal import Principal


@dataclass(frozen=True)
class StandsThere:
    """A site that somebody else closed, and how many of the insurer's live bookings stand there on those days.

    `from_day` is today at the site where the closure began earlier: the first day from which it can be closed.
    """

    site_id: str
    site: str
    city: str
    from_day: date
    to_day: date | None
    bookings: int


def closed_by_others(principal: Principal, *, now: datetime, limit: int = 50) -> list[StandsThere]:
    """Sites closed by other insurers, by first day, where bookings of the operator's insurer stand that no closure of
    its own takes in. Nothing says who closed them. Closures that were taken back and services that have begun do not
    count."""
    roles.require(principal, "books")
    stands = union(_at_offers(principal), _at_venues(principal)).subquery()
    with reading() as session:
        rows = session.execute(
            select(Site, SiteClosure.from_day, SiteClosure.to_day, func.count(distinct(Booking.id)).label("bookings"))
            .select_from(stands)
            .join(SiteClosure, SiteClosure.id == stands.c.closure)
            .join(Site, Site.id == SiteClosure.site_id)
            .join(Booking, Booking.id == stands.c.booking)
            .where(Booking.service_date >= cast(func.timezone(Site.time_zone, now), Date))
            .group_by(Site.id, SiteClosure.from_day, SiteClosure.to_day)
            .order_by(SiteClosure.from_day, Site.id)
            .limit(limit)
        ).all()
    return [
        StandsThere(
            row.Site.public_id,
            row.Site.name,
            row.Site.city,
            max(row.from_day, today(row.Site.time_zone, now)),
            row.to_day,
            row.bookings,
        )
        for row in rows
    ]


def _at_offers(principal: Principal) -> Select[int, int]:
    """The closures (`closure`) and bookings (`booking`) of those that are done where their offer is, by internal id."""
    own = aliased(SiteClosure)
    return (
        select(SiteClosure.id.label("closure"), Booking.id.label("booking"))
        .select_from(SiteClosure)
        .join(Offer, Offer.site_id.in_(sites_covered(SiteClosure.site_id)))
        .join(Booking, and_(Booking.offer_id == Offer.id, Booking.provider_id == Offer.provider_id))  # by its index
        .where(
            Booking.venue_id.is_(None),
            *_stands_there(principal),
            ~_decided(principal, own, Offer.site_id.in_(sites_covered(own.site_id))),
        )
    )


def _at_venues(principal: Principal) -> Select[int, int]:
    """The same of those that are done at a venue."""
    own = aliased(SiteClosure)
    return (
        select(SiteClosure.id.label("closure"), Booking.id.label("booking"))
        .select_from(SiteClosure)
        .join(Booking, Booking.venue_id.in_(entries_with(SiteClosure.site_id)))
        .where(
            *_stands_there(principal),
            ~_decided(principal, own, Booking.venue_id.in_(entries_with(own.site_id))),
        )
    )


def _stands_there(principal: Principal) -> tuple[ColumnElement[bool], ...]:
    return (
        SiteClosure.insurer_id != principal.insurer_id,
        SiteClosure.state != "withdrawn",
        Booking.insurer_id == principal.insurer_id,
        Booking.state.in_(LIVE - BEGUN),
        Booking.kind.not_in(without_times()),
        Booking.service_date >= SiteClosure.from_day,
        or_(SiteClosure.to_day.is_(None), Booking.service_date <= SiteClosure.to_day),
    )


def _decided(principal: Principal, own: type[SiteClosure], there: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a closure of the operator's insurer takes the booking in."""
    return exists().where(
        own.insurer_id == principal.insurer_id,
        there,
        own.state != "withdrawn",
        own.from_day <= Booking.service_date,
        or_(own.to_day.is_(None), own.to_day >= Booking.service_date),
    )
