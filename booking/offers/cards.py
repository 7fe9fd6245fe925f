"""Offers as they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from booking.offers.answers_slowly import AnswersSlowly, answers_slowly
from marketplace.catalog.benefit_kind import NotEligible
from marketplace.catalog.english.sites import english_site
from marketplace.catalog.kinds import kind
from marketplace.core.clock import today


@dataclass(frozen=True)
class PersonFacts:
    """What eligibility asks of the person who comes: `sex` is male or female."""

    sex: str
    birth_date: date


@dataclass(frozen=True)
class NextFree:
    """The next place that can be booked. Times are None for a whole day; `free` is that slot's places left."""

    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None
    free: int


@dataclass(frozen=True)
class OfferCard:
    """An offer in a list. `price_minor` is in minor units of `currency` (ISO 4217). `not_eligible` is the refusal the
    person asked about would get at the next free date (today without one), None if welcome or nobody was named.
    `answers_slowly`: the provider is slower than usual now. `site_kind` is the kind of place, blank if unknown;
    coordinates are WGS 84, both or neither."""

    public_id: str
    kind: str
    name_zh: str
    name_en: str
    price_minor: int
    currency: str
    items: int
    provider_zh: str
    provider_en: str
    site_id: str
    site_name: str
    province: str
    city: str
    district: str
    tier: str | None
    tier_source: str
    tier_date: str
    address: str
    time_zone: str
    next_free: NextFree | None
    not_eligible: NotEligible | None
    answers_slowly: AnswersSlowly | None = None
    site_kind: str = ""
    longitude: float | None = None
    latitude: float | None = None

    @property
    def site_name_en(self) -> str:
        """The place's name in English: that it has itself, else made from the Chinese one."""
        return english_site(self.site_name, self.province, self.city, self.district)


@dataclass(frozen=True)
class OfferView:
    """One offer: its card and everything a customer decides by. `package` follows its kind's schema. With `allotment`
    a booking is confirmed at once, otherwise the provider answers first."""

    card: OfferCard
    package: dict[str, Any]
    allotment: bool
    cancel_hours: int


def card(row: Row[Any], person: PersonFacts | None, now: datetime) -> OfferCard:
    """The card of a row of availability's queries."""
    upcoming = None
    if row.next_date is not None:
        upcoming = NextFree(row.next_date, row.next_starts_at, row.next_ends_at, row.next_free)
    on_date = upcoming.service_date if upcoming else today(row.time_zone, now)
    return OfferCard(
        public_id=row.public_id,
        kind=row.kind,
        name_zh=row.name_zh,
        name_en=row.name_en,
        price_minor=row.price_minor,
        currency=row.currency,
        items=row.items,
        provider_zh=row.provider_zh,
        provider_en=row.provider_en,
        site_id=row.site_id,
        site_name=row.site_name,
        province=row.province,
        city=row.city,
        district=row.district,
        tier=row.tier,
        tier_source=row.tier_source,
        tier_date=row.tier_date,
        address=row.address,
        time_zone=row.time_zone,
        next_free=upcoming,
        not_eligible=_refusal(row, person, on_date) if person else None,
        answers_slowly=answers_slowly(row.slow_since, row.slow_reason),
        site_kind=row.site_kind,
        longitude=row.longitude,
        latitude=row.latitude,
    )


def _refusal(row: Row[Any], person: PersonFacts, on_date: date) -> NotEligible | None:
    try:
        kind(row.kind).check_eligible(row.rules, person.sex, person.birth_date, on_date)
    except NotEligible as refusal:
        return refusal
    return None


def view(row: Row[Any], person: PersonFacts | None, now: datetime) -> OfferView:
    """The full view of a row of availability's queries."""
    return OfferView(
        card=card(row, person, now),
        package=row.package,
        allotment=row.allotment,
        cancel_hours=row.cancel_hours,
    )
