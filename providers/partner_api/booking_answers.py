"""What a provider says of a booking: `/bookings/{id}/confirm`, `/reject`, `/proposal`, `/move`, `/change/…`, `/cancel`,
and what became of the visit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response

from booking.answering import answer
from booking.answering.answer import ProvidersAnswer
from booking.attendance.complained import ComplaintOpen
from booking.changes.reschedule import OutOfDate, SameSlot
from booking.changes.withdraw import NoOpenChange
from booking.eligibility.refusals import VenueClosed
from booking.idempotency import Repeatable
from booking.refusals import HasNoTimes
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.rest import conditions, idempotency
from marketplace.rest.conditions import PreconditionRequired
from marketplace.rest.fields import Moment, Request, Text
from marketplace.rest.views import reads_body, refuses
from providers.partner_api.bookings import ETAG, PartnerBooking, answered, blueprint
from providers.partner_api.door import caller, needs

LONGEST_REASON, LONGEST_SLOT = 200, 255

Route = Callable[..., Any]


class Why(Request):
    """`reason`: one of sold_out, closed, not_eligible, too_late, unknown_slot, other, or words for the customer to
    read."""

    reason = Text(shortest=1, longest=LONGEST_REASON, required=True)


class NewTime(Request):
    """Another slot of the same offer, by your reference."""

    slot = Text(shortest=1, longest=LONGEST_SLOT, required=True)


class NewProposal(NewTime):
    """Another time for the customer to accept or decline before `expires_at`: a day from now if it is left out, or
    before either time where that is sooner. `reason` is for her to read."""

    expires_at = Moment(load_default=None)
    reason = Text(longest=LONGEST_REASON, load_default="")


COMMON = (NotFound, answer.AnsweredElsewhere, answer.NotPossibleNow, answer.CancelUnderWay, OutOfDate)
_SEEN = (answer.NotConfirmed, answer.TooEarly, answer.SaidWhereItIsDone)
"""What refuses that something is said of the visit."""
_KEY = {
    **idempotency.PARAMETER,
    "description": (
        "A value of your own, new for each answer (a UUID, say). Sent again with the same content within 24 hours it "
        "gives the same answer and does nothing more; with other content it is refused."
    ),
}
_SAFE = {"parameters": [_KEY, conditions.PARAMETER]}
_FREE = {"parameters": [_KEY, conditions.OPTIONAL]}


def _answer_at(
    path: str,
    endpoint: str,
    *refusals: type[Refusal],
    body: type[Request] | None = None,
    status: int = 200,
    versioned: bool = True,
) -> Callable[[Route], Route]:
    """A route of an answer: what all of them need, refuse and return, and the refusals and the body of this one.
    `versioned`: the version that the caller knows must be given."""

    def mark(view: Route) -> Route:
        view = blueprint.doc(**(_SAFE if versioned else _FREE))(view)
        view = blueprint.response(status, PartnerBooking, headers=ETAG)(view)
        if body is not None:
            view = reads_body(blueprint.arguments(body())(view))
        view = refuses(*COMMON, *((PreconditionRequired,) if versioned else ()), *refusals)(view)
        routed: Route = blueprint.route(f"/bookings/<id:booking_id>/{path}", methods=["POST"], endpoint=endpoint)(
            needs("bookings")(view)
        )
        return routed

    return mark


def _of(booking_id: str, body: Any, version: int | None) -> ProvidersAnswer:
    who = caller()
    repeat = Repeatable(who.scope_of_keys, idempotency.key(), idempotency.fingerprint(body))
    return ProvidersAnswer(who.provider_id, booking_id, repeat, version)


@_answer_at("confirm", "confirm")
def confirm_booking(booking_id: str) -> Response:
    """Confirm a requested booking

    Confirming what is confirmed changes nothing.
    """
    answer.confirm(_of(booking_id, {}, conditions.known_version()), now=clock.now())
    return answered(booking_id)


@_answer_at("reject", "reject", body=Why)
def reject_booking(body: dict[str, Any], booking_id: str) -> Response:
    """Reject a requested booking

    The place and the customer's benefit go back, and she is shown other times. What was confirmed is cancelled, not
    rejected.
    """
    answer.reject(_of(booking_id, body, conditions.known_version()), body["reason"], now=clock.now())
    return answered(booking_id)


@_answer_at("proposal", "propose", Invalid, SameSlot, HasNoTimes, VenueClosed, body=NewProposal)
def propose_time(body: dict[str, Any], booking_id: str) -> Response:
    """Propose another time

    The customer accepts or declines it before `expires_at`. Once she accepts it the booking is confirmed there; a
    booking that was not confirmed yet is cancelled if she declines. A new proposal replaces the one before.
    """
    canonical = {**body, "expires_at": body["expires_at"].isoformat() if body["expires_at"] else None}
    given = _of(booking_id, canonical, conditions.known_version())
    answer.propose(given, body["slot"], reason=body["reason"], expires_at=body["expires_at"], now=clock.now())
    return answered(booking_id)


@_answer_at("move", "move", SameSlot, HasNoTimes, answer.TimeDiffers, NoOpenChange, body=NewTime, status=202)
def move_booking(body: dict[str, Any], booking_id: str) -> Response:
    """Tell that you have moved a booking

    The customer was promised another time: she is told, `differences` holds `time_differs`, and a person of ours
    decides with you. Where she asked for that very time her change is accepted. To ask her first, propose the time.
    """
    answer.move(_of(booking_id, body, conditions.known_version()), body["slot"], now=clock.now())
    return answered(booking_id, 202)


@_answer_at("change/accept", "accept_change", NoOpenChange)
def accept_change(booking_id: str) -> Response:
    """Accept the date that the customer asks for

    The booking is at its new time from now on, and the old place is free.
    """
    answer.accept_change(_of(booking_id, {}, conditions.known_version()), now=clock.now())
    return answered(booking_id)


@_answer_at("change/refuse", "refuse_change", NoOpenChange, body=Why)
def refuse_change(body: dict[str, Any], booking_id: str) -> Response:
    """Refuse the date that the customer asks for

    Her old date stands.
    """
    answer.refuse_change(_of(booking_id, body, conditions.known_version()), body["reason"], now=clock.now())
    return answered(booking_id)


@_answer_at("cancel", "cancel", body=Why)
def cancel_booking(body: dict[str, Any], booking_id: str) -> Response:
    """Cancel a booking

    For what you can't keep: the customer's benefit comes back in full, and she is shown other times.
    """
    answer.cancel(_of(booking_id, body, conditions.known_version()), body["reason"], now=clock.now())
    return answered(booking_id)


@_answer_at("check-in", "check_in", *_SEEN, versioned=False)
def check_in(booking_id: str) -> Response:
    """The person is there

    From six hours before the service date begins, and once the booking is confirmed: a check-in is no yes.
    """
    return _came(booking_id, "checked_in")


@_answer_at("start", "start", *_SEEN, versioned=False)
def start(booking_id: str) -> Response:
    """The service has begun

    What was completed too soon goes on by this.
    """
    return _came(booking_id, "in_service")


@_answer_at("complete", "complete", *_SEEN, ComplaintOpen, versioned=False)
def complete(booking_id: str) -> Response:
    """The service is done

    The benefit is used by this, and a report is expected where the offer promises one. Not while the customer says that
    something is wrong: a person settles that first.
    """
    return _came(booking_id, "fulfilled")


@_answer_at("no-show", "no_show", *_SEEN, versioned=False)
def no_show(booking_id: str) -> Response:
    """Nobody came

    A later check-in or completion corrects it.
    """
    return _came(booking_id, "no_show")


def _came(booking_id: str, came: answer.Came) -> Response:
    answer.report(_of(booking_id, {}, conditions.version_if_given()), came, now=clock.now())
    return answered(booking_id)
