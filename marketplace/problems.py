"""Problem details (RFC 9457) for every answer that is a no.

Members: `type` (resolves to a page that explains the code), `title`, `status`, `detail`, `code` (stable, documented),
`instance` (the request's number, to quote when asking), and where inputs are at fault `field` and `errors`, a list of
{`field`, `pointer` | `parameter` | `header`, `detail`}. Never a stack trace, never what the caller sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as member
from typing import Any, Literal

from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from marketplace import wording
from marketplace.core.errors import Refusal
from marketplace.core.text import Text

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "/api/v1/problems/"

_CODES = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    429: "too_many",
    503: "unavailable",
}

Where = Literal["body", "query", "header"]
_HEADERS = ("Idempotency-Key", "If-Match")


@dataclass(frozen=True)
class FieldError:
    """One input at fault: its path (`details.note`), where it stood, and the key of its words in `reason_words`."""

    path: str
    where: Where
    reason: str


class InvalidRequest(Refusal):
    """The request breaks its schema; `errors` says where, in the schema's order."""

    code = "invalid"
    status = 422

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(field=errors[0].path if errors else None)
        self.errors = errors


@dataclass(frozen=True)
class Problem:
    """What went wrong, ready for JSON or for a page."""

    status: int
    code: str
    title: str
    detail: str
    reference: str
    field: str | None = None
    errors: Sequence[Mapping[str, str]] = ()
    facts: Mapping[str, Any] = member(default_factory=dict)
    headers: Mapping[str, str] = member(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The members of the problem document."""
        members: dict[str, Any] = {
            "type": TYPE_PREFIX + self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "instance": self.reference,
        }
        if self.field:
            members["field"] = self.field
        if self.errors:
            members["errors"] = list(self.errors)
        if self.facts:
            members["facts"] = self.facts
        return members


def reference() -> str:
    """The number of the current request."""
    return str(g.get("request_id", ""))


def of_refusal(refusal: Refusal) -> Problem:
    """A refusal as a problem, in the language of the request."""
    headers = {}
    if refusal.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    if "retry_after" in refusal.facts:
        headers["Retry-After"] = str(refusal.facts["retry_after"])
    errors = [_told(error) for error in refusal.errors] if isinstance(refusal, InvalidRequest) else []
    if refusal.at and not errors:
        where: Where = "header" if refusal.at in _HEADERS else _place()
        errors = [_pointed(refusal.at, where, wording.sentence(refusal))]
    return Problem(
        status=refusal.status,
        code=refusal.code,
        title=wording.title(refusal.code),
        detail=wording.sentence(refusal),
        reference=reference(),
        field=refusal.at,
        errors=errors,
        facts={
            name: fact._asdict() if isinstance(fact, Text) else fact
            for name, fact in refusal.facts.items()
            if name != "field"
        },
        headers=headers,
    )


def of_http(error: HTTPException) -> Problem:
    """Werkzeug's own refusals (404, 405, 413 …) as a problem."""
    status = error.code or 500
    code = _CODES.get(status, "bad_request" if status < 500 else "internal")
    allowed = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return plain(code, status, headers=allowed)


def plain(code: str, status: int, *, headers: Mapping[str, str] | None = None) -> Problem:
    """A problem that is told by its code alone."""
    return Problem(
        status=status,
        code=code,
        title=wording.title(code),
        detail=wording.sentence_of(code, {"reference": reference()}),
        reference=reference(),
        headers=headers or {},
    )


def response(problem: Problem) -> Response:
    """The problem as an HTTP answer."""
    answer = Response(
        json.dumps(problem.body(), ensure_ascii=False, default=_plain_fact), problem.status, content_type=MEDIA_TYPE
    )
    answer.headers.update(problem.headers)
    answer.headers["Cache-Control"] = "no-store"
    answer.vary.add("Accept-Language")
    return answer


def _plain_fact(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _place() -> Where:
    return "query" if request.method in ("GET", "HEAD", "DELETE") else "body"


def _told(error: FieldError) -> dict[str, str]:
    return _pointed(error.path, error.where, wording.reason(error.reason))


def _pointed(path: str, where: Where, detail: str) -> dict[str, str]:
    if where == "header":
        return {"field": path, "header": path, "detail": detail}
    if where == "query":
        return {"field": path, "parameter": path, "detail": detail}
    parts = [] if path == "body" else path.split(".")
    pointer = "#" + "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)
    return {"field": path, "pointer": pointer, "detail": detail}
