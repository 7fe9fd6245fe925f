"""The customer's data: `/me/copies`."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields as out

from booking.personal import export
from marketplace.api.blueprint import Resource, principal, refuses
from marketplace.api.fields import Answer, page_of
from marketplace.core import clock
from marketplace.core.errors import TooMany
from vip.signin import SignInAgain

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


@blueprint.route("/me/copies", methods=["POST"])
@refuses(TooMany)
@blueprint.response(202, Copy)
def ask() -> Any:
    """Ask for a copy of everything

    One that is being prepared already is returned as it is.
    """
    return export.ask_copy(principal(), now=clock.now())


@blueprint.route("/me/copies")
@blueprint.response(200, page_of(Copy))
def copies() -> Any:
    """The copies that are being prepared or can be fetched

    The newest first.
    """
    return {"items": export.copies(principal(), now=clock.now()), "next": None}


@blueprint.route("/me/copies/<id:copy_id>/file")
@refuses(SignInAgain)
@blueprint.response(200, BYTES, content_type=ZIP)
def file(copy_id: str) -> Response:
    """The copy as a ZIP

    One JSON file for each subject, and the papers of reports as they were delivered. It is given to a session that was
    opened within the last 15 minutes, and each time is recorded.
    """
    found = export.open_copy(principal(), copy_id, now=clock.now())
    answer = Response(found.parts, content_type=ZIP, headers={"Content-Disposition": "attachment"})
    answer.content_length = found.size
    return answer
