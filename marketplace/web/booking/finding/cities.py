"""The city picker's page."""

from __future__ import annotations

from flask import Response

from booking.finding.booked import family_cities
from booking.offers.cities import offer_cities
from marketplace.core import clock
from marketplace.web import session
from marketplace.web.answers import Views, asked, render
from marketplace.web.booking.finding import cities_page
from marketplace.web.booking.finding.cities_page import Picker
from marketplace.web.booking.finding.places import search_asked
from marketplace.web.cities import recent_cities
from marketplace.web.people import person
from vip.customers.family import family

_LONGEST_WORDS = 60


def cities() -> Response:
    """The city picker; `words` look for a city, `letter` shows those that begin with it."""
    me = session.principal()
    search = search_asked(me)
    found = offer_cities(search.benefit, market=me.market)
    words, letter = asked("words", _LONGEST_WORDS), asked("letter", 1).upper()
    today = clock.today(me.time_zone)
    people = {member.public_id: person(member, today) for member in family(me.id)}
    whose = {id: each.name if each.is_self else each.relation for id, each in people.items()}
    page = Picker(
        cities_page.likely(found, search, recent_cities(), cities_page.family(family_cities(me.id), whose)),
        cities_page.hot(found, search),
        cities_page.letters(found, search, letter),
        letter,
        cities_page.lettered(found, search, letter),
        cities_page.regions(found, search),
        words,
        cities_page.matching(found, search, words) if words else None,
    )
    return render("cities.html", page=page, search=search, back_url=search.url())


VIEWS: Views = {"cities": cities}
