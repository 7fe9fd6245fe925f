"""Asking a doctor: `/consultations`. What is said in one is in consultation_messages.py."""

from __future__ import annotations

from typing import Any, get_args

from marshmallow import fields as out

from booking.consultation import close, place, read
from booking.consultation.at_desk.agreed import NotHersToAgree
from booking.consultation.open import Opening, open_consultation
from booking.consultation.say import ConversationClosed
from booking.hold.begin import BeginRequest, HasTimes, TooManyOpen
from booking.idempotency import Repeatable
from booking.pledges.models import OPEN
from booking.refusals import OfferClosed
from booking.states import BookingState
from marketplace.api.blueprint import Resource, principal
from marketplace.api.v1.bookings import Names
from marketplace.catalog.benefit_kind import NotEligible
from marketplace.core import clock
from marketplace.core.database.moment import by_database
from marketplace.core.errors import Busy, Invalid, NotFound
from marketplace.rest import idempotency
from marketplace.rest.fields import Answer, Answers, Choice, Id, Listing, Moment, Number, Request, Text, Truth, page_of
from marketplace.rest.views import reads_body, refuses
from vip.customers.consent import ConsentMissing
from vip.entitlements import of_customer

blueprint = Resource("consultations", __name__, description="Asking a doctor by text and pictures.")

_MOST = 2**53 - 1


class NewConsultation(Request):
    """Whom it is about, and who should answer. Without `entitlement_id` the earliest-expiring benefit that fits is
    used."""

    offer_id = Id("ofr_3k9x0v8m5r2k7c1x9d4t", required=True)
    beneficiary_id = Id("ben_5r2k7c1x9d4t6b3n0v8m", required=True)
    entitlement_id = Id("ent_9d4t6b3n0v8m5r2k7c1x", load_default=None, allow_none=True)
    department = Text(
        longest=40,
        load_default="",
        metadata={"description": "A code of the offer's package; blank for the general one.", "examples": ["general"]},
    )
    language = Choice("zh", "en", required=True)
    show_reports = Truth(
        load_default=False,
        metadata={
            "description": "The doctor may see earlier reports of every provider, in this consultation alone."
            " Only those of the customer herself or of a child."
        },
    )
    details = Answers(
        load_default=dict, metadata={"description": "Answers to the benefit's questions; their schema is its own."}
    )


class Clinician(Answer):
    """A doctor, by the name and the title that were verified."""

    id = out.String(required=True)
    name = out.String(required=True)
    title = out.Nested(Names, required=True)


class Consultation(Answer):
    """A consultation. `state`: waiting (nobody has answered yet), open or closed.

    `last_seq` is the number of its newest message, `read_seq` that of the last one read here, `unread` counts what the
    customer has not read. It may be opened again until `reopen_until`; null: it can't be.
    """

    id = out.String(required=True)
    booking_id = out.String(required=True)
    booking_state = out.String(required=True, metadata={"enum": [state.value for state in BookingState]})
    state = out.String(required=True, metadata={"enum": ["waiting", "open", "closed"]})
    beneficiary_id = out.String(required=True)
    beneficiary_name = out.String(required=True)
    relation = out.String(required=True)
    provider_name = out.Nested(Names, required=True)
    offer_name = out.Nested(Names, required=True)
    department = out.String(required=True)
    department_name = out.Nested(Names, required=True)
    language = out.String(required=True, metadata={"enum": ["zh", "en"]})
    clinician = out.Nested(Clinician, required=True, allow_none=True)
    last_seq = out.Integer(required=True)
    read_seq = out.Integer(required=True)
    unread = out.Integer(required=True)
    opened_at = out.DateTime(required=True)
    first_message_at = out.DateTime(required=True, allow_none=True)
    first_answer_at = out.DateTime(required=True, allow_none=True)
    closed_at = out.DateTime(required=True, allow_none=True)
    reopen_until = out.DateTime(required=True, allow_none=True)


class OneConsultation(Consultation):
    """One consultation. `others_read`: how far the doctors have read; `typing`: whether one is typing just now.
    `signs`: codes of the signs of an emergency that were found in her words: show at once what to do, with 120 to
    call."""

    others_read = out.Integer(required=True)
    typing = out.Boolean(required=True)
    signs = out.List(out.String(), required=True)


class Promised(Answer):
    """The clock of what is pledged: a person's first answer `seconds` after her first message. `state`: pending,
    at_risk, met, breached or cancelled; `given`: how many uses a broken one gave."""

    state = out.String(required=True, metadata={"enum": [*OPEN, "met", "breached", "cancelled"]})
    seconds = out.Integer(required=True)
    begun_at = out.DateTime(required=True)
    due_at = out.DateTime(required=True)
    ended_at = out.DateTime(required=True, allow_none=True)
    given = out.Integer(required=True)


class WaitingPlace(Answer):
    """Where she stands while she waits. `position` 1 is next, null: it does not wait; `seconds`: about how long until a
    doctor takes it, null where that can't be said; `on_shift`: how many doctors could, null where they answer in their
    provider's own system. `pledge`: the clock, null before
    her first message. Where nobody is on shift she has a `choice`; a call-back ends by `call_back_until`."""

    position = out.Integer(required=True, allow_none=True)
    seconds = out.Integer(required=True, allow_none=True)
    on_shift = out.Integer(required=True, allow_none=True)
    pledge = out.Nested(Promised, required=True, allow_none=True)
    choice = out.String(required=True, allow_none=True, metadata={"enum": [*get_args(place.Choice), None]})
    call_back_at = out.DateTime(required=True, allow_none=True)
    call_back_until = out.DateTime(required=True)


class Chosen(Request):
    """What she does while nobody is there. `call_back_at` with `call_back` alone."""

    choice = Choice(*get_args(place.Choice), required=True)
    call_back_at = Moment(load_default=None, allow_none=True)


class UpTo(Request):
    """How far the customer has read."""

    seq = Number(least=0, most=_MOST, required=True)


class ReadMark(Answer):
    """How far she has read now; it never goes back."""

    read_seq = out.Integer(required=True)


@blueprint.route("/consultations", methods=["POST"])
@reads_body
@refuses(
    NotFound,
    Invalid,
    ConsentMissing,
    HasTimes,
    OfferClosed,
    NotEligible,
    TooManyOpen,
    NotHersToAgree,
    of_customer.NoEntitlement,
    of_customer.EntitlementExhausted,
    of_customer.NotShared,
    of_customer.NotValidYet,
    of_customer.ValidityOver,
    of_customer.WrongKind,
    Busy,
)
@blueprint.arguments(NewConsultation())
@blueprint.response(
    201, OneConsultation, headers={"Location": {"schema": {"type": "string", "format": "uri-reference"}}}
)
@blueprint.doc(
    parameters=[idempotency.PARAMETER],
    responses={
        201: {
            "links": {
                operation: {"operationId": operation, "parameters": {"consultation_id": "$response.body#/id"}}
                for operation in ("consultation", "messages", "say")
            }
        }
    },
)
def ask_doctor(body: dict[str, Any]) -> Any:
    """Open a consultation

    Reserves a unit. The first message begins what is pledged: the time until a doctor's first answer.
    """
    who, now = principal(), clock.now()
    wanted = BeginRequest(body["offer_id"], body["beneficiary_id"], body["entitlement_id"], body["details"])
    # as without it where it is false, as every client of before leaves it
    sent = {name: value for name, value in body.items() if name != "show_reports" or value}
    repeat = Repeatable(who.public_id, idempotency.key(), idempotency.fingerprint(sent))
    opening = Opening(wanted, body["department"], body["language"], body["show_reports"])
    opened = open_consultation(who, opening, repeat, now=now)
    found = read.conversation_of(who, opened.conversation, now)
    return found, 201, {"Location": f"/api/v1/consultations/{opened.conversation}"}


@blueprint.route("/consultations")
@blueprint.arguments(Listing(), location="query")
@blueprint.response(200, page_of(Consultation))
def consultations(query: dict[str, Any]) -> Any:
    """The customer's consultations

    Newest first, without a word of what was said.
    """
    return read.conversations(principal(), **query)


@blueprint.route("/consultations/<id:consultation_id>")
@refuses(ConsentMissing)
@blueprint.response(200, OneConsultation)
def consultation(consultation_id: str) -> Any:
    """One consultation"""
    return read.conversation_of(principal(), consultation_id, clock.now())


@blueprint.route("/consultations/<id:consultation_id>/read", methods=["POST"])
@reads_body
@refuses(ConsentMissing, Busy)
@blueprint.arguments(UpTo())
@blueprint.response(200, ReadMark)
def read_up_to(body: dict[str, Any], consultation_id: str) -> Any:
    """Say how far she has read"""
    return {"read_seq": read.mark_read(principal(), consultation_id, body["seq"], clock.now())}


@blueprint.route("/consultations/<id:consultation_id>/typing", methods=["POST"])
@refuses(ConsentMissing, Busy)
@blueprint.response(204)
def typing(consultation_id: str) -> None:
    """Say that she is typing

    Send it every few seconds while she does; more often does nothing more.
    """
    read.typing(principal(), consultation_id, clock.now())


@blueprint.route("/consultations/<id:consultation_id>/reopen", methods=["POST"])
@refuses(ConsentMissing, close.ReopeningOver, Busy)
@blueprint.response(200, OneConsultation)
def reopen(consultation_id: str) -> Any:
    """Open a closed consultation again

    Within 24 hours of its end, with the unit that it has used. Twice is the same as once.
    """
    who = principal()
    close.reopen(who, consultation_id, now=by_database)
    return read.conversation_of(who, consultation_id, clock.now())


@blueprint.route("/consultations/<id:consultation_id>/place")
@refuses(ConsentMissing)
@blueprint.response(200, WaitingPlace)
def consultation_place(consultation_id: str) -> Any:
    """Where she stands in the queue

    With the clock of what is pledged, and what she chose while nobody is on shift.
    """
    return place.place(principal(), consultation_id, now=clock.now())


@blueprint.route("/consultations/<id:consultation_id>/choice", methods=["POST"])
@reads_body
@refuses(ConsentMissing, Invalid, ConversationClosed, Busy)
@blueprint.arguments(Chosen())
@blueprint.response(200, WaitingPlace)
def choose(body: dict[str, Any], consultation_id: str) -> Any:
    """Say what she does while nobody is there

    Wait, be called back, or go to an emergency department. None of it gives up what is pledged.
    """
    who, now = principal(), clock.now()
    place.choose(who, consultation_id, body["choice"], call_back_at=body["call_back_at"], now=now)
    return place.place(who, consultation_id, now=now)
