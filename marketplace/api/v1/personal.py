"""The customer's data: `/me/copies`, `/me/erasure`."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields as out

from booking.personal import erase, export
from marketplace.api.blueprint import Resource, principal
from marketplace.core import clock
from marketplace.core.errors import Invalid, TooMany
from marketplace.rest.fields import Answer, Request, Truth, page_of
from marketplace.rest.views import reads_body, refuses
from vip.signin.signin import SignInAgain

BYTES = {"type": "string", "format": "binary"}
ZIP = "application/zip"

blueprint = Resource("personal", __name__, description="A copy of everything that is stored about the customer.")


class Copy(Answer):
    """A copy. `state`: asked (it is being prepared), ready or failed; `size` is in bytes."""

    id = out.String(required=True)
    state = out.String(required=True, metadata={"enum": ["asked", "ready", "failed"]})
    asked_at = out.DateTime(required=True)
    ready_at = out.DateTime(required=True, allow_none=True)
    expires_at = out.DateTime(required=True, allow_none=True)
    size = out.Integer(required=True)


class Sure(Request):
    """`sure` must be true: what is deleted can't be brought back."""

    sure = Truth(required=True, metadata={"examples": [True]})


class Stays(Answer):
    """What must stay. `what`: process (what was booked), medical (results) or books (ledger and audit, which name
    nobody); `until` is its last day, null where it is not limited."""

    what = out.String(required=True, metadata={"enum": ["process", "medical", "books"]})
    until = out.Date(required=True, allow_none=True)


class Erasure(Answer):
    """What an erasure leaves."""

    stays = out.List(out.Nested(Stays), required=True)


@blueprint.route("/me/copies", methods=["POST"])
@refuses(TooMany)
@blueprint.response(202, Copy)
def ask_copy() -> Any:
    """Ask for a copy of everything

    One that is being prepared already is returned as it is.
    """
    return export.ask_copy(principal(), now=clock.now())


@blueprint.route("/me/copies")
@blueprint.response(200, page_of(Copy))
def list_copies() -> Any:
    """The copies that are being prepared or can be fetched

    The newest first.
    """
    return {"items": export.copies(principal(), now=clock.now()), "next": None}


@blueprint.route("/me/copies/<id:copy_id>/file")
@refuses(SignInAgain)
@blueprint.response(200, BYTES, content_type=ZIP)
def copy_file(copy_id: str) -> Response:
    """The copy as a ZIP

    One JSON file for each subject, and the papers of reports as they were delivered. It is given to a session that was
    opened by a code within the last 15 minutes, and each time is recorded.
    """
    found = export.open_copy(principal(), copy_id, now=clock.now())
    answer = Response(found.parts, content_type=ZIP, headers={"Content-Disposition": "attachment"})
    answer.content_length = found.size
    return answer


@blueprint.route("/me/erasure")
@refuses(erase.UnderWay)
@blueprint.response(200, Erasure)
def preview_erasure() -> Any:
    """What would stay if everything else about the customer were deleted"""
    return {"stays": erase.preview(principal())}


@blueprint.route("/me/erasure", methods=["POST"])
@reads_body
@refuses(SignInAgain, erase.UnderWay)
@blueprint.arguments(Sure())
@blueprint.response(200, Erasure)
def erase_me(body: dict[str, bool]) -> Any:
    """Delete everything about the customer that may go

    For good. All her sessions end, this one too. It takes a session that was opened by a code within the last 15
    minutes, and no booking under way.
    """
    _require_sure(body)
    return {"stays": erase.erase(principal(), now=clock.now())}


@blueprint.route("/me/family/<id:beneficiary_id>/erasure", methods=["POST"])
@reads_body
@refuses(SignInAgain, erase.UnderWay)
@blueprint.arguments(Sure())
@blueprint.response(200, Erasure)
def erase_person(body: dict[str, bool], beneficiary_id: str) -> Any:
    """Delete what may go of a relative who was removed from the family"""
    _require_sure(body)
    return {"stays": erase.erase(principal(), now=clock.now(), person=beneficiary_id)}


def _require_sure(body: dict[str, bool]) -> None:
    if not body["sure"]:
        raise Invalid(field="sure", reason="required")
