"""Places that somebody can be sent to, as the finder shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.coverage.nearest import Near
from booking.coverage.venues import Narrowing, Venue
from marketplace.catalog.coverage.counts import CityCoverage
from marketplace.catalog.coverage.level import LEVELS
from marketplace.catalog.english.pinyin import syllables
from marketplace.catalog.english.places import english_city
from marketplace.web.booking.finding.places_page import Elsewhere, PersonChoice, way
from marketplace.web.booking.finding.whose import HerCity
from marketplace.web.coverage_words import how_soon, level_pill, level_word
from marketplace.web.formats import day, dotted, number
from marketplace.web.parts import Choice, Person, Pill
from marketplace.web.place_words import city_name, district_name, site_name, where_line
from marketplace.web.tiers import tier_word


@dataclass(frozen=True)
class VenueSearch:
    """What was asked for; it travels in the addresses. `person` and `entitlement` are public ids, the latter blank
    where no card was tapped; `level` blank is every one."""

    benefit: str
    person: str
    city: str
    entitlement: str = ""
    query: str = ""
    level: str = ""
    tier: str = ""
    district: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether any filter is on."""
        return bool(self.level or self.tier or self.district)

    @property
    def kept(self) -> dict[str, str]:
        """What other pages go on with."""
        named = {"benefit": self.benefit, "for": self.person, "entitlement": self.entitlement}
        return {name: value for name, value in named.items() if value}

    def url(self, endpoint: str = "web.venues", **changes: str) -> str:
        """The address of the same search, changed; blank values are left out."""
        named = {
            **self.kept,
            "city": self.city,
            "q": self.query,
            "level": self.level,
            "tier": self.tier,
            "district": self.district,
        }
        filled = {name: value for name, value in {**named, **changes}.items() if value}
        return f"{url_for(endpoint)}?{urlencode(filled)}"

    def plain(self, city: str | None = None) -> VenueSearch:
        """The same without filters and words, in this city or another one."""
        return VenueSearch(self.benefit, self.person, self.city if city is None else city, self.entitlement)


@dataclass(frozen=True)
class VenueRow:
    """A place. `url` leads to its times, or where it is not covered to what helps; `open` says which. `note` says how
    an answer comes, `helps` what is known to change and which covered place is nearest."""

    name: str
    where: str
    tier: str
    pill: Pill
    url: str
    open: bool
    note: str = ""
    helps: tuple[str, ...] = ()


@dataclass(frozen=True)
class VenueFinder:
    """The list. `counts` says how many places of what was asked for are covered and how; `elsewhere` is what is
    said of other cities, `her_city` why the list begins in one. `more_url` fetches the next page of rows; empty at
    the end. `query` stands in the search box; `query_error` says why it cannot be searched for."""

    search: VenueSearch
    title: str
    city: str
    person: Person
    people: tuple[PersonChoice, ...]
    levels: tuple[Choice, ...]
    tiers: tuple[Choice, ...]
    districts: tuple[Choice, ...]
    rows: tuple[VenueRow, ...]
    counts: str
    elsewhere: Elsewhere | None = None
    more_url: str = ""
    benefit_line: str = ""
    query: str = ""
    query_error: str = ""
    her_city: HerCity | None = None


@dataclass(frozen=True)
class City:
    """A city of the picker: how many of its places can be booked, of how many. `words` are what the search box matches
    besides the name."""

    name: str
    url: str
    open: int
    places: int
    words: str
    current: bool


@dataclass(frozen=True)
class CityGroup:
    """Cities of one province."""

    name: str
    cities: tuple[City, ...]


def row(it: Venue, search: VenueSearch, near: Sequence[Near] = ()) -> VenueRow:
    """One row of the list."""
    site, open_ = it.site, it.level != "not_covered"
    where = where_line(site.province, site.city, site.district, site.address)
    return VenueRow(
        site_name(site.name, site.city, site.district, site.province),
        dotted(part for part in (city_name(site.city), where) if part),
        tier_word(site.tier),
        level_pill(it.level),
        (services_url if open_ and it.senders else coverage_url)(site.public_id, search),
        open_ and bool(it.senders),
        answer_note(it),
        helps(it, near),
    )


def services_url(site: str, search: VenueSearch) -> str:
    """Who can be sent there; where one service alone can, its times follow at once."""
    return f"{url_for('web.venue', site=site)}?{urlencode(search.kept)}"


def coverage_url(site: str, search: VenueSearch) -> str:
    """How a place is covered, and what helps."""
    return f"{url_for('web.venue_coverage', site=site)}?{urlencode(search.kept)}"


def answer_note(it: Venue) -> str:
    """How an answer comes to who books there; blank where it is not covered."""
    if it.level == "not_covered":
        return ""
    if not it.senders:
        return _("No service sends anybody here yet.")
    soonest = it.senders[0]
    if it.level == "covered" and soonest.allotment:
        return _("Confirmed at once where there is room")
    return how_soon(min(sender.answer_hours for sender in it.senders))


def helps(it: Venue, near: Sequence[Near]) -> tuple[str, ...]:
    """What is known to change, and the nearest place that is covered, in sentences."""
    said = []
    if it.changes_on is not None:
        said.append(_("From %(day)s: %(level)s", day=day(it.changes_on), level=level_word(it.changes_to)))
    if it.level == "not_covered" and near:
        said.append(_("Nearest that is covered: %(place)s", place=near_place(near[0])))
    return tuple(said)


def near_place(it: Near) -> str:
    """A place with its city and the way there, as far as it is known."""
    name = site_name(it.name, it.city, province=it.province)
    return dotted(part for part in (name, city_name(it.city), way(it.metres)) if part)


def counts(found: Sequence[CityCoverage]) -> str:
    """How many places are covered and how, in one line."""
    sums = {level: sum(getattr(each, level) for each in found) for level in LEVELS}
    total = sum(sums.values())
    if not total:
        return _("No place")
    parts = [f"{level_word(level)} {number(count)}" for level, count in sums.items() if count]
    return dotted((ngettext("%(num)d place", "%(num)d places", total), *parts))


def levels(search: VenueSearch) -> tuple[Choice, ...]:
    """Every level to choose, `All` first."""
    return _radio([(level, level_word(level)) for level in LEVELS], search.level)


def tiers(found: Narrowing, search: VenueSearch) -> tuple[Choice, ...]:
    """The tiers of the city's places; nothing where there is nothing to choose."""
    return _radio([(each.name, tier_word(each.name) or _("Not known")) for each in found.tiers], search.tier)


def districts(found: Narrowing, search: VenueSearch) -> tuple[Choice, ...]:
    """The districts of the city's places; nothing where there is nothing to choose."""
    return _radio([(each.name, district_name(each.name)) for each in found.districts], search.district)


def _radio(options: Sequence[tuple[str, str]], chosen: str) -> tuple[Choice, ...]:
    if len(options) < 2 and not chosen:
        return ()
    every = Choice("", _("All"), on=not chosen)
    return (every, *(Choice(value, label, on=value == chosen) for value, label in options))


def cities(found: Sequence[CityCoverage], search: VenueSearch) -> tuple[CityGroup, ...]:
    """The picker, province by province in the order of their first city."""
    provinces: dict[str, list[City]] = {}
    for each in found:
        provinces.setdefault(each.province, []).append(_city(each, search))
    return tuple(CityGroup(city_name(name), tuple(inside)) for name, inside in provinces.items())


def best_cities(found: Sequence[CityCoverage], search: VenueSearch, recent: Sequence[str]) -> tuple[City, ...]:
    """Those chosen last, then those with most places that can be booked."""
    by_name: Mapping[str, CityCoverage] = {each.city: each for each in found}
    best = sorted((each for each in found if each.open), key=lambda each: -each.open)[:8]
    names = dict.fromkeys((*recent, *(each.city for each in best)))
    return tuple(_city(by_name[name], search) for name in names if name in by_name)


def _city(it: CityCoverage, search: VenueSearch) -> City:
    spelled = syllables(it.city)
    words = " ".join((it.city, english_city(it.city), "".join(spelled), "".join(part[:1] for part in spelled)))
    return City(
        city_name(it.city), search.plain(it.city).url(), it.open, it.sites, words, current=it.city == search.city
    )
