"""Offers and sites as the finder shows them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.finding.places import FoundPlace, Places
from booking.offers.cards import OfferCard
from marketplace import wording
from marketplace.core.text import Text
from marketplace.web.booking.finding.whose import HerCity
from marketplace.web.formats import day, dotted, money, number, time_of
from marketplace.web.language import by_language
from marketplace.web.parts import Choice, Person
from marketplace.web.place_words import city_name, site_name, where_line
from marketplace.web.slow_words import SlowNote, slow_note
from marketplace.web.tiers import tier_word


@dataclass(frozen=True)
class Option:
    """A package with its worth, one tap from its times. `provider` is named where the site has packages of several."""

    name: str
    worth: str
    url: str
    provider: str = ""


@dataclass(frozen=True)
class Place:
    """One row of the finder. `free_day` is the next day with a place, None with `reasons` when there is none.
    `packages` counts those that the person may have; with several, `times_url` leads to all of them side by side,
    `package` says what they are worth, and `options` are those of most worth. `way` says how far it is, blank where
    that isn't known; `wait_url` leads to the waiting list where all is full; `favourite` that she marked it; `slow`
    that whatever she may have there is answered slowly today."""

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
    packages: int = 1
    options: tuple[Option, ...] = ()
    slow: SlowNote | None = None
    site: str = ""
    favourite: bool = False
    way: str = ""
    wait_url: str = ""


@dataclass(frozen=True)
class PersonChoice:
    """A person the reader may book for, and the address of the same page for her."""

    person: Person
    url: str


@dataclass(frozen=True)
class CityHits:
    """A city with hits, one tap away."""

    label: str
    url: str


@dataclass(frozen=True)
class Elsewhere:
    """What is said about other cities: the title, and each of them with its number. `back_url` leads back to the own
    city, where the words named another one."""

    title: str
    cities: tuple[CityHits, ...]
    back: str = ""
    back_url: str = ""


@dataclass(frozen=True)
class FilterGroup:
    """Choices of one sort, several of which may be on: chips that send `name`."""

    name: str
    legend: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class KnownPlace:
    """A place that she marked or has been to. `note` says when it can be booked, or that it can't now; `city` is named
    where it is another one than the list's."""

    name: str
    city: str
    url: str
    note: str
    favourite: bool
    open: bool


@dataclass(frozen=True)
class Finder:
    """The place finder. `people` are those to choose from, `person` the chosen one among them. `counts` says how many
    places there are to book; `sorts` are the orders; `note` is what has to be said of the order. `known` are her own
    places, `her_city` why the list begins elsewhere, `more_url` fetches the next page of rows; empty at the end.
    `plain_url` is the same search without filters."""

    benefit: str
    title: str
    person: Person
    city: str
    query: str
    filters: tuple[FilterGroup, ...]
    places: tuple[Place, ...]
    people: tuple[PersonChoice, ...] = ()
    counts: str = ""
    sorts: tuple[Choice, ...] = ()
    note: str = ""
    known: tuple[KnownPlace, ...] = ()
    more_url: str = ""
    plain_url: str = ""
    entitlement: str = ""
    benefit_line: str = ""
    elsewhere: Elsewhere | None = None
    query_error: str = ""
    her_city: HerCity | None = None


FEW = 3
_OPTIONS = 3


@dataclass(frozen=True)
class Search:
    """What was asked for; it travels in the addresses. `person` is a public id, `entitlement` that of the benefit whose
    card was tapped, or blank; `when` holds `weekend` and `morning`; `order` blank is the usual one."""

    benefit: str
    person: str
    city: str
    entitlement: str = ""
    query: str = ""
    tiers: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    when: tuple[str, ...] = ()
    order: str = ""

    @property
    def weekend(self) -> bool:
        """Whether a Saturday or Sunday is wanted."""
        return "weekend" in self.when

    @property
    def morning(self) -> bool:
        """Whether a time before noon is wanted."""
        return "morning" in self.when

    @property
    def narrowed(self) -> bool:
        """Whether any filter is on."""
        return any((self.tiers, self.kinds, self.districts, self.departments, self.when))

    def plain(self) -> Search:
        """The same without filters; the city's own do not fit another one."""
        return Search(self.benefit, self.person, self.city, self.entitlement, self.query, order=self.order)

    def nothing(self) -> Search:
        """The same benefit for the same person, without filters, words and city."""
        return Search(self.benefit, self.person, "", self.entitlement)

    def url(self, endpoint: str = "web.places", **changes: str) -> str:
        """The address of the same search, changed; blank values are left out."""
        named: dict[str, str | tuple[str, ...]] = {
            "benefit": self.benefit,
            "for": self.person,
            "city": self.city,
            "tier": self.tiers,
            "kind": self.kinds,
            "department": self.departments,
            "district": self.districts,
            "when": self.when,
            "sort": self.order,
            "q": self.query,
            "entitlement": self.entitlement,
        }
        filled = {name: value for name, value in {**named, **changes}.items() if value}
        return f"{url_for(endpoint)}?{urlencode(filled, doseq=True)}"


def place(
    found: FoundPlace,
    person: Person,
    family: bool,
    search: Search,
    favourites: Collection[str] = (),
    *,
    with_city: bool = False,
) -> Place:
    """One row: when the site has a free place for a package that the person may have; else why there is none. Where she
    may have several, none is chosen for her. Its city is named `with_city`."""
    fit, shown, free = found.fit, found.shown, found.next_free
    wait = not free and fit and not search.weekend and not search.morning
    return Place(
        _name(shown),
        f"{city_name(shown.city)} " if with_city else "",
        where_line(shown.province, shown.city, shown.district, shown.address),
        tier_word(shown.tier),
        _package_line(fit) if len(fit) > 1 else by_language(Text(shown.name_zh, shown.name_en)),
        _onward(shown, person, search.entitlement, several=len(fit) > 1),
        free.service_date if free else None,
        _free_note(shown) if free else "",
        few=bool(free and free.free <= FEW),
        reasons=() if free else (_why_not(found, search),),
        change_person=bool(not fit and family),
        packages=max(1, len(fit)),
        options=_options(found.free, person, search.entitlement) if len(fit) > 1 else (),
        slow=_slow(found.free),
        site=shown.site_id,
        favourite=shown.site_id in favourites,
        way=way(found.metres),
        wait_url=_wait(shown, person, search.entitlement) if wait else "",
    )


def _name(shown: OfferCard) -> str:
    return site_name(shown.site_name, shown.city, shown.district, shown.province)


def _why_not(found: FoundPlace, search: Search) -> str:
    """Why nothing can be booked there for the person, in a sentence."""
    refused = found.shown.not_eligible
    if not found.fit and refused is not None:
        return wording.sentence(refused)
    if search.weekend and search.morning:
        return _("No free weekend morning within two months.")
    if search.weekend:
        return _("Nothing free on a weekend within two months.")
    if search.morning:
        return _("No free morning within two months.")
    return _("No free date within two months. New ones appear here as they open.")


def way(metres: int | None) -> str:
    """How far it is as the crow flies, blank where that isn't known."""
    if metres is None:
        return ""
    return _("%(distance)s km", distance=number(max(0.1, round(metres / 1000, 1 if metres < 10_000 else None))))


def _wait(shown: OfferCard, person: Person, entitlement: str) -> str:
    query = {name: value for name, value in {"for": person.id, "entitlement": entitlement}.items() if value}
    return f"{url_for('web.waiting_new', offer=shown.public_id)}?{urlencode(query)}"


def counted(found: Places) -> str:
    """How many places can be booked, and how many can't now."""
    if found.bookable is None or found.not_now is None:
        return _("Places")
    if not found.not_now:
        return ngettext("%(num)d place to book", "%(num)d places to book", found.bookable)
    if not found.bookable:
        return ngettext("%(num)d place, not to be booked now", "%(num)d places, none to be booked now", found.not_now)
    return dotted(
        (
            ngettext("%(num)d place to book", "%(num)d places to book", found.bookable),
            ngettext("%(num)d not now", "%(num)d not now", found.not_now),
        )
    )


def known_place(found: FoundPlace, person: Person, search: Search, *, favourite: bool) -> KnownPlace:
    """A place of her own, and when it can be booked for the person."""
    shown, free = found.shown, found.next_free
    note = _("From %(day)s", day=day(free.service_date)) if free else _("Not now")
    return KnownPlace(
        _name(shown),
        city_name(shown.city) if shown.city != search.city else "",
        _onward(shown, person, search.entitlement, several=len(found.fit) != 1 or free is None),
        note,
        favourite,
        free is not None,
    )


def _slow(cards: Sequence[OfferCard]) -> SlowNote | None:
    """Only where no package of the place is answered as usual: one that is shows up among the times."""
    if not all(card.answers_slowly for card in cards):
        return None
    return next((slow_note(card.answers_slowly, card.kind, card.time_zone) for card in cards), None)


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
    several = len({(card.provider_zh, card.provider_en) for card in free}) > 1
    return tuple(
        Option(
            by_language(Text(card.name_zh, card.name_en)),
            money(card.price_minor, card.currency),
            _onward(card, person, entitlement, several=False),
            by_language(Text(card.provider_zh, card.provider_en)) if several else "",
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
