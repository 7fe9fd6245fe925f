"""Places to choose from for a benefit: `/places`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from flask import request
from marshmallow import fields as out

from booking.finding.places import FoundPlace, Order, find_places
from booking.finding.position import HEADER, read_position
from booking.offers.availability import OfferQuery
from booking.offers.cards import NextFree, OfferCard, PersonFacts
from marketplace.api.blueprint import Resource, principal
from marketplace.api.v1 import offers
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.paging import decode_cursor, encode_cursor
from marketplace.rest.fields import Answer, Choice, Id, Listing, Text
from marketplace.rest.views import refuses
from vip.customers.family import family
from vip.principal import Principal

blueprint = Resource("places", __name__, description="Places to choose from, with what can be booked there.")

_NEAR = {
    "in": "header",
    "name": HEADER,
    "description": "Where the reader is: latitude and longitude in degrees (WGS 84), for `nearest` and `metres`. It is "
    "rounded to three decimals, used for this answer alone, and written down nowhere.",
    "schema": {"type": "string", "examples": ["30.246,120.210"]},
}


class PlaceListing(Listing):
    """Which places, and in what order. Those that can be booked come first, except in the order of `match`."""

    benefit = Text(longest=64, required=True, metadata={"examples": ["health_check"]})
    beneficiary_id = Id("ben_5r2k7c1x9d4t6b3n0v8m", load_default=None)
    city = Text(longest=50, load_default=None, metadata={"examples": ["上海市"]})
    district = Text(longest=50, load_default=None)
    tier = Text(longest=20, load_default=None, metadata={"examples": ["三级甲等"]})
    kind = Text(longest=50, load_default=None, metadata={"description": "The kind of place."})
    department = Text(longest=40, load_default=None, metadata={"description": "A department's code."})
    q = Text(longest=100, load_default=None, metadata={"description": "Words of a place's name, alias or address."})
    when = Choice("weekend", "morning", "weekend_morning", load_default=None)
    sort = Choice(
        *get_args(Order),
        load_default="soonest",
        metadata={"description": "`nearest` needs the header `Near`; without one it is `soonest`."},
    )


class Place(Answer):
    """A place. `offers` are its packages; `next_free` is the soonest time of one that the person may have, null where
    there is none within two months; `metres` is the way as the crow flies, null where it isn't known."""

    site_id = out.String(required=True)
    site_name = out.String(required=True)
    site_name_en = out.String(required=True)
    city = out.String(required=True)
    next_free = out.Nested(offers.NextFree, required=True, allow_none=True)
    metres = out.Integer(required=True, allow_none=True)
    offers = out.List(out.Nested(offers.Offer), required=True)


class PlacePage(Answer):
    """A page of Place. `bookable` and `not_now` count all that match; null where there are too many to count."""

    items = out.List(out.Nested(Place), required=True)
    bookable = out.Integer(required=True, allow_none=True)
    not_now = out.Integer(required=True, allow_none=True)
    next = out.String(
        required=True, allow_none=True, metadata={"description": "Cursor of the next page; null on the last."}
    )


@dataclass(frozen=True)
class _Shown:
    """A place as it is answered."""

    site_id: str
    site_name: str
    site_name_en: str
    city: str
    next_free: NextFree | None
    metres: int | None
    offers: tuple[OfferCard, ...]

    @classmethod
    def of(cls, found: FoundPlace) -> _Shown:
        """The answer about a place."""
        card = found.shown
        return cls(
            card.site_id, card.site_name, card.site_name_en, card.city, found.next_free, found.metres, found.cards
        )


@blueprint.route("/places")
@refuses(Invalid, NotFound)
@blueprint.arguments(PlaceListing(), location="query")
@blueprint.response(200, PlacePage)
@blueprint.doc(parameters=[_NEAR])
def places(query: dict[str, Any]) -> Any:
    """Find places

    With what can be booked there for one of the customer's people, herself if none is named.
    """
    me, when, limit = principal(), query["when"] or "", query["limit"]
    skip = decode_cursor(query["cursor"], (int,))[0] if query["cursor"] else 0
    wanted = OfferQuery(
        query["benefit"],
        query["city"],
        q=query["q"],
        person=_person(me, query["beneficiary_id"]),
        districts=_some(query["district"]),
        tiers=_some(query["tier"]),
        site_kinds=_some(query["kind"]),
        departments=_some(query["department"]),
        weekend="weekend" in when,
        morning="morning" in when,
    )
    near = read_position(request.headers.get(HEADER, ""))
    found = find_places(
        wanted, query["sort"], near=near, skip=max(0, skip), limit=limit, now=clock.now(), market=me.market
    )
    return {
        "items": [_Shown.of(each) for each in found.items],
        "bookable": found.bookable,
        "not_now": found.not_now,
        "next": encode_cursor([found.following]) if found.following else None,
    }


def _person(me: Principal, public_id: str | None) -> PersonFacts:
    """What eligibility asks of the person. Raises NotFound(field="beneficiary_id")."""
    people = family(me.id)
    chosen = next((each for each in people if each.public_id == public_id), None) if public_id else people[0]
    if chosen is None:
        raise NotFound(field="beneficiary_id")
    return PersonFacts(chosen.sex, chosen.birth_date)


def _some(value: str | None) -> tuple[str, ...]:
    return (value,) if value else ()
