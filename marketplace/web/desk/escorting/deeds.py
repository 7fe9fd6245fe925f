"""Deeds as a worker's phone sends them, some at once; each has an answer of its own."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request

from booking.consultation.intake.bounds import LARGEST
from booking.escorting.take import Answer, take
from marketplace import wording
from marketplace.core import strictjson
from marketplace.core.database.moment import by_database
from marketplace.core.errors import Busy, Invalid, Refusal, TooMany
from marketplace.edge import LARGE_FORM
from marketplace.web.answers import Views
from marketplace.web.desk.session import member

_FORM_BYTES = LARGEST + 512 * 1024
"""A picture, and what is told with it."""
_PICTURE = "picture-"
_LATER = (TooMany.code, Busy.code)
"""Refusals after which the same deed is taken a little later."""


def escort_deeds(assignment: str) -> Response:
    """Take `deeds`, a list in JSON, with the pictures `picture-<key>`. The answers are in its order."""
    try:
        told = strictjson.loads(request.form.get("deeds", "").encode("utf-8", "surrogatepass"))
        if not isinstance(told, list):
            raise Invalid(field="deeds", reason="list")
        files = {
            name.removeprefix(_PICTURE): sent.stream.read()
            for name, sent in request.files.items()
            if name.startswith(_PICTURE)
        }
        answers = take(member(), assignment, told, files, now=by_database)
    except (Invalid, strictjson.NotJson) as refusal:
        answer = jsonify(error=wording.sentence(refusal), field=refusal.at)
        answer.status_code = refusal.status
        return answer
    return jsonify(deeds=[_told(each) for each in answers])


def _told(answer: Answer) -> dict[str, Any]:
    if answer.taken is not None:
        it = answer.taken
        return {
            "key": answer.key,
            "taken": {
                "id": it.id,
                "number": it.number,
                "doubt": it.doubt,
                "position": it.position,
                "by_code": it.by_code,
                "repeated": it.repeated,
            },
        }
    refusal = answer.refused or Refusal()
    return {
        "key": answer.key,
        "refused": {
            "code": refusal.code,
            "field": refusal.at,
            "error": wording.sentence(refusal),
            "again": refusal.code in _LATER,
            "retry_after": refusal.facts.get("retry_after"),
        },
    }


setattr(escort_deeds, LARGE_FORM, _FORM_BYTES)

VIEWS: Views = {"escort_deeds": escort_deeds}
