"""Signing in and out: `/sessions`."""

from __future__ import annotations

from typing import Any

from flask import request
from marshmallow import fields as out

from marketplace.api.blueprint import Resource, principal
from marketplace.core import clock
from marketplace.core.errors import TooMany
from marketplace.rest.fields import Answer, Request, Text
from marketplace.rest.views import public, reads_body, refuses
from vip.signin import codes, signin
from vip.signin.limits import Caller
from vip.signin.turns import Crowded

blueprint = Resource("sessions", __name__, description="Signing in by phone and one-time code, and signing out.")

PHONE = {"description": "A mobile number: 11 digits in mainland China, else with + and country code."}


class CodeRequest(Request):
    """Where to send a code."""

    phone = Text(shortest=1, longest=40, required=True, metadata={**PHONE, "examples": ["13800000001"]})


class CodeSent(Answer):
    """The same answer whether or not a customer has this number."""

    expires_at = out.DateTime(required=True)
    resend_after_seconds = out.Integer(required=True)


class SignIn(Request):
    """A phone and the code that was sent to it."""

    phone = Text(shortest=1, longest=40, required=True, metadata={**PHONE, "examples": ["13800000001"]})
    code = Text(shortest=1, longest=24, required=True, metadata={"examples": ["480213"]})


class SignedIn(Answer):
    """A session. `token` is shown this once; send it as `Authorization: Bearer …`."""

    token = out.String(required=True)
    token_type = out.Constant("Bearer", required=True, metadata={"type": "string", "enum": ["Bearer"]})
    expires_at = out.DateTime(required=True)
    customer_id = out.String(attribute="customer_public_id", required=True)


@blueprint.route("/sessions/codes", methods=["POST"])
@public
@reads_body
@refuses(TooMany, Crowded)
@blueprint.arguments(CodeRequest())
@blueprint.response(202, CodeSent)
def send_code(body: dict[str, str]) -> Any:
    """Send a one-time code

    Six digits, good for five minutes. Within 60 seconds of a code the answer is the same and no other is sent; codes
    that were sent stay good. Who asks too often is refused; others are not. Send the token of this device's last
    session along, if there is one: a known device is not held up by what strangers ask for.
    """
    return signin.send_code(body["phone"], now=clock.now(), caller=_caller(), known_by=_token())


@blueprint.route("/sessions", methods=["POST"])
@public
@reads_body
@refuses(codes.WrongCode, codes.CodeEnded, TooMany, Crowded)
@blueprint.arguments(SignIn())
@blueprint.response(201, SignedIn)
def sign_in(body: dict[str, str]) -> Any:
    """Sign in

    A token that is sent along ends its own session: sessions are rotated at sign-in.
    """
    return signin.sign_in(
        body["phone"],
        body["code"],
        channel="api",
        now=clock.now(),
        previous_token=_token(),
        caller=_caller(),
    )


@blueprint.route("/sessions/current", methods=["DELETE"])
@blueprint.response(204)
def sign_out() -> None:
    """End this session"""
    signin.sign_out(principal(), clock.now())


@blueprint.route("/sessions", methods=["DELETE"])
@blueprint.response(204)
def sign_out_everywhere() -> None:
    """End all sessions of this customer, on every device"""
    signin.sign_out_everywhere(principal(), clock.now())


def _caller() -> Caller:
    return Caller(request.remote_addr or "")


def _token() -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
