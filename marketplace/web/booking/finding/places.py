"""Finding a place: the finder, the city picker, a site's packages, and for whom it is."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit, urlunsplit

from flask import Response, url_for
from flask_babel import gettext as _

from booking.offers.availability import OfferQuery, offer, search_offers
from booking.offers.cities import narrowing, offer_cities
from marketplace.catalog.kinds import kinds
from marketplace.catalog.search import CityCount
from marketplace.core import clock
from marketplace.core.errors import NotFound
from marketplace.web import session
from marketplace.web.answers import Views, asked, render, see_other
from marketplace.web.benefit_cards import bookable, which_line
from marketplace.web.booking.finding import packages_page, places_page
from marketplace.web.booking.finding.places_page import Finder, PersonChoice
from marketplace.web.booking.finding.whose import facts_of, paying, people_of, usable_benefits, why_not
from marketplace.web.cookies import CITIES
from marketplace.web.kind_words import kind_name
from marketplace.web.people import person
from vip.customers.family import Member
from vip.entitlements.of_customer import entitlements
from vip.principal import Principal

_MOST_RECENT = 3
_ROWS = 60
_LONGEST_QUERY = 60


def places() -> Response:
    """The finder. Rows are sites; each shows what the chosen person may have there."""
    me, now = session.principal(), clock.now()
    members, member = people_of(me)
    search = _search(me)
    query = OfferQuery(
        benefit=search.benefit,
        city=search.city or None,
        district=search.district or None,
        tier=search.tier or None,
        q=search.query or None,
        person=facts_of(member),
    )
    found = search_offers(query, cursor=asked("cursor", 2_000) or None, limit=_ROWS, now=now)
    today = clock.today(me.time_zone, now)
    shown_before = asked("after", 64)
    sites = [cards for cards in places_page.by_site(found.items) if cards[0].site_id != shown_before]
    chosen = person(member, today)
    districts, tiers = places_page.choices(narrowing(search.benefit, search.city), search)
    more = search.url(cursor=found.next, after=found.items[-1].site_id) if found.next else ""
    finder = Finder(
        search.benefit,
        _("Book: %(benefit)s", benefit=kind_name(search.benefit)),
        chosen,
        search.city,
        search.query,
        districts,
        tiers,
        (),
        tuple(places_page.place(cards, chosen, len(members) > 1, search.entitlement) for cards in sites),
        _choices(members, search, today),
        more_url=more,
        total=None if more or asked("cursor") else len(sites),
        tier_source=places_page.tier_sources(found.items),
        entitlement=search.entitlement,
        benefit_line=_benefit_line(me, member, search.benefit, search.entitlement, now),
    )
    answer = render(
        "places.html",
        page=finder,
        city_name=places_page.city_name(search.city),
        cities_url=search.url("web.cities", district="", tier="", q=""),
        who_url=search.url("web.who", next=search.url()),
    )
    _store_city(answer, search.city)
    return answer


def cities() -> Response:
    """The city picker, with those last chosen on top."""
    search = _search(session.principal())
    found = offer_cities(search.benefit)
    recent = [city for name in _recent_cities() for city in found if city.name == name]
    return render(
        "cities.html",
        groups=places_page.cities(found, search),
        near=tuple(places_page.city_choice(city, search) for city in recent),
        back_url=search.url(),
    )


def packages(site: str) -> Response:
    """What can be booked at one site for one unit of a benefit, side by side."""
    me, now = session.principal(), clock.now()
    _members, member = people_of(me)
    found = search_offers(OfferQuery(site=site, person=facts_of(member)), limit=_ROWS, now=now).items
    if not found:
        raise NotFound()
    chosen = next((card for card in found if card.public_id == asked("chosen", 64)), None)
    wanted = asked("benefit", 40)
    benefit = wanted if any(card.kind == wanted for card in found) else (chosen or found[0]).kind
    kept = {"for": member.public_id, "entitlement": asked("entitlement", 64)}
    query = {**kept, "benefit": benefit, "chosen": chosen.public_id if chosen else ""}
    person_shown = person(member, clock.today(me.time_zone, now))
    cards = [card for card in found if card.kind == benefit]
    return render(
        "packages.html",
        site=found[0].site_name,
        beside=packages_page.side_by_side(
            [offer(card.public_id, person=facts_of(member), now=now) for card in cards],
            {card.public_id: _address("web.times", kept, offer=card.public_id) for card in cards},
            chosen.public_id if chosen else "",
            person_shown.name,
        ),
        person=person_shown,
        benefit_line=_benefit_line(me, member, benefit, kept["entitlement"], now),
        back_url=_address("web.places", {**kept, "benefit": benefit, "city": found[0].city}),
        who_url=_address("web.who", {"for": member.public_id, "next": _address("web.packages", query, site=site)}),
    )


def _benefit_line(me: Principal, member: Member, benefit: str, named: str, now: datetime) -> str:
    return which_line(paying(usable_benefits(me, benefit, named, now), member), named=bool(named))


def _address(endpoint: str, query: dict[str, str], **path: Any) -> str:
    """An address with the query's values that are not blank."""
    return f"{url_for(endpoint, **path)}?{urlencode({name: value for name, value in query.items() if value})}"


def who() -> Response:
    """For whom: everybody of the family, with the reason where a person can't be chosen. The form comes back here,
    and leads on to `next` with the person in its query."""
    me, now = session.principal(), clock.now()
    members, member = people_of(me)
    following = session.safe_path(asked("next")) or url_for("web.places")
    if asked("go"):
        return see_other(_with_person(following, member.public_id))
    offer_id = _offer_of(following)
    named = parse_qs(urlsplit(following).query).get("entitlement", [""])[0]
    benefits = usable_benefits(me, _benefit_of(following, offer_id, now), named, now)
    today = clock.today(me.time_zone, now)
    return render(
        "who.html",
        people=tuple(person(one, today, why_not(one, benefits, offer_id, now)) for one in members),
        chosen=member.public_id,
        form_action=url_for("web.who"),
        next_url=following,
        back_url=following,
        subtitle=_("The next page shows what is open to the person you choose."),
        add_url=f"{url_for('web.family_new')}?{urlencode({'next': session.here()})}",
    )


def _search(me: Principal) -> places_page.Search:
    """What the query asks for; the city of the last time, else the one with most places."""
    benefit = asked("benefit", 40) or _first_benefit(me)
    if not bookable(benefit):
        raise NotFound(field="benefit")
    return places_page.Search(
        benefit,
        asked("for", 64),
        asked("city", 50) or _usual_city(offer_cities(benefit)),
        asked("entitlement", 64),
        asked("district", 50),
        asked("tier", 20),
        asked("q", _LONGEST_QUERY),
    )


def _first_benefit(me: Principal) -> str:
    """The kind of the first benefit that can be booked, else the first kind that is."""
    today = clock.today(me.time_zone)
    codes = [benefit.kind for benefit in entitlements(me.id, today=today)]
    return next((code for code in (*codes, *kinds()) if bookable(code)), "")


def _usual_city(found: list[CityCount]) -> str:
    names = {city.name for city in found}
    recent = next((name for name in _recent_cities() if name in names), "")
    most = max(found, key=lambda city: city.sites, default=None)
    return recent or (most.name if most else "")


def _recent_cities() -> list[str]:
    """The cities that this browser looked at last, newest first."""
    names = unquote(CITIES.read()).split(",")[:_MOST_RECENT]
    return [name for name in names if 0 < len(name) <= 50]


def _store_city(answer: Response, city: str) -> None:
    if not asked("city", 50) or not city:
        return
    names = [city, *(name for name in _recent_cities() if name != city)][:_MOST_RECENT]
    CITIES.write(answer, quote(",".join(names)))


def _choices(members: list[Member], search: places_page.Search, today: date) -> tuple[PersonChoice, ...]:
    return tuple(PersonChoice(person(one, today), search.url(**{"for": one.public_id})) for one in members)


def _offer_of(path: str) -> str:
    """The offer that an address of the picker names, blank for another page."""
    parts = urlsplit(path).path.split("/")
    return parts[2] if len(parts) == 4 and parts[1] == "offers" else ""


def _benefit_of(path: str, offer_id: str, now: datetime) -> str:
    if offer_id:
        return offer(offer_id, now=now).card.kind
    return parse_qs(urlsplit(path).query).get("benefit", [""])[0]


def _with_person(path: str, public_id: str) -> str:
    """The address with the person in its query; a cursor belongs to another list, so it goes."""
    parts = urlsplit(path)
    query = {
        name: values[-1] for name, values in parse_qs(parts.query).items() if name not in ("for", "cursor", "after")
    }
    return urlunsplit(("", "", parts.path, urlencode({**query, "for": public_id}), ""))


VIEWS: Views = {"places": places, "cities": cities, "packages": packages, "who": who}
