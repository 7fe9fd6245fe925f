"""Offers, sites and cities as the finder shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from urllib.parse import urlencode

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.offers.cards import OfferCard
from booking.offers.cities import Narrowing
from marketplace import wording
from marketplace.catalog.places import short_place
from marketplace.catalog.search import UNKNOWN_TIER, CityCount
from marketplace.catalog.terms import syllables
from marketplace.core.text import Text
from marketplace.web.formats import dotted, money, time_of
from marketplace.web.language import by_language
from marketplace.web.parts import Choice, Person


@dataclass(frozen=True)
class Option:
    """A package with its worth, one tap from its times."""

    name: str
    worth: str
    url: str


@dataclass(frozen=True)
class Place:
    """One row of the finder. `free_day` is the next day with a place, None with `reasons` when there is none.
    `packages` counts those that the person may have; with several, `times_url` leads to all of them side by side,
    `package` says what they are worth, and `options` are those of most worth. `tier_note` says where the tier is from
    and when."""

    name: str
    district: str
    address: str
    tier: str
    package: str
    times_url: str
    free_day: date | None
    free_note: str = ""
    few: bool = False
    reasons: tuple[str, ...] = ()
    change_person: bool = False
    tier_note: str = ""
    packages: int = 1
    options: tuple[Option, ...] = ()


@dataclass(frozen=True)
class PersonChoice:
    """A person the reader may book for, and the address of the same page for her."""

    person: Person
    url: str


@dataclass(frozen=True)
class Finder:
    """The place finder. `people` are those to choose from, `person` the chosen one among them. `more_url` fetches the
    next page of rows; empty at the end. `total` is None when unknown."""

    benefit: str
    title: str
    person: Person
    city: str
    query: str
    districts: tuple[Choice, ...]
    tiers: tuple[Choice, ...]
    kinds: tuple[Choice, ...]
    places: tuple[Place, ...]
    people: tuple[PersonChoice, ...] = ()
    more_url: str = ""
    total: int | None = None
    tier_source: str = ""
    entitlement: str = ""
    benefit_line: str = ""


@dataclass(frozen=True)
class City:
    name: str
    url: str
    count: int
    words: str = ""
    current: bool = False


@dataclass(frozen=True)
class CityGroup:
    """Cities of one province. `City.words` hold what the search box matches besides the name (pinyin)."""

    name: str
    cities: tuple[City, ...]


FEW = 3
_OPTIONS = 3
_ALL = ""


@dataclass(frozen=True)
class Search:
    """What was asked for; it travels in the addresses. `person` is a public id, `entitlement` that of the benefit whose
    card was tapped, or blank."""

    benefit: str
    person: str
    city: str
    entitlement: str = ""
    district: str = ""
    tier: str = ""
    query: str = ""

    def url(self, endpoint: str = "web.places", **changes: str) -> str:
        """The address of the same search, changed; blank values are left out."""
        named = {
            "benefit": self.benefit,
            "for": self.person,
            "city": self.city,
            "district": self.district,
            "tier": self.tier,
            "q": self.query,
            "entitlement": self.entitlement,
        }
        filled = {name: value for name, value in {**named, **changes}.items() if value}
        return f"{url_for(endpoint)}?{urlencode(filled)}"


def tier_word(tier: str | None) -> str:
    """`三级甲等`, `Tier 3A`; blank for an unknown one."""
    if not tier or tier == UNKNOWN_TIER:
        return ""
    level = {"三": "3", "二": "2", "一": "1"}[tier[0]]
    grade = {"特": "S", "甲": "A", "乙": "B", "丙": "C"}.get(tier[2:3], "")
    return by_language(Text(tier, _("Tier %(level)s", level=level + grade)))


def tier_note(card: OfferCard) -> str:
    """Where the tier is from, and from when."""
    if not card.tier or not card.tier_source:
        return ""
    if card.tier_date:
        return _("Tier from %(source)s, %(date)s", source=card.tier_source, date=card.tier_date)
    return _("Tier from %(source)s", source=card.tier_source)


def by_site(cards: Iterable[OfferCard]) -> list[list[OfferCard]]:
    """Offers, site by site, in their order."""
    return [list(group) for _site, group in groupby(cards, key=lambda card: card.site_id)]


def place(cards: Sequence[OfferCard], person: Person, family: bool, entitlement: str = "") -> Place:
    """One row: when the site has a free place for a package that the person may have; else why there is none. Where she
    may have several, none is chosen for her."""
    fit = [card for card in cards if card.not_eligible is None]
    free_ones = [card for card in fit if card.next_free]
    shown = min(free_ones, key=_soonest, default=None) or (fit or cards)[0]
    free = shown.next_free if fit else None
    reasons: tuple[str, ...] = ()
    if not fit and shown.not_eligible is not None:
        reasons = (wording.sentence(shown.not_eligible),)
    elif free is None:
        reasons = (_("No free date within two months. New ones appear here as they open."),)
    address = shown.address.removeprefix(shown.province).removeprefix(shown.city).removeprefix(shown.district)
    return Place(
        shown.site_name,
        shown.district,
        address,
        tier_word(shown.tier),
        _package_line(fit) if len(fit) > 1 else by_language(Text(shown.name_zh, shown.name_en)),
        _onward(shown, person, entitlement, several=len(fit) > 1),
        free.service_date if free else None,
        _free_note(shown) if free else "",
        few=bool(free and free.free <= FEW),
        reasons=reasons,
        change_person=bool(not fit and family),
        tier_note=tier_note(shown),
        packages=max(1, len(fit)),
        options=_options(free_ones, person, entitlement) if len(fit) > 1 else (),
    )


def _soonest(card: OfferCard) -> tuple[str, str]:
    free = card.next_free
    if free is None:
        return ("9999", "")
    return (free.service_date.isoformat(), free.starts_at.isoformat() if free.starts_at else "")


def _package_line(fit: Sequence[OfferCard]) -> str:
    """How many packages there are to choose from, and what they are worth."""
    count = ngettext("%(num)d package", "%(num)d packages", len(fit))
    worth = sorted({card.price_minor for card in fit})
    currency = fit[0].currency
    if len(worth) < 2:
        return dotted((count, _("worth %(price)s", price=money(worth[0], currency))))
    low, high = money(worth[0], currency), money(worth[-1], currency)
    return dotted((count, _("worth %(low)s to %(high)s", low=low, high=high)))


def _options(free: Sequence[OfferCard], person: Person, entitlement: str) -> tuple[Option, ...]:
    best_first = sorted(free, key=lambda card: -card.price_minor)[:_OPTIONS]
    return tuple(
        Option(
            by_language(Text(card.name_zh, card.name_en)),
            money(card.price_minor, card.currency),
            _onward(card, person, entitlement, several=False),
        )
        for card in best_first
    )


def _onward(shown: OfferCard, person: Person, entitlement: str, *, several: bool) -> str:
    query = {"for": person.id, "entitlement": entitlement}
    if several:
        query = {"benefit": shown.kind, **query}
        address = url_for("web.packages", site=shown.site_id)
    else:
        address = url_for("web.times", offer=shown.public_id)
    return f"{address}?{urlencode({name: value for name, value in query.items() if value})}"


def _free_note(card: OfferCard) -> str:
    free = card.next_free
    if free is None:
        return ""
    left = ngettext("%(num)d place left", "%(num)d places left", free.free)
    if free.starts_at is None:
        return left
    return _("at %(time)s, %(left)s", time=time_of(free.starts_at, card.time_zone), left=left)


def choices(narrowing: Narrowing, search: Search) -> tuple[tuple[Choice, ...], tuple[Choice, ...]]:
    """Districts and tiers to narrow by, `All` first; nothing where there is nothing to choose."""
    districts = [(counted.name, counted.name) for counted in narrowing.districts]
    tiers = [(counted.name, tier_word(counted.name) or _("Not known")) for counted in narrowing.tiers]
    return _radio(districts, search.district), _radio(tiers, search.tier)


def _radio(options: Sequence[tuple[str, str]], chosen: str) -> tuple[Choice, ...]:
    if len(options) < 2:
        return ()
    every = Choice(_ALL, _("All"), on=not chosen)
    return (every, *(Choice(value, label, on=value == chosen) for value, label in options))


def tier_sources(cards: Iterable[OfferCard]) -> str:
    """One line under the list: where its tiers are from."""
    notes = {(card.tier_source, card.tier_date) for card in cards if card.tier and card.tier_source}
    dated = sorted(f"{source} ({date})" if date else source for source, date in notes)
    return _("Tiers are from: %(sources)s.", sources=", ".join(dated)) if dated else ""


def city_name(city: str) -> str:
    """`杭州` for 杭州市."""
    return short_place(city)


def cities(found: Sequence[CityCount], search: Search) -> tuple[CityGroup, ...]:
    """The picker, province by province in the order of their first city."""
    provinces: dict[str, list[City]] = {}
    for city in found:
        provinces.setdefault(city.province, []).append(city_choice(city, search))
    return tuple(CityGroup(short_place(name), tuple(inside)) for name, inside in provinces.items())


def city_choice(city: CityCount, search: Search) -> City:
    """One city of the picker; its words match name and pinyin."""
    spelled = syllables(city.name)
    words = " ".join((city.name, "".join(spelled), "".join(part[:1] for part in spelled)))
    return City(
        short_place(city.name),
        search.url(city=city.name, district="", tier="", q=""),
        city.sites,
        words,
        current=city.name == search.city,
    )
