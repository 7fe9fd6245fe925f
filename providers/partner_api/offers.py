"""Offers, their packages and their prices: `/offers`."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request
from marshmallow import fields as out

from booking.offers.limits import CURRENCY, LONGEST_NAME, MOST_CHANGES, MOST_HOURS, MOST_LEAD_MINUTES, MOST_PRICE
from booking.offers.maintain import MaintainedOffer, OfferChanged, Terms, VersionMissing, offer_of, offers_of, put_offer
from marketplace.catalog.kinds import kinds
from marketplace.core import clock
from marketplace.core.errors import Busy, Invalid, NotFound
from marketplace.rest import idempotency
from marketplace.rest.fields import Answer, Answers, Choice, Day, Listing, Number, Request, Text, Truth, page_of
from marketplace.rest.views import reads_body, refuses
from providers.partner_api.door import Resource, caller, needs
from providers.partner_api.maintained import PATH, checked, repeatable, writer

blueprint = Resource("offers", __name__, description="What you sell: packages, prices and the rules of booking them.")

IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string", "examples": ['"3"']},
    "description": "The `ETag` of the offer as you know it. Needed for one that is there, left out for a new one.",
}
ETAG = {"ETag": {"description": "The offer's version.", "schema": {"type": "string"}}}


class OfferTerms(Request):
    """All that is said of an offer; what is left out has its default."""

    benefit = Choice(
        *kinds(),
        required=True,
        metadata={"examples": ["health_check"], "description": "The kind of benefit. It stays for ever."},
    )
    pool = Text(
        shortest=1, longest=255, required=True, metadata={"description": "Your reference of the pool. It stays too."}
    )
    name_zh = Text(shortest=1, longest=LONGEST_NAME, required=True)
    name_en = Text(shortest=1, longest=LONGEST_NAME, required=True)
    package = Answers(
        required=True,
        metadata={
            "description": "What is in it, by the schema of the benefit.",
            "oneOf": [{"title": code, **known.package_schema} for code, known in kinds().items()],
        },
    )
    price_minor = Number(
        least=0, most=MOST_PRICE, required=True, metadata={"description": "In minor units of `currency`."}
    )
    currency = Text(longest=3, pattern=CURRENCY, load_default="CNY", metadata={"description": "ISO 4217."})
    lead_minutes = Number(
        least=0,
        most=MOST_LEAD_MINUTES,
        load_default=720,
        metadata={"description": "How long before the start booking closes."},
    )
    cancel_hours = Number(
        least=0,
        most=MOST_HOURS,
        load_default=24,
        metadata={"description": "Until when before it one may cancel online."},
    )
    change_hours = Number(
        least=0,
        most=MOST_HOURS,
        load_default=24,
        metadata={"description": "Until when before it one may change the date."},
    )
    max_changes = Number(least=0, most=MOST_CHANGES, load_default=3, metadata={"description": "How often."})
    available_from = Day(load_default=None, allow_none=True, metadata={"description": "The first day of service."})
    available_until = Day(load_default=None, allow_none=True, metadata={"description": "The last day of service."})
    active = Truth(load_default=True, metadata={"description": "false: it sells nothing more; bookings stay."})


class PartnerOffer(Answer):
    """An offer as it stands. `id` is ours, `reference` yours."""

    id = out.String(required=True)
    reference = out.String(required=True)
    benefit = out.String(required=True)
    pool = out.String(required=True)
    site_id = out.String(required=True)
    name_zh = out.String(required=True)
    name_en = out.String(required=True)
    package = out.Dict(required=True)
    price_minor = out.Integer(required=True)
    currency = out.String(required=True)
    lead_minutes = out.Integer(required=True)
    cancel_hours = out.Integer(required=True)
    change_hours = out.Integer(required=True)
    max_changes = out.Integer(required=True)
    available_from = out.Date(required=True, allow_none=True)
    available_until = out.Date(required=True, allow_none=True)
    active = out.Boolean(required=True)
    version = out.Integer(required=True, metadata={"description": "It grows with every change, and is the `ETag`."})


@blueprint.route("/offers", endpoint="list")
@needs("offers")
@refuses(Invalid)
@blueprint.arguments(Listing(), location="query")
@blueprint.response(200, page_of(PartnerOffer))
def listed(query: dict[str, Any]) -> Any:
    """Your offers

    By reference, those that you have ended too.
    """
    return offers_of(caller().provider_id, cursor=query["cursor"], limit=query["limit"])


@blueprint.route(f"/offers/{PATH}", endpoint="offer")
@needs("offers")
@refuses(NotFound)
@blueprint.response(200, PartnerOffer, headers=ETAG)
def one(reference: str) -> Any:
    """An offer"""
    return _shown(offer_of(caller().provider_id, checked(reference)), 200)


@blueprint.route(f"/offers/{PATH}", methods=["PUT"], endpoint="put")
@needs("offers")
@reads_body
@refuses(NotFound, Invalid, OfferChanged, VersionMissing, Busy)
@blueprint.arguments(OfferTerms())
@blueprint.response(200, PartnerOffer, headers=ETAG)
@blueprint.doc(parameters=[idempotency.PARAMETER, IF_MATCH])
def put(body: dict[str, Any], reference: str) -> Any:
    """Make or change an offer

    The whole offer is said each time. A new one is answered by 201. Of two changes of the same version one is refused
    with 412. What is booked keeps the price, the package and the rules of its day.
    """
    known = [*request.if_match.as_set(include_weak=True)] if request.if_match else None
    if request.if_match.star_tag:
        known = ["*"]
    elif known is None and "If-Match" in request.headers:
        known = []  # one that can't be read matches nothing
    offer = put_offer(writer(), checked(reference), Terms(**body), known=known, repeat=repeatable(), now=clock.now())
    return _shown(offer, 201 if known is None else 200)


_OFFER = PartnerOffer()


def _shown(offer: MaintainedOffer, status: int) -> Response:
    answer = jsonify(_OFFER.dump(offer))
    answer.status_code = status
    answer.set_etag(str(offer.version))
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer
