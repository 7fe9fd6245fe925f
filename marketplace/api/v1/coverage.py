"""Where somebody can be sent, and how it is covered: `/coverage`."""

from __future__ import annotations

from typing import Any

from marshmallow import fields as out

from booking.coverage import nearest, venues, wish
from booking.coverage.venues import Asked
from marketplace.api.blueprint import Resource, principal
from marketplace.api.v1.bookings import Names
from marketplace.api.v1.sites import Site
from marketplace.catalog.coverage.counts import by_city
from marketplace.catalog.coverage.level import LEVELS
from marketplace.catalog.kinds import dispatched
from marketplace.catalog.search import SiteQuery
from marketplace.core import clock
from marketplace.core.errors import Busy, Invalid, NotFound
from marketplace.rest.fields import Answer, Day, Listing, Request, Text, page_of
from marketplace.rest.views import refuses
from vip.principal import Principal

blueprint = Resource("coverage", __name__, description="Where somebody can be sent, and how it is covered.")

_LEVEL = {
    "enum": list(LEVELS),
    "description": "`covered`; `on_request`: asked for first, answered within `answer_hours`; or `not_covered`.",
}
_BENEFIT = {"examples": [*dispatched()], "description": "A benefit for which somebody is sent to the place."}


class About(Request):
    """For which benefit, and on which day of the service (today without one)."""

    benefit = Text(longest=40, required=True, metadata=_BENEFIT)
    day = Day(load_default=None)


class CoverageListing(Listing):
    """Which places, for which benefit, on which day of the service (today without one)."""

    benefit = Text(longest=40, required=True, metadata=_BENEFIT)
    day = Day(load_default=None)
    level = Text(longest=20, load_default=None, metadata=_LEVEL)
    city = Text(longest=64, load_default=None, metadata={"examples": ["上海市"]})
    district = Text(longest=64, load_default=None)
    tier = Text(longest=32, load_default=None, metadata={"examples": ["三级甲等"]})
    kind = Text(longest=64, load_default=None)
    q = Text(longest=100, load_default=None, metadata={"description": "Words, as for `/sites`."})


class Sender(Answer):
    """A service that can be asked to send somebody: its offer. With `allotment` a booking is firm at once; the others
    answer within `answer_hours`."""

    offer_id = out.String(attribute="offer", required=True)
    name = out.Nested(Names, required=True)
    provider = out.Nested(Names, required=True)
    allotment = out.Boolean(required=True)
    answer_hours = out.Integer(required=True)


class Covered(Answer):
    """A place and how it is covered on the day. `changes_on` is the first later day with another level, `changes_to`
    that level; null where no change is known. `senders` is empty where nobody can be asked for."""

    site = out.Nested(Site, required=True)
    level = out.String(required=True, metadata=_LEVEL)
    changes_on = out.Date(required=True, allow_none=True)
    changes_to = out.String(required=True, allow_none=True, metadata=_LEVEL)
    senders = out.List(out.Nested(Sender), required=True)


class Near(Answer):
    """A place that is covered or on request. `metres` is the way there as the crow flies, null where it isn't known."""

    id = out.String(attribute="public_id", required=True)
    name = out.String(required=True)
    province = out.String(required=True)
    city = out.String(required=True)
    level = out.String(required=True, metadata=_LEVEL)
    metres = out.Integer(required=True, allow_none=True)


class CoveredNearby(Covered):
    """A place, and the nearest others that are covered where it is not. `asked`: the customer is told when it is."""

    nearest = out.List(out.Nested(Near), required=True)
    asked = out.Boolean(required=True)


class CityNumbers(Answer):
    """How many places of a city have which level."""

    province = out.String(required=True)
    city = out.String(required=True)
    covered = out.Integer(required=True)
    on_request = out.Integer(required=True)
    not_covered = out.Integer(required=True)


class Cities(Answer):
    """Every city of the catalogue, in the order of their pinyin."""

    items = out.List(out.Nested(CityNumbers), required=True)


@blueprint.route("/coverage")
@refuses(NotFound, Invalid)
@blueprint.arguments(CoverageListing(), location="query")
@blueprint.response(200, page_of(Covered))
def coverage(query: dict[str, Any]) -> Any:
    """Find places that somebody can be sent to

    Best match first when `q` is given, then the better covered. Places that are not covered are found as well, and say
    so.
    """
    asked = _asked(principal(), query.pop("benefit"), query.pop("day"))
    level, cursor, limit = query.pop("level"), query.pop("cursor"), query.pop("limit")
    return venues.venues(SiteQuery(**query), asked, level=level, cursor=cursor, limit=limit)


@blueprint.route("/coverage/cities")
@refuses(NotFound, Invalid)
@blueprint.arguments(About(), location="query")
@blueprint.response(200, Cities)
def coverage_cities(query: dict[str, Any]) -> Any:
    """Count the places of every city by how they are covered"""
    asked = _asked(principal(), query["benefit"], query["day"])
    return {"items": by_city(asked.kind, asked.day, insurer_id=asked.insurer_id)}


@blueprint.route("/coverage/<id:site_id>")
@refuses(NotFound, Invalid)
@blueprint.arguments(About(), location="query")
@blueprint.response(200, CoveredNearby)
def coverage_of(query: dict[str, Any], site_id: str) -> Any:
    """How one place is covered

    Where it is not: the nearest places that are, those of the same city first.
    """
    me = principal()
    asked = _asked(me, query["benefit"], query["day"])
    found = venues.venue(site_id, asked)
    place = found.site.public_id
    near = nearest.nearest([found.site], asked)[place] if found.level == "not_covered" else []
    waited = any(each.site == place for each in wish.wishes(me, asked.kind))
    return {**vars(found), "nearest": near, "asked": waited}


class For(Request):
    """For which benefit."""

    benefit = Text(longest=40, required=True, metadata=_BENEFIT)


@blueprint.route("/coverage/<id:site_id>/wish", methods=["PUT"])
@refuses(NotFound, wish.TooManyWishes, Busy)
@blueprint.arguments(For(), location="query")
@blueprint.response(204)
def ask_to_be_told(query: dict[str, Any], site_id: str) -> None:
    """Be told once a place is covered

    By a notice, once it can be booked there or from a day on that can be booked already. Twice is the same as once.
    """
    wish.ask_to_be_told(principal(), query["benefit"], site_id, now=clock.now())


@blueprint.route("/coverage/<id:site_id>/wish", methods=["DELETE"])
@refuses(NotFound, Busy)
@blueprint.arguments(For(), location="query")
@blueprint.response(204)
def stop_asking(query: dict[str, Any], site_id: str) -> None:
    """Don't be told any more

    Twice is the same as once.
    """
    wish.take_back(principal(), query["benefit"], site_id, now=clock.now())


def _asked(me: Principal, benefit: str, day: Any) -> Asked:
    return Asked(benefit, me.insurer_id, day or clock.today(me.time_zone), me.market)
