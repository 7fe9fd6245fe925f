"""Rehearsals in test mode: faults on demand against test bookings, for a partner's own tests: `/test/rehearsals`."""

from __future__ import annotations

from typing import Any, get_args

from flask import Response, jsonify
from marshmallow import fields as out

from booking.actors import Actor
from booking.certifying.subject import CertificationUnderWay, RehearsalUnderWay
from booking.faults.kinds import Kind
from booking.faults.plan import LARGEST_SEED, MOST_BOOKINGS
from booking.idempotency import Repeatable
from booking.rehearsals import ask, view
from booking.rehearsals.ask import NotInTestMode, Wanted
from marketplace.core import clock
from marketplace.core.errors import Busy, Invalid, NotFound
from marketplace.rehearsal_words import explained
from marketplace.rest import idempotency
from marketplace.rest.fields import Answer, Choice, Items, Number, Request, Text
from marketplace.rest.views import reads_body, refuses
from providers.partner_api.door import Resource, caller, needs

blueprint = Resource("rehearsals", __name__, description="In test mode: test bookings that faults strike on purpose.")

_STATES = {"enum": ["queued", "running", "done", "stopped"]}
_JUDGED = {"enum": ["waiting", "running", "right", "wrong", "not_tried"]}


class NewRehearsal(Request):
    """Which faults, how many test bookings, and of what. The same `seed` with the same faults and number has the same
    faults strike the same bookings in the same order; left out, it is chosen by chance and answered."""

    faults = Items(Choice(*(kind.value for kind in Kind)), least=1, most=len(Kind), required=True)
    bookings = Number(least=1, most=MOST_BOOKINGS, load_default=len(Kind))
    seed = Number(least=0, most=LARGEST_SEED, load_default=None)
    offer = Text(
        shortest=1, longest=255, load_default=None, metadata={"description": "Your reference; the first without it."}
    )


class RehearsalStep(Answer):
    """A line of a timeline: what `us`, the `partner` or the `customer` did. `facts`: status, type of event, key (the
    beginning of its SHA-256), and the like."""

    at = out.DateTime(required=True)
    by = out.String(required=True, metadata={"enum": ["us", "partner", "customer"]})
    what = out.String(required=True)
    facts = out.Dict(required=True)


class RehearsedBooking(Answer):
    """A test booking: its fault, what happened, and what it was judged, with the reason as a code and as a sentence."""

    number = out.Integer(required=True)
    fault = out.String(required=True, metadata={"enum": [kind.value for kind in Kind]})
    seconds = out.Integer(required=True)
    booking_id = out.String(required=True, allow_none=True)
    state = out.String(required=True, metadata=_JUDGED)
    reason = out.String(required=True)
    explanation = out.Function(lambda it: explained(it.reason), required=True, metadata={"type": "string"})
    steps = out.List(out.Nested(RehearsalStep), required=True)


class PartnerRehearsal(Answer):
    """A rehearsal. `passed` and `outcome` are null while it goes on. `passed`: all was tried, and right. If
    not, `outcome` says why: something was wrong (`failed`), not tried though it could be (`incomplete`), or it was
    ended before (`stopped`)."""

    id = out.String(required=True)
    state = out.String(required=True, metadata=_STATES)
    passed = out.Boolean(required=True, allow_none=True)
    outcome = out.String(required=True, allow_none=True, metadata={"enum": list(get_args(view.Outcome))})
    seed = out.Integer(required=True)
    faults = out.List(out.String(), required=True)
    bookings = out.Integer(required=True)
    right = out.Integer(required=True)
    wrong = out.Integer(required=True)
    not_tried = out.Integer(required=True)
    asked_at = out.DateTime(required=True)
    started_at = out.DateTime(required=True, allow_none=True)
    finished_at = out.DateTime(required=True, allow_none=True)
    results = out.List(out.Nested(RehearsedBooking), required=True)


_ONE = PartnerRehearsal()


@blueprint.route("/test/rehearsals", methods=["POST"])
@needs("bookings")
@reads_body
@refuses(NotInTestMode, RehearsalUnderWay, CertificationUnderWay, NotFound, Invalid, Busy)
@blueprint.arguments(NewRehearsal())
@blueprint.response(202, PartnerRehearsal)
@blueprint.doc(parameters=[idempotency.PARAMETER])
def ask_for_rehearsal(body: dict[str, Any]) -> Response:
    """Ask for a rehearsal

    Only in test mode, with a test client's token; one at a time. It makes test bookings one after another, each struck
    by one fault, and takes them back. Look at it until `passed` is true or false: about ten seconds a booking where all
    is right, a minute where nothing comes.
    """
    who = caller()
    wanted = Wanted([Kind(each) for each in body["faults"]], body["bookings"], body["seed"], body["offer"])
    repeat = Repeatable(who.scope_of_keys, idempotency.key(), idempotency.fingerprint(body))
    made = ask.ask(who.provider_id, wanted, Actor("provider", who.client), now=clock.now(), repeat=repeat)
    answer = jsonify(_ONE.dump(view.rehearsal(who.provider_id, made)))
    answer.status_code = 202
    return answer


@blueprint.route("/test/rehearsals/<id:rehearsal_id>")
@needs("bookings")
@refuses(NotFound)
@blueprint.response(200, PartnerRehearsal)
def one_rehearsal(rehearsal_id: str) -> Any:
    """One rehearsal

    What was done to each test booking, what came from you, and what it was judged.
    """
    return view.rehearsal(caller().provider_id, rehearsal_id)
