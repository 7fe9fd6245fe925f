"""What a customer says of a service once it is done: `/bookings/{id}/rating`."""

from __future__ import annotations

from typing import Any

from marshmallow import fields as out

from booking.ratings.rate import MOST_CHARACTERS, MOST_STARS, NotDone, RatingFixed, rate, rating_of
from marketplace.api.blueprint import Resource, principal
from marketplace.core import clock
from marketplace.core.errors import Busy, Invalid, NotFound
from marketplace.rest.fields import Answer, Number, Request, Text
from marketplace.rest.views import reads_body, refuses

blueprint = Resource("ratings", __name__, description="What customers say of a service.")


class NewRating(Request):
    """How good it was, and words if she likes."""

    stars = Number(least=1, most=MOST_STARS, required=True)
    words = Text(longest=MOST_CHARACTERS, load_default="")


class Rating(Answer):
    """A rating. It may be changed until `changeable_until`."""

    stars = out.Integer(required=True)
    words = out.String(required=True)
    at = out.DateTime(required=True)
    changed_at = out.DateTime(required=True)
    changeable_until = out.DateTime(required=True)


@blueprint.route("/bookings/<id:booking_id>/rating", methods=["PUT"])
@reads_body
@refuses(Invalid, NotDone, RatingFixed, Busy)
@blueprint.arguments(NewRating())
@blueprint.response(200, Rating)
def rate_booking(body: dict[str, Any], booking_id: str) -> Any:
    """Rate a service

    Of any kind, once it is done. It may be changed within 24 hours; the same again does nothing.
    """
    return rate(principal(), booking_id, body["stars"], body["words"], clock.now())


@blueprint.route("/bookings/<id:booking_id>/rating")
@blueprint.response(200, Rating)
def rating(booking_id: str) -> Any:
    """What she said of it

    404 before she did.
    """
    found = rating_of(principal(), booking_id)
    if found is None:
        raise NotFound(field="booking_id")
    return found
