"""Booking and following: `/bookings`. What changes a booking is in booking_changes.py."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, jsonify, request
from marshmallow import fields as out

from booking import refusals
from booking.eligibility.refusals import (
    CityNotCovered,
    NoPolicy,
    PersonNotInsured,
    PolicyNotInForce,
    PolicyNotLongTerm,
    TierNotCovered,
    VenueClosed,
    VenueNotCovered,
)
from booking.hold import place, submit
from booking.states import BookingState
from booking.views import customer, lists
from booking.views.cards import BookingView
from marketplace.api.blueprint import Resource, credential, looks_up_who, principal
from marketplace.api.v1.offers import AnswersSlowly
from marketplace.catalog.benefit_kind import NotEligible
from marketplace.core import clock
from marketplace.core.errors import Busy, Invalid, NotFound
from marketplace.rest import idempotency
from marketplace.rest.fields import Answer, Answers, Choice, Id, Listing, Request, page_of
from marketplace.rest.json import JsonResponse
from marketplace.rest.views import reads_body, refuses
from vip.entitlements import of_customer

blueprint = Resource("bookings", __name__, description="Booking, following and cancelling.")

STATES = {"enum": [state.value for state in BookingState]}


class NewBooking(Request):
    """What to book for whom. Without `entitlement_id` the earliest-expiring benefit that fits is used.

    `venue_id` is the site where it is done, for a benefit for which somebody is sent there (an escort, say): a site
    in the city of the offer. Everything else is done at the offer's own site, and takes none."""

    offer_id = Id("ofr_3k9x0v8m5r2k7c1x9d4t", required=True)
    slot_id = Id("slt_7c1x9d4t6b3n0v8m5r2k", required=True)
    entitlement_id = Id("ent_9d4t6b3n0v8m5r2k7c1x", load_default=None, allow_none=True)
    beneficiary_id = Id("ben_5r2k7c1x9d4t6b3n0v8m", required=True)
    venue_id = Id("sit_0v8m5r2k7c1x9d4t6b3n", load_default=None, allow_none=True)
    details = Answers(
        load_default=dict, metadata={"description": "Answers to the benefit's questions; their schema is its own."}
    )


class Held(Answer):
    """A place, a unit and a price kept for ten minutes."""

    id = out.String(required=True)
    state = out.Constant("held", required=True, metadata={"type": "string", "enum": ["held"]})
    hold_expires_at = out.DateTime(required=True)


class Names(Answer):
    """A name in both languages."""

    zh = out.String(required=True)
    en = out.String(required=True)


class BookedSite(Answer):
    """The place as it was when it was booked."""

    id = out.String(required=True)
    name = out.String(required=True)
    city = out.String(required=True)
    district = out.String(required=True)
    address = out.String(required=True)
    tier = out.String(required=True, allow_none=True)


class Booking(Answer):
    """A booking. Times are UTC, null for a whole day; `time_zone` is the site's.

    `answer_due_at`: until when the provider has to answer; `change`: an open request (`cancel`).
    """

    id = out.String(required=True)
    reference = out.String(required=True, metadata={"description": "A number people can read out."})
    state = out.String(required=True, metadata=STATES)
    version = out.Integer(required=True)
    benefit = out.String(attribute="kind", required=True)
    offer_id = out.String(required=True)
    offer_name = out.Nested(Names, required=True)
    site = out.Nested(BookedSite, required=True)
    provider_name = out.Nested(Names, required=True)
    beneficiary_id = out.String(required=True)
    beneficiary_name = out.String(required=True)
    relation = out.String(required=True)
    entitlement_id = out.String(required=True)
    service_date = out.Date(required=True)
    starts_at = out.DateTime(required=True, allow_none=True)
    ends_at = out.DateTime(required=True, allow_none=True)
    time_zone = out.String(required=True)
    hold_expires_at = out.DateTime(required=True, allow_none=True)
    answer_due_at = out.DateTime(required=True, allow_none=True)
    cause = out.String(required=True)
    change = out.String(required=True, allow_none=True)
    price_minor = out.Integer(required=True)
    currency = out.String(required=True)
    report_state = out.String(required=True)
    report_due_at = out.DateTime(required=True, allow_none=True)
    created_at = out.DateTime(required=True)
    updated_at = out.DateTime(required=True)


class Moved(Answer):
    """One line of the timeline. `actor` is a kind: customer, provider, operator, agent, clock, system. A change of date
    tells the time it moved the booking to and, in `before_…`, from where; one that is asked for, the time it wants."""

    at = out.DateTime(required=True)
    state = out.String(required=True)
    actor = out.String(required=True)
    cause = out.String(required=True)
    service_date = out.Date(required=True, allow_none=True)
    starts_at = out.DateTime(required=True, allow_none=True)
    before_date = out.Date(required=True, allow_none=True)
    before_starts_at = out.DateTime(required=True, allow_none=True)


class Dispute(Answer):
    """The customer's objection to a no-show; `answer` is what the desk wrote, blank without words."""

    state = out.String(required=True, metadata={"enum": ["open", "accepted", "rejected"]})
    opened_at = out.DateTime(required=True)
    closed_at = out.DateTime(required=True, allow_none=True)
    answer = out.String(required=True)


class Proposal(Answer):
    """Another time that the provider proposes: accept or decline it before `expires_at`, after which it is declined by
    itself. `reason` is the provider's, in its words, or blank."""

    id = out.String(required=True)
    service_date = out.Date(required=True)
    starts_at = out.DateTime(required=True, allow_none=True)
    ends_at = out.DateTime(required=True, allow_none=True)
    expires_at = out.DateTime(required=True)
    reason = out.String(required=True)


class Alternative(Answer):
    """A slot that can be booked instead; `metres` as the crow flies from the lost place, null when not known.

    `venue_id` is what a booking of it names; null for what is done at the offer's own site."""

    offer_id = out.String(required=True)
    offer_name = out.Nested(Names, required=True)
    site_name = out.String(required=True)
    slot_id = out.String(required=True)
    service_date = out.Date(required=True)
    starts_at = out.DateTime(required=True, allow_none=True)
    ends_at = out.DateTime(required=True, allow_none=True)
    time_zone = out.String(required=True)
    metres = out.Integer(required=True, allow_none=True)
    same_offer = out.Boolean(required=True)
    venue_id = out.String(required=True, allow_none=True)


class FullBooking(Booking):
    """A booking with its timeline and what may be done with it now.

    `change` is `reschedule` while the provider is asked for the time in `new_…`; `change_unknown` tells that it gave
    no clear answer yet, `change_due_at` until when it may answer (unanswered, the change is taken back), `can_withdraw`
    that it can be taken back. `taking_back`: one was taken back and the provider may still have it; the date stays.
    `change_refused` is why the last request (`refused_kind`) was refused.

    `alternatives`: the nearest other slots when somebody else than the customer took the date away, or when a change or
    cancel was refused; at most three, at different times and places where there are several.

    `answers_slowly`: the provider is slower than usual while something of this booking waits for its answer. It moves
    neither `version` nor the ETag.

    What begins at once (an online consultation) has no time: `starts_at` and `ends_at` are null, `service_date` is the
    day on which it was begun, it can be cancelled until its first answer (`cancel_until` is when it ends without one)
    and never changed.
    `conversation_id` names the conversation in which it is held, null for anything else.
    """

    package = out.Dict(required=True)
    cancel_until = out.DateTime(required=True)
    can_cancel = out.Boolean(required=True)
    change_refused = out.String(required=True, allow_none=True)
    refused_kind = out.String(required=True, allow_none=True)
    change_until = out.DateTime(required=True)
    changes_left = out.Integer(required=True)
    can_change = out.Boolean(required=True)
    new_service_date = out.Date(required=True, allow_none=True)
    new_starts_at = out.DateTime(required=True, allow_none=True)
    new_ends_at = out.DateTime(required=True, allow_none=True)
    change_unknown = out.Boolean(required=True)
    change_due_at = out.DateTime(required=True, allow_none=True)
    can_withdraw = out.Boolean(required=True)
    taking_back = out.Boolean(required=True)
    no_show_uses = out.Boolean(required=True, metadata={"description": "Whether not coming uses the benefit."})
    proposal = out.Nested(Proposal, required=True, allow_none=True)
    can_dispute = out.Boolean(required=True)
    dispute_until = out.DateTime(required=True, allow_none=True)
    dispute = out.Nested(Dispute, required=True, allow_none=True)
    alternatives = out.List(out.Nested(Alternative), required=True)
    answers_slowly = out.Nested(AnswersSlowly, required=True, allow_none=True)
    report_id = out.String(required=True, allow_none=True)
    conversation_id = out.String(required=True, allow_none=True)
    longitude = out.Float(required=True, allow_none=True)
    latitude = out.Float(required=True, allow_none=True)
    timeline = out.List(out.Nested(Moved), required=True)


class BookingListing(Listing):
    """Which bookings."""

    when = Choice(
        "upcoming",
        "past",
        load_default=None,
        metadata={"description": "`upcoming`: soonest first; otherwise newest first."},
    )


VENUE_REFUSALS = (
    NoPolicy,
    PolicyNotLongTerm,
    PolicyNotInForce,
    PersonNotInsured,
    CityNotCovered,
    TierNotCovered,
    VenueNotCovered,
    VenueClosed,
)
"""Why somebody can't be sent to the venue on that day."""

REFUSALS = (
    NotFound,
    Invalid,
    NotEligible,
    refusals.SlotFull,
    refusals.SlotClosed,
    refusals.SlotPast,
    refusals.SlotMoved,
    refusals.TooManyHeld,
    refusals.OfferClosed,
    refusals.HasNoTimes,
    refusals.AlreadyBooked,
    of_customer.NoEntitlement,
    of_customer.EntitlementExhausted,
    of_customer.NotShared,
    of_customer.NotValidYet,
    of_customer.ValidityOver,
    of_customer.WrongKind,
    *VENUE_REFUSALS,
    Busy,
)

_FULL = FullBooking()


@blueprint.route("/bookings", methods=["POST"])
@looks_up_who
@reads_body
@refuses(*REFUSALS)
@blueprint.arguments(NewBooking())
@blueprint.response(201, Held, headers={"Location": {"schema": {"type": "string", "format": "uri-reference"}}})
@blueprint.doc(
    parameters=[idempotency.PARAMETER],
    responses={
        201: {
            "links": {
                operation: {"operationId": operation, "parameters": {"booking_id": "$response.body#/id"}}
                for operation in ("booking", "confirm", "cancel")
            }
        }
    },
)
def book(body: dict[str, Any]) -> Response:
    """Hold a place

    Takes a place, a unit of the benefit and the price for ten minutes; confirm it within that time. The same key with
    the same content gives the same answer, also after the hold is over.
    """
    wanted = place.HoldRequest(
        offer=body["offer_id"],
        slot=body["slot_id"],
        beneficiary=body["beneficiary_id"],
        entitlement=body["entitlement_id"],
        details=body["details"],
        venue=body["venue_id"],
    )
    key, fingerprint = idempotency.key(), idempotency.fingerprint(body)
    # Holding also signs the customer in: one trip to the database for both.
    held = place.hold(credential(), wanted, key=key, fingerprint=fingerprint, now=clock.now())
    answer = {"id": held.public_id, "state": "held", "hold_expires_at": held.expires_at.isoformat()}
    headers = {"Location": f"/api/v1/bookings/{held.public_id}"}
    return JsonResponse(orjson.dumps(answer), 201, headers)


@blueprint.route("/bookings/<id:booking_id>/confirm", methods=["POST"], endpoint="confirm")
@refuses(submit.HoldExpired, submit.NotHeld, Busy)
@blueprint.response(200, FullBooking)
def confirm_booking(booking_id: str) -> Any:
    """Submit a held booking

    It goes to the provider (`awaiting_provider`), or is firm at once where places were allotted (`confirmed`).
    Submitting twice is the same as once.
    """
    who, now = principal(), clock.now()
    submitted = submit.submit(who, booking_id, now=now)
    if submitted:
        return customer.submitted(submitted, now=now)
    return customer.booking(who, booking_id, now=now)


@blueprint.route("/bookings")
@blueprint.arguments(BookingListing(), location="query")
@blueprint.response(200, page_of(Booking))
def bookings(query: dict[str, Any]) -> Any:
    """The customer's bookings"""
    return lists.bookings(principal(), **query, now=clock.now())


@blueprint.route("/bookings/<id:booking_id>")
@blueprint.response(200, FullBooking, headers={"ETag": {"schema": {"type": "string"}}})
@blueprint.doc(
    parameters=[{"in": "header", "name": "If-None-Match", "schema": {"type": "string"}}],
    responses={304: {"description": "Nothing changed since the ETag that was sent."}},
)
def booking(booking_id: str) -> Response:
    """One booking with its timeline

    Send the `ETag` of the last answer as `If-None-Match` to ask whether anything changed.
    """
    answer = shown(customer.booking(principal(), booking_id, now=clock.now()))
    answer.make_conditional(request)
    return answer


def shown(found: BookingView) -> Response:
    """The representation with its ETag."""
    answer = jsonify(_FULL.dump(found))
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    return answer
