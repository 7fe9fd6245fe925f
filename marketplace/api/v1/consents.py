"""Consent of the adults of the family: `/me/family/{id}/consent`."""

from __future__ import annotations

from typing import Any

from marshmallow import fields as out

from marketplace.api.blueprint import Resource, principal
from marketplace.api.v1.sessions import PHONE, CodeSent
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, TooMany
from marketplace.rest.fields import Answer, Choice, Request, Text
from marketplace.rest.views import reads_body, refuses
from vip.customers import consent
from vip.signin import codes
from vip.signin.turns import Crowded

blueprint = Resource(
    "consents", __name__, description="Whether an adult relative agrees that her reports are fetched and shown."
)


class Asked(Request):
    """The person's own mobile number; a code goes there, with what it is for."""

    phone = Text(shortest=1, longest=40, required=True, metadata={**PHONE, "examples": ["13900000001"]})


class Proof(Request):
    """The number, and the code that the person passed on."""

    phone = Text(shortest=1, longest=40, required=True, metadata={**PHONE, "examples": ["13900000001"]})
    code = Text(shortest=1, longest=24, required=True, metadata={"examples": ["480213"]})


class Consent(Answer):
    """Where it stands. `state`: not_needed (herself, or under 18), missing or given. `dispatch_given_at`: since when
    whoever is sent to her, such as an escort, may be told what was answered for it; null where that is not agreed."""

    beneficiary_id = out.String(required=True)
    state = out.String(required=True, metadata={"enum": ["not_needed", "missing", "given"]})
    given_at = out.DateTime(required=True, allow_none=True)
    method = out.String(required=True)
    dispatch_given_at = out.DateTime(required=True, allow_none=True)


class Which(Request):
    """To what: that her reports are shown, or that whoever is sent to her is told what was answered."""

    purpose = Choice(consent.REPORTS, consent.DISPATCH, load_default=consent.REPORTS)


@blueprint.route("/me/family/<id:beneficiary_id>/consent")
@blueprint.response(200, Consent)
def get(beneficiary_id: str) -> Any:
    """Where a person's consent stands

    Without it, reports of an adult relative are neither fetched nor shown; bookings go on as usual.
    """
    found = consent.consents(principal(), clock.now()).get(beneficiary_id)
    if found is None:
        raise NotFound(field="beneficiary_id")
    return found


@blueprint.route("/me/family/<id:beneficiary_id>/consent/codes", methods=["POST"])
@reads_body
@refuses(TooMany, Crowded, consent.ConsentNotNeeded)
@blueprint.arguments(Asked())
@blueprint.response(202, CodeSent)
def ask(body: dict[str, str], beneficiary_id: str) -> Any:
    """Ask an adult relative for consent

    A text to her phone says who asks and for what, with a code of six digits, good for five minutes.
    """
    return consent.ask_consent(principal(), beneficiary_id, body["phone"], now=clock.now())


@blueprint.route("/me/family/<id:beneficiary_id>/consent", methods=["POST"])
@reads_body
@refuses(TooMany, Crowded, codes.WrongCode, codes.CodeEnded, consent.ConsentNotNeeded)
@blueprint.arguments(Proof())
@blueprint.response(201, Consent)
def give(body: dict[str, str], beneficiary_id: str) -> Any:
    """Record the consent

    The code that she passed on proves it.
    """
    consent.give_consent(principal(), beneficiary_id, body["phone"], body["code"], now=clock.now())
    return consent.consents(principal(), clock.now())[beneficiary_id]


@blueprint.route("/me/family/<id:beneficiary_id>/consent", methods=["DELETE"])
@refuses(Invalid)
@blueprint.arguments(Which(), location="query")
@blueprint.response(204)
def withdraw(query: dict[str, Any], beneficiary_id: str) -> None:
    """Withdraw a consent

    Her reports are hidden at once and fetched no more. With `purpose=dispatch`, what was answered for her bookings that
    have not begun is shown to their providers no more.
    """
    consent.withdraw_consent(principal(), beneficiary_id, now=clock.now(), purpose=query["purpose"])
