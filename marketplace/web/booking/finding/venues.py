"""Finding a place that somebody can be sent to: the list, its city picker, and what helps where one is not covered."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import cast
from urllib.parse import urlencode

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.coverage.nearest import nearest
from booking.coverage.venues import Asked, Venue, narrowing, venue, venues
from booking.coverage.wish import ask_to_be_told, take_back, wishes
from booking.offers.availability import MAX_DAYS
from marketplace.catalog.coverage.counts import CityCoverage, by_city
from marketplace.catalog.coverage.level import LEVELS, Level
from marketplace.catalog.kinds import is_dispatched
from marketplace.catalog.query.conditions import Stage
from marketplace.catalog.query.where import locate
from marketplace.catalog.search import SiteQuery
from marketplace.core import clock
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.paging import Page
from marketplace.web import session
from marketplace.web.answers import Views, asked, field, render, said, see_other
from marketplace.web.booking.finding import searching, venues_page
from marketplace.web.booking.finding.searching import Shown
from marketplace.web.booking.finding.venues_page import VenueFinder, VenueSearch
from marketplace.web.booking.finding.whose import (
    her_city,
    people_of,
)
from marketplace.web.cities import recent_cities
from marketplace.web.kind_words import kind_name
from marketplace.web.people import person
from marketplace.web.place_words import city_name
from vip.principal import Principal

_ROWS = 20


def venue_list() -> Response:
    """The list: every place of the city, whether it is covered or not; for words those of where they lead."""
    me, now = session.principal(), clock.now()
    about = _about(me, now)
    words, search = searching.typed(), _search(me, about)
    members, member = people_of(me)
    today = clock.today(me.time_zone, now)
    shown = _where_to_look(search)
    query = _query(search, shown)
    found: Page[Venue] = Page([], None)
    counted: list[CityCoverage] = []
    if shown.found and not words.error:
        found = _found(query, about, search, shown.stage, asked("cursor", 2_000) or None)
        counted = by_city(about.kind, about.day, insurer_id=me.insurer_id, query=query, stage=shown.stage)
    choices = narrowing(shown.city or search.city)
    near = nearest([it.site for it in found.items if it.level == "not_covered"], about, most=1)
    page = VenueFinder(
        search,
        _("Book: %(benefit)s", benefit=kind_name(search.benefit)),
        city_name(shown.city or search.city),
        person(member, today),
        searching.choices(members, search, today),
        venues_page.levels(search),
        venues_page.tiers(choices, search),
        venues_page.districts(choices, search) if _own(shown) else (),
        tuple(venues_page.row(it, search, near.get(it.site.public_id, ())) for it in found.items),
        venues_page.counts(counted),
        shown.elsewhere,
        search.url(cursor=found.next) if found.next else "",
        searching.benefit_line(me, member, search.benefit, search.entitlement, now),
        words.text,
        words.error,
        searching.begun_elsewhere(me, member, search, shown, partial(_usual_city, me, about)),
    )
    answer = render(
        "venues.html",
        page=page,
        cities_url=search.plain().url("web.venue_cities"),
        who_url=search.url("web.who", next=search.url(city=asked("city", 50))),
    )
    return searching.remembering(answer, me, member, search)


def venue_cities() -> Response:
    """The city picker: how many places of each city can be booked."""
    me, now = session.principal(), clock.now()
    about = _about(me, now)
    search = _search(me, about)
    found = by_city(about.kind, about.day, insurer_id=me.insurer_id)
    return render(
        "venue_cities.html",
        best=venues_page.best_cities(found, search, recent_cities()),
        groups=venues_page.cities(found, search),
        back_url=search.url(),
    )


def venue_coverage(site: str) -> Response:
    """How one place is covered and, where it is not, what helps: the nearest that are, being told, the service desk.
    The form asks to be told, or takes that back."""
    me, now = session.principal(), clock.now()
    about = _about(me, now)
    found = venue(site, about)
    place = found.site.public_id
    if request.method == "POST":
        return _wish(me, about, place, now)
    _members, member = people_of(me)
    search = VenueSearch(about.kind, member.public_id, found.site.city, asked("entitlement", 64))
    open_ = _can_be_booked(found, about)
    near = nearest([found.site], about)[place] if not open_ else []
    return render(
        "venue_coverage.html",
        title=kind_name(about.kind),
        row=venues_page.row(found, search),
        open=open_,
        book_url=venues_page.services_url(place, search),
        near=tuple((venues_page.near_place(it), venues_page.coverage_url(it.public_id, search)) for it in near),
        waits=any(each.site == place for each in wishes(me, about.kind)),
        here=venues_page.coverage_url(place, search),
        back_url=search.url(),
    )


def _wish(me: Principal, about: Asked, site: str, now: datetime) -> Response:
    kept = {"benefit": about.kind, "for": asked("for", 64), "entitlement": asked("entitlement", 64)}
    here = url_for("web.venue_coverage", site=site)
    try:
        if field("act", 20) == "take_back":
            take_back(me, about.kind, site, now=now)
            flash(_("You won't be told about this place."), "ok")
        else:
            ask_to_be_told(me, about.kind, site, now=now)
            flash(_("We tell you as soon as it can be booked here."), "ok")
    except NotFound:
        raise
    except Refusal as refusal:
        flash(said(refusal), "bad")
    return see_other(f"{here}?{urlencode({name: value for name, value in kept.items() if value})}")


def _can_be_booked(it: Venue, about: Asked) -> bool:
    """Whether somebody can be sent there, today or on a later day that can be booked already."""
    if it.level != "not_covered":
        return bool(it.senders)
    if it.changes_on is None or it.changes_on > about.day + timedelta(days=MAX_DAYS):
        return False
    return bool(venue(it.site.public_id, replace(about, day=it.changes_on)).senders)


def _about(me: Principal, now: datetime) -> Asked:
    benefit = asked("benefit", 40)
    if not is_dispatched(benefit):
        raise NotFound(field="benefit")
    return Asked(benefit, me.insurer_id, clock.today(me.time_zone, now), me.market)


def _search(me: Principal, about: Asked) -> VenueSearch:
    """What the query asks for, without words that cannot be searched for; the city of the last time, else the one with
    most places that can be booked."""
    level, words = asked("level", 20), searching.typed()
    return VenueSearch(
        about.kind,
        asked("for", 64),
        asked("city", 50) or her_city(me) or _usual_city(me, about),
        asked("entitlement", 64),
        "" if words.error else words.text,
        level if level in LEVELS else "",
        asked("tier", 20),
        asked("district", 50),
    )


def _usual_city(me: Principal, about: Asked) -> str:
    recent = next(iter(recent_cities()), "")
    if recent:
        return recent
    found = by_city(about.kind, about.day, insurer_id=me.insurer_id)
    most: CityCoverage | None = max(found, key=lambda each: (each.open, each.sites), default=None)
    return most.city if most else ""


def _where_to_look(search: VenueSearch) -> Shown:
    """Where the places are that the words find, as in the other finder: here, in the city that they name, or elsewhere.
    Which level they have is not asked: a customer learns that a place is not covered."""
    if not search.query:
        return Shown(search.city)
    at = locate(SiteQuery(search.city or None, tier=search.tier or None, q=search.query))
    there = replace(search, district="", level="")
    return searching.shown(at, search.city, lambda city: there.url(city=city), search.url(q="", district=""))


def _own(shown: Shown) -> bool:
    """Whether the places of her own city are shown, so that its districts hold."""
    return shown.city is not None and not shown.moved


def _query(search: VenueSearch, shown: Shown) -> SiteQuery:
    district = search.district if _own(shown) else ""
    return SiteQuery(shown.city or None, district or None, search.tier or None, None, search.query or None)


def _found(query: SiteQuery, about: Asked, search: VenueSearch, stage: Stage, cursor: str | None) -> Page[Venue]:
    level = cast(Level, search.level) if search.level else None
    return venues(query, about, level=level, stage=stage, cursor=cursor, limit=_ROWS)


VIEWS: Views = {"venues": venue_list, "venue_cities": venue_cities, "venue_coverage": venue_coverage}
