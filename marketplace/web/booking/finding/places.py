"""Finding a place: the finder, a site's packages, and for whom it is."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from flask import Response, request, url_for
from flask_babel import gettext as _

from booking.finding.booked import booked_sites
from booking.finding.favourites import favourite_sites
from booking.finding.places import Order, Places, by_site, find_places
from booking.finding.position import HEADER, read_position
from booking.offers.availability import OfferQuery, first_offers, offer
from booking.offers.cards import OfferCard
from booking.offers.cities import narrowing, offer_cities
from marketplace.catalog.kinds import is_dispatched, kinds
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.sphere import Position
from marketplace.web import session
from marketplace.web.answers import Views, asked, asked_all, render, see_other
from marketplace.web.benefit_cards import bookable
from marketplace.web.booking.finding import filters, maps, packages_page, places_page, searching
from marketplace.web.booking.finding.places_page import Finder, Search
from marketplace.web.booking.finding.whose import (
    facts_of,
    her_city,
    people_of,
    usable_benefits,
    why_not,
)
from marketplace.web.cities import usual_city
from marketplace.web.formats import sentences
from marketplace.web.kind_words import kind_name
from marketplace.web.people import person
from marketplace.web.place_words import city_name, for_the_driver, full_address, site_name
from marketplace.web.tiers import tier_word
from vip.customers.family import Member
from vip.entitlements.of_customer import entitlements
from vip.principal import Principal

_ROWS = 20
_MOST_PACKAGES = 60
_MOST_KNOWN = 40
_SHOWN_KNOWN = 6

POSITION_HERE = "camera=(), display-capture=(), geolocation=(self), microphone=(), payment=(), usb=()"
"""The page that may ask where somebody is, after a tap; everywhere else nobody may."""


def places() -> Response:
    """The finder. Rows are sites; each shows what the chosen person may have there. What somebody is sent for has a
    list of its own."""
    me, now = session.principal(), clock.now()
    if is_dispatched(asked("benefit", 40)):
        return see_other(f"{url_for('web.venues')}?{urlencode(request.args)}")
    members, member = people_of(me)
    words = searching.typed()
    search = searching.words_kept(search_asked(me), words)
    shown = searching.where_to_look(search, me.market)
    near, unreadable = _near()
    order = _order(search, near)
    found = Places((), 0, 0, None)
    if shown.found and not words.error:
        found = _found(search, shown, order, near, member, now, me)
    today = clock.today(me.time_zone, now)
    chosen = person(member, today)
    marked = favourite_sites(me.id)
    here = shown.city is not None
    finder = Finder(
        search.benefit,
        _("Book: %(benefit)s", benefit=kind_name(search.benefit)),
        chosen,
        search.city,
        words.text,
        filters.filters(narrowing(search.benefit, shown.city or search.city, market=me.market), search),
        tuple(
            places_page.place(each, chosen, len(members) > 1, search, marked, with_city=not here)
            for each in found.items
        ),
        searching.choices(members, search, today),
        counts=places_page.counted(found) if here and not words.error else _("Places"),
        sorts=filters.sorts(order, query=bool(search.query), near=near is not None),
        note=_note(search, found, near, unreadable=unreadable),
        known=() if words.text or search.narrowed or _skip() else _known(me, member, search, marked, now),
        more_url=search.url(skip=str(found.following)) if found.following and here else "",
        plain_url=search.plain().url() if search.narrowed else search.nothing().url(),
        entitlement=search.entitlement,
        benefit_line=searching.benefit_line(me, member, search.benefit, search.entitlement, now),
        elsewhere=shown.elsewhere,
        query_error=words.error,
        her_city=searching.begun_elsewhere(me, member, search, shown, partial(_usual_city, me, search.benefit)),
    )
    answer = render(
        "places.html",
        page=finder,
        city_name=city_name(shown.city or search.city),
        cities_url=Search(search.benefit, search.person, search.city, search.entitlement).url("web.cities"),
        who_url=search.url("web.who", next=search.url(city=asked("city", 50))),
        here=search.url(),
    )
    answer.headers["Permissions-Policy"] = POSITION_HERE
    return searching.remembering(answer, me, member, search)


def _usual_city(me: Principal, benefit: str) -> str:
    return usual_city(offer_cities(benefit, market=me.market))


def _found(
    search: Search,
    shown: searching.Shown,
    order: Order,
    near: Position | None,
    member: Member,
    now: datetime,
    me: Principal,
) -> Places:
    """The places where they are shown: a page of the city's, or the first few of all over the country. The filters that
    are a city's own hold in that one alone."""
    anywhere = shown.city is None
    own = not anywhere and not shown.moved
    query = OfferQuery(
        search.benefit,
        shown.city or None,
        q=search.query or None,
        person=facts_of(member),
        tiers=search.tiers,
        site_kinds=search.kinds,
        districts=search.districts if own else (),
        departments=search.departments,
        weekend=search.weekend,
        morning=search.morning,
    )
    limit, skip = (searching.ELSEWHERE_ROWS, 0) if anywhere else (_ROWS, _skip())
    return find_places(query, order, near=near, skip=skip, limit=limit, now=now, market=me.market)


def _near() -> tuple[Position | None, bool]:
    """Where the reader is, if her browser says so with this request, and whether it said it unreadably."""
    try:
        return read_position(request.headers.get(HEADER, "")), False
    except Invalid:
        return None, True


def _order(search: Search, near: Position | None) -> Order:
    """The order of the list: what was chosen, where it is possible; else by match with words, and soonest first."""
    usual: Order = "match" if search.query else "soonest"
    possible: dict[str, Order] = {"soonest": "soonest", "level": "level", "match": usual}
    if near is not None:
        possible["nearest"] = "nearest"
    return possible.get(search.order, usual)


def _note(search: Search, found: Places, near: Position | None, *, unreadable: bool) -> str:
    """What has to be said of an order by distance, blank otherwise."""
    if search.order != "nearest":
        return ""
    if near is None:
        said = _("Your position could not be read.") if unreadable else _("This page does not know where you are.")
        return sentences(said, _("Tap “Nearest” to sort by distance."))
    if any(each.metres is None for each in found.items):
        return _("Distances are as the crow flies. Places whose position we do not know stand last.")
    return _("Distances are as the crow flies.")


def _known(
    me: Principal, member: Member, search: Search, marked: list[str], now: datetime
) -> tuple[places_page.KnownPlace, ...]:
    """Her favourite places, then those where she has booked, as far as they have the benefit: in any city."""
    own = list(dict.fromkeys((*marked, *booked_sites(me.id))))[:_MOST_KNOWN]
    if not own:
        return ()
    query = OfferQuery(search.benefit, sites=tuple(own), person=facts_of(member))
    found = {each.shown.site_id: each for each in by_site(first_offers(query, _ROWS * 10, now=now, market=me.market))}
    chosen = person(member, clock.today(me.time_zone, now))
    return tuple(
        places_page.known_place(found[site], chosen, search, favourite=site in marked)
        for site in [each for each in own if each in found][:_SHOWN_KNOWN]
    )


def _skip() -> int:
    """How many rows were shown before; what is no number begins anew."""
    text = asked("skip", 6)
    return int(text) if text.isascii() and text.isdigit() else 0


def packages(site: str) -> Response:
    """What can be booked at one site for one unit of a benefit, side by side."""
    if is_dispatched(asked("benefit", 40)):
        return see_other(f"{url_for('web.venue', site=site)}?{urlencode(request.args.to_dict())}")
    me, now = session.principal(), clock.now()
    _members, member = people_of(me)
    query = OfferQuery(site=site, person=facts_of(member))
    found = first_offers(query, _MOST_PACKAGES, now=now, market=me.market)
    if not found:
        raise NotFound()
    chosen = next((card for card in found if card.public_id == asked("chosen", 64)), None)
    wanted = asked("benefit", 40)
    benefit = wanted if any(card.kind == wanted for card in found) else (chosen or found[0]).kind
    kept = {"for": member.public_id, "entitlement": asked("entitlement", 64)}
    address = {**kept, "benefit": benefit, "chosen": chosen.public_id if chosen else ""}
    here = _address("web.packages", address, site=site)
    person_shown = person(member, clock.today(me.time_zone, now))
    cards = [card for card in found if card.kind == benefit]
    return render(
        "packages.html",
        site=site_name(found[0].site_name, found[0].city, found[0].district, found[0].province),
        driver=for_the_driver(_site(found[0])),
        address=full_address(_site(found[0])),
        tier=tier_word(found[0].tier),
        site_id=found[0].site_id,
        favourite=found[0].site_id in favourite_sites(me.id),
        routes=maps.routes(found[0]),
        here=here,
        beside=packages_page.side_by_side(
            [offer(card.public_id, person=facts_of(member), market=me.market, now=now) for card in cards],
            {card.public_id: _address("web.times", kept, offer=card.public_id) for card in cards},
            chosen.public_id if chosen else "",
            person_shown.name,
        ),
        person=person_shown,
        benefit_line=searching.benefit_line(me, member, benefit, kept["entitlement"], now),
        back_url=_address("web.places", {**kept, "benefit": benefit, "city": found[0].city}),
        who_url=_address("web.who", {"for": member.public_id, "next": here}),
    )


def _site(card: OfferCard) -> dict[str, str]:
    return {"name": card.site_name, "city": card.city, "district": card.district, "address": card.address}


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
    benefits = usable_benefits(me, _benefit_of(me, following, offer_id, now), named, now)
    today = clock.today(me.time_zone, now)
    return render(
        "who.html",
        people=tuple(person(one, today, why_not(me, one, benefits, offer_id, now)) for one in members),
        chosen=member.public_id,
        form_action=url_for("web.who"),
        next_url=following,
        back_url=following,
        subtitle=_("The next page shows what is open to the person you choose."),
        add_url=f"{url_for('web.family_new')}?{urlencode({'next': session.here()})}",
    )


def search_asked(me: Principal) -> Search:
    """What the query asks for; the city of the last time, else the one with most places."""
    benefit = asked("benefit", 40) or _first_benefit(me)
    if not bookable(benefit):
        raise NotFound(field="benefit")
    return Search(
        benefit,
        asked("for", 64),
        asked("city", 50) or _first_city(me, benefit),
        asked("entitlement", 64),
        "",
        asked_all("tier", 20),
        asked_all("kind", 50),
        asked_all("district", 50),
        asked_all("department", 40),
        tuple(wish for wish in ("weekend", "morning") if wish in asked_all("when", 20)),
        asked("sort", 20),
    )


def _first_city(me: Principal, benefit: str) -> str:
    """The city to begin in: the relative's where there are offers, else the reader's."""
    found, hers = offer_cities(benefit, market=me.market), her_city(me)
    return hers if hers in {each.name for each in found} else usual_city(found)


def _first_benefit(me: Principal) -> str:
    """The kind of the first benefit that can be booked, else the first kind that is."""
    today = clock.today(me.time_zone)
    codes = [benefit.kind for benefit in entitlements(me.id, today=today)]
    return next((code for code in (*codes, *kinds()) if bookable(code)), "")


def _offer_of(path: str) -> str:
    """The offer that an address of the picker names, blank for another page."""
    parts = urlsplit(path).path.split("/")
    return parts[2] if len(parts) == 4 and parts[1] == "offers" else ""


def _benefit_of(me: Principal, path: str, offer_id: str, now: datetime) -> str:
    if offer_id:
        return offer(offer_id, market=me.market, now=now).card.kind
    return parse_qs(urlsplit(path).query).get("benefit", [""])[0]


def _with_person(path: str, public_id: str) -> str:
    """The address with the person in its query; how far she read belongs to another list, so it goes."""
    parts = urlsplit(path)
    query = {name: values for name, values in parse_qs(parts.query).items() if name not in ("for", "skip")}
    return urlunsplit(("", "", parts.path, urlencode({**query, "for": public_id}, doseq=True), ""))


VIEWS: Views = {"places": places, "packages": packages, "who": who}
