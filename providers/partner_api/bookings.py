"""The provider's bookings: `/bookings`. What is answered to one is in booking_answers.py."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import fields as out

from booking.answering import shown
from booking.answering.shown import STATUSES, Wanted
from marketplace.core import clock
from marketplace.core.errors import NotFound
from marketplace.rest.conditions import with_version
from marketplace.rest.fields import Answer, Choice, Day, Listing, page_of
from marketplace.rest.views import refuses
from providers.partner_api.door import Resource, caller, needs

blueprint = Resource("bookings", __name__, description="Reading bookings, answering them, and what became of them.")

CHANGE_ASKED = "change_asked"
"""A filter beside the statuses: a change of date waits for an answer."""


class AskedTime(Answer):
    """Another time, by your reference of its slot. Times are UTC, null for a whole day. `answer_due_at`: until when it
    can be answered; null where the answer to the booking itself is waited for."""

    slot = out.String(required=True)
    service_date = out.Date(required=True)
    starts_at = out.DateTime(required=True, allow_none=True)
    ends_at = out.DateTime(required=True, allow_none=True)
    answer_due_at = out.DateTime(required=True, allow_none=True)


class Venue(Answer):
    """The place to which you send somebody, as it was when it was booked."""

    id = out.String(required=True)
    name = out.String(required=True)
    city = out.String(required=True)
    district = out.String(required=True)
    address = out.String(required=True)


class PartnerBooking(Answer):
    """A booking. `offer`, `pool` and `slot` are your references; `slot` is null once nothing of yours has that time.
    Times are UTC, null for a whole day; `time_zone` is the site's. What begins at once (an online consultation) has
    neither slot nor times: `service_date` is the day on which it was begun, and what becomes of it is said where it is
    done.

    `change`: the date that the customer asks for; `cancel_asked`: her cancel is being carried out; `proposal`: what you
    proposed and she has not answered; `differences`: kinds of what is open between our books and what you said, which a
    person decides; `venue`: where you send somebody, null for what is done at your own place.
    """

    id = out.String(required=True)
    reference = out.String(required=True, metadata={"description": "A number people can read out."})
    version = out.Integer(required=True, metadata={"description": "Grows with every change; it is the ETag."})
    status = out.String(required=True, metadata={"enum": list(STATUSES)})
    cause = out.String(required=True, metadata={"description": "Why it is there: a code, or your own words."})
    kind = out.String(required=True, metadata={"description": "The benefit's code. What has no time has no slot."})
    offer = out.String(required=True)
    pool = out.String(required=True)
    slot = out.String(required=True, allow_none=True)
    service_date = out.Date(required=True)
    starts_at = out.DateTime(required=True, allow_none=True)
    ends_at = out.DateTime(required=True, allow_none=True)
    time_zone = out.String(required=True)
    answer_due_at = out.DateTime(required=True, allow_none=True)
    venue = out.Nested(Venue, required=True, allow_none=True)
    person_name = out.String(required=True, metadata={"description": "Masked: the first character."})
    change = out.Nested(AskedTime, required=True, allow_none=True)
    cancel_asked = out.Boolean(required=True)
    proposal = out.Nested(AskedTime, required=True, allow_none=True)
    differences = out.List(out.String(), required=True)
    created_at = out.DateTime(required=True)
    updated_at = out.DateTime(required=True)


class Person(Answer):
    """Who comes. `phone` is null unless the offer needs it."""

    name = out.String(required=True)
    sex = out.String(required=True, metadata={"enum": ["female", "male"]})
    birth_date = out.Date(required=True)
    phone = out.String(required=True, allow_none=True)


class PartnerBookingWithPerson(Answer):
    """A booking with who comes and the answers to the offer's questions; null and empty once it is not live."""

    booking = out.Nested(PartnerBooking, required=True)
    person = out.Nested(Person, required=True, allow_none=True)
    answers = out.Dict(required=True)


class PartnerBookingListing(Listing):
    """Which bookings."""

    status = Choice(
        *STATUSES,
        CHANGE_ASKED,
        load_default=None,
        metadata={
            "description": (
                "`requested` is the queue: what waits for your answer, the nearest deadline first. `change_asked`: "
                "confirmed bookings whose change of date waits for it. Anything else comes by service date."
            )
        },
    )
    service_date_from = Day(load_default=None)
    service_date_to = Day(load_default=None)


_ONE, _WITH_PERSON = PartnerBooking(), PartnerBookingWithPerson()
ETAG = {"ETag": {"schema": {"type": "string"}}}


@blueprint.route("/bookings", endpoint="bookings")
@needs("bookings")
@blueprint.arguments(PartnerBookingListing(), location="query")
@blueprint.response(200, page_of(PartnerBooking))
def list_bookings(query: dict[str, Any]) -> Any:
    """The bookings that were submitted to you

    Nobody is named here; who comes is shown with each booking.
    """
    cursor, limit, status = query.pop("cursor"), query.pop("limit"), query.pop("status")
    asked = status == CHANGE_ASKED
    wanted = Wanted(None if asked else status, asked, **query)
    return shown.bookings(caller().provider_id, wanted, cursor=cursor, limit=limit)


@blueprint.route("/bookings/<id:booking_id>", endpoint="booking")
@needs("bookings")
@refuses(NotFound)
@blueprint.response(200, PartnerBookingWithPerson, headers=ETAG)
def one_booking(booking_id: str) -> Response:
    """One booking with who comes

    Each look at who comes is recorded, with the client that looked. The `ETag` is what the answers to a booking need.
    """
    who = caller()
    found = shown.booking_with_person(who.provider_id, booking_id, looker=who.client, now=clock.now())
    return with_version(jsonify(_WITH_PERSON.dump(found)), found.booking.version)


def answered(booking_id: str, status: int = 200) -> Response:
    """The booking as it is now, without who comes."""
    found = shown.booking(caller().provider_id, booking_id)
    answer = with_version(jsonify(_ONE.dump(found)), found.version)
    answer.status_code = status
    return answer
