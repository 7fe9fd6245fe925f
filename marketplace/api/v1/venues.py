"""Why somebody can't be sent to a place, before anything is booked: `/sites/{id}/why-not`."""

from __future__ import annotations

from typing import Any

from marshmallow import fields as out

from booking.eligibility.why_not import why_not
from marketplace import wording
from marketplace.api.blueprint import Resource, principal
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.rest.fields import Answer, Day, Id, Request, Text
from marketplace.rest.views import refuses

blueprint = Resource("venues", __name__, description="Places to which somebody is sent.")


class Question(Request):
    """For which benefit and whom, and on which day (without one: the first on which it can be booked; where there is
    none, the first on which there is a free time)."""

    benefit = Text(longest=40, required=True, metadata={"examples": ["escort"]})
    beneficiary_id = Id("ben_5r2k7c1x9d4t6b3n0v8m", required=True)
    day = Day(load_default=None)


class Reason(Answer):
    """What stands against it. `code` is that of the refusal that a booking would meet; `detail` says what would help,
    in the language asked for."""

    code = out.String(required=True)
    title = out.String(required=True)
    detail = out.String(required=True)
    field = out.String(required=True, allow_none=True, metadata={"description": "What of the booking it is about."})


class WhyNot(Answer):
    """Everything that stands against it on `day`, the most telling first; empty where it can be booked."""

    day = out.Date(required=True)
    reasons = out.List(out.Nested(Reason), required=True)


@blueprint.route("/sites/<id:site_id>/why-not")
@refuses(NotFound, Invalid)
@blueprint.arguments(Question(), location="query")
@blueprint.response(200, WhyNot)
def reasons(query: dict[str, Any], site_id: str) -> Any:
    """Why can't it be booked here?

    For a benefit for which somebody is sent to the place, such as an escort. Nothing is held by asking.
    """
    found = why_not(principal(), query["benefit"], site_id, query["beneficiary_id"], query["day"], now=clock.now())
    return {"day": found.day, "reasons": [_reason(each) for each in found.reasons]}


def _reason(refusal: Refusal) -> dict[str, Any]:
    return {
        "code": refusal.code,
        "title": wording.title(refusal.code),
        "detail": wording.sentence(refusal),
        "field": refusal.at,
    }
