"""Versions in ETag and If-Match (RFC 9110, sections 8.8.3 and 13.1.1): a write is made of what its caller saw."""

from __future__ import annotations

import re

from flask import Response, request

from marketplace.core.errors import Refusal

PARAMETER = {
    "in": "header",
    "name": "If-Match",
    "required": True,
    "description": "The `ETag` of the booking as you know it; refused with 412 when it has changed since.",
    "schema": {"type": "string", "examples": ['"3"']},
}
OPTIONAL = {**PARAMETER, "required": False}

_TAG = re.compile(r'(?:W/)?"([1-9][0-9]{0,17})"')
_NONE = 0
"""A version that nothing has."""


class PreconditionRequired(Refusal):
    """An If-Match is needed, so that nobody decides on what has changed (RFC 6585, section 3)."""

    code = "precondition_required"
    status = 428
    field = "If-Match"


def known_version() -> int:
    """The version that the caller knows; one that can't be read matches nothing. Raises PreconditionRequired."""
    known = version_if_given()
    if known is None:
        raise PreconditionRequired()
    return known


def version_if_given() -> int | None:
    """The version that the caller knows, None if it does not say."""
    given = request.headers.get("If-Match")
    if given is None:
        return None
    found = _TAG.fullmatch(given.strip())
    return _NONE if found is None else int(found[1])


def with_version(answer: Response, version: int) -> Response:
    """The answer with its version as ETag; nobody else may store it."""
    answer.headers["ETag"] = f'"{version}"'
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer
