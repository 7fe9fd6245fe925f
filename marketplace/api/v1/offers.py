"""What can be booked, where and when: `/offers`."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields as out

from booking.offers import availability
from booking.offers.answers_slowly import SlowReason
from booking.offers.availability import OfferQuery
from booking.offers.bookable import Reason
from marketplace.api.blueprint import Resource, credential, looks_up_who
from marketplace.core import clock
from marketplace.core.errors import NotFound
from marketplace.rest.fields import Answer, Day, Id, Listing, Request, Text, page_of
from marketplace.rest.json import JsonResponse
from marketplace.rest.views import refuses

blueprint = Resource("offers", __name__, description="Packages at places, with their free times.")


class OfferListing(Listing):
    """Which offers."""

    benefit = Text(longest=64, load_default=None, metadata={"examples": ["health_check"]})
    city = Text(longest=50, load_default=None, metadata={"examples": ["上海市"]})
    site = Id("sit_7c1x9d4t6b3n0v8m5r2k", load_default=None)
    q = Text(longest=100, load_default=None, metadata={"description": "Words of a place's name, alias or address."})


class NextFree(Answer):
    """The next time with a free place; times are null for a whole day."""

    service_date = out.Date(required=True)
    starts_at = out.DateTime(required=True, allow_none=True)
    ends_at = out.DateTime(required=True, allow_none=True)
    free = out.Integer(required=True)


class AnswersSlowly(Answer):
    """The provider is slower than usual to answer, or cannot be asked at this moment. Bookings are taken all the same,
    and keep their place until it answers."""

    since = out.DateTime(required=True)
    reason = out.String(
        required=True,
        metadata={
            "enum": list(SlowReason),
            "description": "`paused`: we pass nothing on to it for now. `not_reached`: its system does not answer. "
            "`not_taken`: what was sent to it has not been taken for minutes. `slower`: its answers take much longer "
            "today than they usually do. More reasons may come.",
        },
    )


class Offer(Answer):
    """A package of one provider at one place. The price is in minor units of `currency` (ISO 4217)."""

    id = out.String(attribute="public_id", required=True)
    benefit = out.String(attribute="kind", required=True)
    name_zh = out.String(required=True)
    name_en = out.String(required=True)
    price_minor = out.Integer(required=True)
    currency = out.String(required=True)
    provider_zh = out.String(required=True)
    provider_en = out.String(required=True)
    site_id = out.String(required=True)
    site_name = out.String(required=True)
    site_name_en = out.String(required=True)
    province = out.String(required=True)
    city = out.String(required=True)
    district = out.String(required=True)
    tier = out.String(required=True, allow_none=True)
    tier_source = out.String(required=True)
    tier_date = out.String(required=True)
    address = out.String(required=True)
    time_zone = out.String(required=True)
    next_free = out.Nested(NextFree, required=True, allow_none=True)
    answers_slowly = out.Nested(
        AnswersSlowly,
        required=True,
        allow_none=True,
        metadata={"description": "Null where there is nothing to say, or too little is known to say it."},
    )


class SlotListing(Request):
    """Which days, both ends included; at most 62."""

    first = Day(data_key="from", load_default=None, metadata={"description": "Today at the site if left out."})
    last = Day(data_key="to", load_default=None, metadata={"description": "Two weeks from `from` if left out."})


class Slot(Answer):
    """A time, or a whole day when the times are null. `free` places are of use only while it is `bookable`."""

    id = out.String(required=True)
    service_date = out.Date(required=True)
    starts_at = out.DateTime(required=True, allow_none=True)
    ends_at = out.DateTime(required=True, allow_none=True)
    capacity = out.Integer(required=True)
    free = out.Integer(required=True)
    bookable = out.Boolean(required=True, metadata={"description": "Whether it could be booked at this moment."})
    closes_at = out.DateTime(
        required=True, metadata={"description": "The last moment, in UTC, at which it may be booked."}
    )
    reason = out.String(
        required=True,
        allow_none=True,
        metadata={
            "description": f"Why it can't be booked: {', '.join(Reason)}; null if it can be. `past`: `closes_at` is "
            "over. `reserved`: a place has just come free and is offered to those who wait; ask again in a moment."
        },
    )


@blueprint.route("/offers")
@looks_up_who
@refuses(NotFound)
@blueprint.arguments(OfferListing(), location="query")
@blueprint.response(200, page_of(Offer))
def offers(query: dict[str, Any]) -> Any:
    """Find offers

    Each with its next free time. Best matching place first, then by price.
    """
    cursor, limit = query.pop("cursor"), query.pop("limit")
    return availability.search_offers(
        OfferQuery(**query), cursor=cursor, limit=limit, now=clock.now(), who=credential()
    )


@blueprint.route("/offers/<id:offer_id>/slots")
@looks_up_who
@blueprint.arguments(SlotListing(), location="query")
@blueprint.response(200, page_of(Slot))
def slots(query: dict[str, Any], offer_id: str) -> Response:
    """The times of an offer

    In order, also those that can't be booked, with the reason.
    """
    found = availability.slots_as_json(offer_id, query["first"], query["last"], now=clock.now(), who=credential())
    return JsonResponse(f'{{"items":{found},"next":null}}'.encode())
