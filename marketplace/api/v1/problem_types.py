"""What each problem's `type` leads to: `/problems/{code}`."""

from __future__ import annotations

from typing import Any

from marshmallow import fields as out

from marketplace import wording
from marketplace.api.blueprint import Resource
from marketplace.core.errors import NotFound
from marketplace.refusal_words.every import WORDS
from marketplace.rest.fields import Answer
from marketplace.rest.views import public

blueprint = Resource("problems", __name__, description="What the codes of refusals mean.")


class ProblemType(Answer):
    """A kind of refusal, in the language asked for."""

    code = out.String(required=True)
    title = out.String(required=True)


@blueprint.route("/problems/<id:code>")
@public
@blueprint.response(200, ProblemType)
def problem_type(code: str) -> Any:
    """What a code means"""
    if code not in WORDS:
        raise NotFound(field="code")
    return {"code": code, "title": wording.title(code)}
