"""Changing a booking: `/bookings/{id}/cancel`, `/reschedule`, `/reschedule/withdraw`, `/proposal/…`, `/dispute`."""

from __future__ import annotations

from typing import Any

from flask import request

from booking import refusals
from booking.attendance import disputes
from booking.changes import cancel, proposals, reschedule, withdraw
from booking.idempotency import Repeatable
from booking.views import customer
from marketplace.api.blueprint import principal
from marketplace.api.v1.bookings import VENUE_REFUSALS, FullBooking, blueprint, shown
from marketplace.catalog.benefit_kind import NotEligible
from marketplace.core import clock
from marketplace.core.database.moment import by_database
from marketplace.core.errors import Busy, IdempotencyKeyReused, Invalid, NotFound
from marketplace.rest import idempotency
from marketplace.rest.fields import Id, Request, Text
from marketplace.rest.views import reads_body, refuses
from vip.entitlements import of_customer


class ProposalAnswer(Request):
    """Which proposal is meant: the one that the booking showed."""

    proposal_id = Id("prp_3k9x0v8m5r2k7c1x9d4t", required=True)


class NewDispute(Request):
    """What happened, in the customer's words."""

    words = Text(shortest=1, longest=disputes.LONGEST, required=True)


class NewDate(Request):
    """Another slot of the same offer."""

    slot_id = Id("slt_7c1x9d4t6b3n0v8m5r2k", required=True)


CHANGE_REFUSALS = (
    NotFound,
    Invalid,
    NotEligible,
    refusals.SlotFull,
    refusals.SlotPast,
    refusals.SlotClosed,
    refusals.OfferClosed,
    refusals.HasNoTimes,
    refusals.AlreadyBooked,
    of_customer.NotValidYet,
    of_customer.ValidityOver,
    *VENUE_REFUSALS,
    IdempotencyKeyReused,
    Busy,
)


@blueprint.route("/bookings/<id:booking_id>/cancel", methods=["POST"], endpoint="cancel")
@refuses(cancel.CancelTooLate, cancel.NotCancellable, Busy)
@blueprint.response(200, FullBooking)
def cancel_booking(booking_id: str) -> Any:
    """Cancel a booking

    At once where nothing can be live at the provider (`cancelled`), else asked of the provider: then `change` is
    `cancel` and the booking stands until the answer. Cancelling twice is the same as once.
    """
    cancel.cancel(principal(), booking_id, now=clock.now(), pledged=by_database)
    return customer.booking(principal(), booking_id, now=clock.now())


@blueprint.route("/bookings/<id:booking_id>/reschedule", methods=["POST"], endpoint="reschedule")
@reads_body
@refuses(
    *CHANGE_REFUSALS,
    reschedule.NotChangeable,
    reschedule.ChangeTooLate,
    reschedule.NoChangesLeft,
    reschedule.SameSlot,
    reschedule.OutOfDate,
)
@blueprint.arguments(NewDate())
@blueprint.response(200, FullBooking)
@blueprint.doc(
    parameters=[
        idempotency.PARAMETER,
        {
            "in": "header",
            "name": "If-Match",
            "schema": {"type": "string"},
            "description": "The `ETag` of the booking as you know it; refused with 412 when it has changed since.",
        },
    ]
)
def reschedule_booking(body: dict[str, Any], booking_id: str) -> Any:
    """Ask for another date

    A place at the new time is taken and the provider asked: `change` is `reschedule`. Until it agrees the old date
    stands; then both are switched at once. Where places were allotted that is at once. Refused or without a clear
    answer, the old date stands.
    """
    who, now = principal(), clock.now()
    repeat = Repeatable(who.public_id, idempotency.key(), idempotency.fingerprint(body))
    version = None
    if "If-Match" in request.headers:  # one that can't be read matches nothing
        known = customer.booking(who, booking_id, now=now)
        if not request.if_match.contains_weak(shown(known).get_etag()[0] or ""):
            raise reschedule.OutOfDate()
        version = known.version
    reschedule.reschedule(who, booking_id, body["slot_id"], now=now, repeat=repeat, version=version)
    return customer.booking(who, booking_id, now=clock.now())


@blueprint.route("/bookings/<id:booking_id>/reschedule/withdraw", methods=["POST"], endpoint="withdraw_reschedule")
@refuses(withdraw.NoOpenChange, Busy)
@blueprint.response(200, FullBooking)
def withdraw_reschedule(booking_id: str) -> Any:
    """Take a change of date back

    The date stays, whatever the provider answers. One that it may have is over once its end is known: `taking_back`.
    Asking again meanwhile is the same as once.
    """
    withdraw.withdraw(principal(), booking_id, now=clock.now())
    return customer.booking(principal(), booking_id, now=clock.now())


@blueprint.route("/bookings/<id:booking_id>/proposal/accept", methods=["POST"])
@reads_body
@refuses(*CHANGE_REFUSALS, proposals.ProposalOver, reschedule.NotChangeable, reschedule.SameSlot, refusals.SlotMoved)
@blueprint.arguments(ProposalAnswer())
@blueprint.response(200, FullBooking)
@blueprint.doc(parameters=[idempotency.PARAMETER])
def accept_proposal(body: dict[str, Any], booking_id: str) -> Any:
    """Accept the time that the provider proposes

    A place at that time is taken and the provider asked to move the booking there: `change` is `reschedule` until it
    has. It counts as none of the customer's changes and is not bound to `change_until`. A booking that was not
    confirmed yet is confirmed by it. Accepting twice is the same as once.
    """
    who, now = principal(), clock.now()
    repeat = Repeatable(who.public_id, idempotency.key(), idempotency.fingerprint({**body, "answer": "accept"}))
    proposals.accept(who, booking_id, body["proposal_id"], now=now, repeat=repeat)
    return customer.booking(who, booking_id, now=clock.now())


@blueprint.route("/bookings/<id:booking_id>/proposal/decline", methods=["POST"])
@reads_body
@refuses(NotFound, Invalid, proposals.ProposalOver, IdempotencyKeyReused, Busy)
@blueprint.arguments(ProposalAnswer())
@blueprint.response(200, FullBooking)
@blueprint.doc(parameters=[idempotency.PARAMETER])
def decline_proposal(body: dict[str, Any], booking_id: str) -> Any:
    """Decline the time that the provider proposes

    A confirmed booking keeps its date and the provider is told. One that was not confirmed yet has no date to keep: it
    is cancelled and the benefit comes back. Declining twice is the same as once.
    """
    who, now = principal(), clock.now()
    repeat = Repeatable(who.public_id, idempotency.key(), idempotency.fingerprint({**body, "answer": "decline"}))
    proposals.decline(who, booking_id, body["proposal_id"], now=now, repeat=repeat)
    return customer.booking(who, booking_id, now=clock.now())


@blueprint.route("/bookings/<id:booking_id>/dispute", methods=["POST"], endpoint="dispute")
@reads_body
@refuses(disputes.NotDisputable, disputes.DisputeTooLate, Invalid, Busy)
@blueprint.arguments(NewDispute())
@blueprint.response(200, FullBooking)
def dispute_no_show(body: dict[str, Any], booking_id: str) -> Any:
    """Dispute a no-show

    Once, within 14 days. The desk answers: `dispute` says how it stands. Disputing twice is the same as once.
    """
    disputes.dispute(principal(), booking_id, body["words"], now=clock.now())
    return customer.booking(principal(), booking_id, now=clock.now())
