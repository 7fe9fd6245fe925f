"""What the two finders share: the words and where in the country they lead, and whom it is for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol

from flask import Response, request
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.offers.located import located
from marketplace import wording
from marketplace.catalog.query.conditions import Stage
from marketplace.catalog.query.where import Located
from marketplace.catalog.search import MAX_QUERY, SiteQuery
from marketplace.core.errors import Invalid
from marketplace.core.strictjson import storable
from marketplace.web.answers import asked
from marketplace.web.benefit_cards import which_line
from marketplace.web.booking.finding.places_page import CityHits, Elsewhere, PersonChoice, Search
from marketplace.web.booking.finding.whose import HerCity, begun_there, chosen_city, her_city, paying, usable_benefits
from marketplace.web.cities import remember_city
from marketplace.web.people import person
from marketplace.web.place_words import city_name
from vip.customers.family import Member
from vip.principal import Principal

_LONGEST_KEPT = 2_000
_CITIES = 12
ELSEWHERE_ROWS = 6


@dataclass(frozen=True)
class Typed:
    """What stands in the box, whatever it is, and a sentence where it cannot be searched for."""

    text: str
    error: str = ""


@dataclass(frozen=True)
class Shown:
    """Where to look: in `city`, or all over the country (None), the words read as freely as `stage`; nowhere if nothing
    is `found`."""

    city: str | None
    found: bool = True
    moved: bool = False
    stage: Stage = Stage.EXACT
    elsewhere: Elsewhere | None = None


def typed() -> Typed:
    """The words that were typed, kept as they are even where they are too long to be searched for."""
    text = request.args.get("q", "").strip()
    if not storable(text):
        return Typed("")
    if len(text) > MAX_QUERY:
        return Typed(text[:_LONGEST_KEPT], wording.sentence(Invalid(field="q", reason="too_long", maximum=MAX_QUERY)))
    return Typed(text)


def where_to_look(search: Search, market: int) -> Shown:
    """Where the places are that the search finds: here, in the city that its words name, or elsewhere."""
    if not search.query:
        return Shown(search.city)
    wanted = SiteQuery(search.city or None, q=search.query, tiers=search.tiers, kinds=search.kinds)
    at = located(search.benefit, wanted, market=market)
    return shown(at, search.city, lambda city: search.url(city=city, district=""), search.url(q="", district=""))


def shown(at: Located, own: str, in_city: Callable[[str], str], back_url: str) -> Shown:
    """Where to look, for a reader who looks in her `own` city; `in_city` is the address of the same search in another
    one, `back_url` that of her own without words."""
    return Shown(at.city, at.found, at.moved, at.stage, _elsewhere(at, own, in_city, back_url))


def _elsewhere(at: Located, own: str, in_city: Callable[[str], str], back_url: str) -> Elsewhere | None:
    cities = tuple(
        CityHits(
            ngettext("%(city)s, %(num)d place", "%(city)s, %(num)d places", hits.sites, city=city_name(hits.city)),
            in_city(hits.city),
        )
        for hits in at.others[:_CITIES]
    )
    if at.moved and at.city is not None:
        title = _("In %(city)s, as you typed.", city=city_name(at.city))
        return Elsewhere(title, cities, _("Back to %(city)s", city=city_name(own)), back_url)
    if not cities:
        return None
    if at.city is None:
        return Elsewhere(_("Not in %(city)s, but here:", city=city_name(own)), cities)
    return Elsewhere(_("Also in other cities:"), cities)


class AnySearch(Protocol):
    """What either finder is asked for."""

    @property
    def city(self) -> str:
        """Where."""

    def url(self, /, *, city: str = ..., **changes: str) -> str:
        """The address of the same search, changed."""


def choices(members: Sequence[Member], search: AnySearch, today: date) -> tuple[PersonChoice, ...]:
    """The people to look for. Where no city was asked for nobody's address names one: each begins in her own."""
    kept = asked("city", 50)
    return tuple(PersonChoice(person(one, today), search.url(city=kept, **{"for": one.public_id})) for one in members)


def benefit_line(me: Principal, member: Member, benefit: str, named: str, now: datetime) -> str:
    """Which benefit of the kind pays for this person; `named` is the one whose card was tapped, or blank."""
    return which_line(paying(usable_benefits(me, benefit, named, now), member), named=bool(named))


def begun_elsewhere(
    me: Principal, member: Member, search: AnySearch, shown: Shown, usual: Callable[[], str]
) -> HerCity | None:
    """What is said of a list that begins in the relative's city; `usual` is asked for the reader's."""
    hers = her_city(me)
    if not hers or not search.city == shown.city == hers:
        return None
    own = usual()
    return begun_there(member, hers, own, search.url(city=own))


def remembering(answer: Response, me: Principal, member: Member, search: AnySearch) -> Response:
    """The answer, which has the browser remember the city that she chose."""
    if city := chosen_city(me, member, search.city):
        remember_city(answer, city)
    return answer


def words_kept(search: Search, text: Typed) -> Search:
    """The search with the words that can be searched for; none where they cannot."""
    return replace(search, query="" if text.error else text.text)
