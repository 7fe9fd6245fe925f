"""Closures as operators see them: the preview of one, and how far each is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from booking.closures.close import affected, check_days, done_at, site_of
from booking.closures.models import SiteClosure, SiteClosureItem
from booking.closures.slots import still_open, within_days
from booking.models import Booking, Slot
from booking.states import BEGUN, LIVE
from marketplace.catalog.kinds import dispatched, without_times
from marketplace.catalog.models import CapacityPool, Offer, Site
from marketplace.catalog.one_place.sql import sites_covered
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from marketplace.core.text import Text
from vip import roles
from vip.principal import Principal


@dataclass(frozen=True)
class Affected:
    """What a closure would affect. `offers` are (names, number of the insurer's live bookings), `bookings` their sum;
    `begun` counts bookings whose service has begun, which stay; those without times do as well and are not counted;
    `slots` those that would be closed."""

    site: str
    city: str
    offers: Sequence[tuple[Text, int]]
    bookings: int
    begun: int
    slots: int


@dataclass(frozen=True)
class ClosureView:
    """A closure and how far it is. `outcomes` counts the insurer's bookings by outcome; `remaining` are up to 50 of
    them that are still live, as (reference, state)."""

    id: str
    site: str
    city: str
    from_day: date
    to_day: date | None
    mode: str
    state: str
    asked_at: datetime
    finished_at: datetime | None
    outcomes: Mapping[str, int]
    remaining: Sequence[tuple[str, str]]


def find_sites(principal: Principal, asked: str, *, limit: int = 20) -> list[tuple[str, str, str]]:
    """Places whose name or city contains the text, or that of a site merged into them: (public id, name, city). Those
    with offers, and those of a city where there are services that send somebody. Empty for a blank text."""
    roles.require(principal, "books")
    if not asked.strip():
        return []
    like = "%" + asked.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    part, base = aliased(Site), aliased(Site)
    senders = select(Offer.id).join(base, base.id == Offer.site_id)  # an offer's city, whatever it was merged into
    in_city = ((base.province == Site.province), (base.city == Site.city))
    with reading() as session:
        rows = session.execute(
            select(Site.public_id, Site.name, Site.city)
            .where(
                Site.merged_into.is_(None),
                exists().where(part.place_id == Site.id, or_(part.name.ilike(like), part.city.ilike(like))),
                or_(
                    exists().where(CapacityPool.site_id.in_(sites_covered(Site.id))),
                    and_(Site.closed_at.is_(None), senders.where(Offer.kind.in_(dispatched()), *in_city).exists()),
                ),
            )
            .order_by(Site.name)
            .limit(limit)
        ).all()
    return [(row.public_id, row.name, row.city) for row in rows]


def preview(principal: Principal, site_id: str, from_day: date, to_day: date | None, *, now: datetime) -> Affected:
    """What closing the site would affect. Raises NotFound, Invalid(field="to_day" or "from_day")."""
    roles.require(principal, "books")
    with reading() as session:
        site = site_of(session, site_id)
        check_days(site, from_day, to_day, now)
        rows = session.execute(
            select(Offer.name_zh, Offer.name_en, Booking.state, func.count().label("number"))
            .select_from(Booking)
            .join(Offer, Offer.id == Booking.offer_id)
            .where(
                done_at(site.id),
                Booking.insurer_id == principal.insurer_id,
                Booking.state.in_(LIVE),
                Booking.kind.not_in(without_times()),
                within_days(Booking.service_date, from_day, to_day),
            )
            .group_by(Offer.id, Booking.state)
            .order_by(Offer.id)
        ).all()
        slots = session.scalar(
            select(func.count())
            .select_from(Slot)
            .join(CapacityPool, CapacityPool.id == Slot.pool_id)
            .where(*still_open(site.id, from_day, to_day))
        )
    offers: dict[Text, int] = {}
    for row in rows:
        if row.state not in BEGUN:
            name = Text(row.name_zh, row.name_en)
            offers[name] = offers.get(name, 0) + row.number
    return Affected(
        site=site.name,
        city=site.city,
        offers=list(offers.items()),
        bookings=sum(offers.values()),
        begun=sum(row.number for row in rows if row.state in BEGUN),
        slots=slots or 0,
    )


def closures(principal: Principal, *, limit: int = 50) -> list[ClosureView]:
    """The insurer's closures, newest first."""
    roles.require(principal, "books")
    with reading() as session:
        rows = session.execute(
            select(SiteClosure, Site)
            .join(Site, Site.id == SiteClosure.site_id)
            .where(SiteClosure.insurer_id == principal.insurer_id)
            .order_by(SiteClosure.id.desc())
            .limit(limit)
        ).all()
        return [_view(session, row.SiteClosure, row.Site) for row in rows]


def closure(principal: Principal, closure_id: str) -> ClosureView:
    """One closure of the insurer. Raises NotFound."""
    roles.require(principal, "books")
    with reading() as session:
        row = session.execute(
            select(SiteClosure, Site)
            .join(Site, Site.id == SiteClosure.site_id)
            .where(SiteClosure.public_id == closure_id, SiteClosure.insurer_id == principal.insurer_id)
        ).one_or_none()
        if row is None:
            raise NotFound()
        return _view(session, row.SiteClosure, row.Site)


def _view(session: Session, closure: SiteClosure, site: Site) -> ClosureView:
    own = Booking.insurer_id == closure.insurer_id
    outcomes = session.execute(
        select(SiteClosureItem.outcome, func.count().label("number"))
        .join(Booking, Booking.id == SiteClosureItem.booking_id)
        .where(SiteClosureItem.closure_id == closure.id, own)
        .group_by(SiteClosureItem.outcome)
    )
    remaining = session.execute(
        select(Booking.reference, Booking.state)
        .join(Offer, Offer.id == Booking.offer_id)
        .where(*affected(closure), own)
        .order_by(Booking.id)
        .limit(50)
    )
    return ClosureView(
        id=closure.public_id,
        site=site.name,
        city=site.city,
        from_day=closure.from_day,
        to_day=closure.to_day,
        mode=closure.mode,
        state=closure.state,
        asked_at=closure.asked_at,
        finished_at=closure.finished_at,
        outcomes={row.outcome: row.number for row in outcomes},
        remaining=[(row.reference, row.state.value) for row in remaining] if closure.state != "withdrawn" else [],
    )
