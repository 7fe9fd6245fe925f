"""Finding a place: the finder, the city picker, a site's packages, and for whom it is."""

from __future__ import annotations

from datetime import date, datetime
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit, urlunsplit

from flask import Response, request, url_for
from flask_babel import gettext as _

from booking.offers.availability import OfferQuery, offer, search_offers
from booking.offers.cards import OfferCard
from booking.offers.cities import narrowing, offer_cities
from marketplace.catalog.kinds import kinds
from marketplace.catalog.search import CityCount
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.errors import NotFound
from marketplace.web import session
from marketplace.web.answers import Views, asked, render, see_other
from marketplace.web.benefit_cards import bookable
from marketplace.web.booking import packages_page, places_page
from marketplace.web.booking.packages_page import Package
from marketplace.web.booking.places_page import Finder, PersonChoice
from marketplace.web.booking.whose import facts_of, open_benefits, people_of, why_not
from marketplace.web.kind_words import kind_name
from marketplace.web.people import person
from vip.entitlements import entitlements
from vip.family import Member
from vip.principal import Principal

CITY_COOKIE = "city"
_MOST_RECENT = 3
_YEAR = 365 * 24 * 3600
_ROWS = 60
_LONGEST_QUERY = 60


def places() -> Response:
    """The finder. Rows are sites; each shows the first package that the chosen person may have."""
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
        tuple(places_page.place(cards, chosen, family=len(members) > 1) for cards in sites),
        _choices(members, search, today),
        more_url=more,
        total=None if more or asked("cursor") else len(sites),
        tier_source=places_page.tier_sources(found.items),
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
    """What can be booked at one site."""
    me, now = session.principal(), clock.now()
    _members, member = people_of(me)
    found = search_offers(OfferQuery(site=site, person=facts_of(member)), limit=_ROWS, now=now).items
    if not found:
        raise NotFound()
    here = f"{url_for('web.packages', site=site)}?{urlencode({'for': member.public_id, 'chosen': asked('chosen', 64)})}"
    return render(
        "packages.html",
        site=found[0].site_name,
        packages=tuple(_package(card, member, now) for card in found),
        person=person(member, clock.today(me.time_zone, now)),
        back_url=f"{url_for('web.places')}?{urlencode({'for': member.public_id, 'city': found[0].city})}",
        who_url=f"{url_for('web.who')}?{urlencode({'for': member.public_id, 'next': here})}",
    )


def who() -> Response:
    """For whom: everybody of the family, with the reason where a person can't be chosen. The form comes back here,
    and leads on to `next` with the person in its query."""
    me, now = session.principal(), clock.now()
    members, member = people_of(me)
    following = session.safe_path(asked("next")) or url_for("web.places")
    if asked("go"):
        return see_other(_with_person(following, member.public_id))
    offer_id = _offer_of(following)
    benefits = open_benefits(me, _benefit_of(following, offer_id, now), now)
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
    names = unquote(request.cookies.get(CITY_COOKIE, "")).split(",")[:_MOST_RECENT]
    return [name for name in names if 0 < len(name) <= 50]


def _store_city(answer: Response, city: str) -> None:
    if not asked("city", 50) or not city:
        return
    names = [city, *(name for name in _recent_cities() if name != city)][:_MOST_RECENT]
    secure = not settings().development
    answer.set_cookie(
        CITY_COOKIE, quote(",".join(names)), max_age=_YEAR, path="/", httponly=True, samesite="Lax", secure=secure
    )


def _choices(members: list[Member], search: places_page.Search, today: date) -> tuple[PersonChoice, ...]:
    return tuple(PersonChoice(person(one, today), search.url(**{"for": one.public_id})) for one in members)


def _package(card: OfferCard, member: Member, now: datetime) -> Package:
    full = offer(card.public_id, person=facts_of(member), now=now)
    address = f"{url_for('web.times', offer=card.public_id)}?{urlencode({'for': member.public_id})}"
    return packages_page.package(full, url=address, chosen=card.public_id == asked("chosen", 64))


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
