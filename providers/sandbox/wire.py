"""Requests read and answers written, as the protocol has them. What it does not allow raises Problem 400 or 422."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Response, request

from providers.sandbox.bookings import Reply
from providers.sandbox.problems import Problem


def as_json(payload: Any, status: int = 200) -> Response:
    """An answer."""
    return Response(
        json.dumps(payload, ensure_ascii=False, separators=(",", ":")), status, content_type="application/json"
    )


def answered(reply: Reply) -> Response:
    """The answer to a command, a refusal too."""
    response = as_json(reply.document, reply.status)
    if reply.status >= 400:
        response.content_type = "application/problem+json"
    return response


def read_body(*required: str) -> dict[str, Any]:
    """The body, in which these are texts."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Problem(400, "invalid", "The body is not a JSON object")
    for name in required:
        if not isinstance(body.get(name), str) or not body[name]:
            raise Problem(422, "invalid", f"{name} is missing or not text")
    return body


def read_key() -> str:
    """The idempotency key."""
    key = request.headers.get("Idempotency-Key", "")
    if not 1 <= len(key) <= 255:
        raise Problem(400, "invalid", "The header Idempotency-Key is missing or longer than 255 characters")
    return key


def check_person(body: Mapping[str, Any]) -> None:
    """The body says for whom it is."""
    person = body.get("person")
    if not isinstance(person, dict) or person.get("sex") not in ("male", "female") or not person.get("name"):
        raise Problem(422, "invalid", "person needs name, sex and birth_date")
    read_date(str(person.get("birth_date")), "birth_date")


def read_date(text: str, name: str) -> date:
    """A date of the request."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Problem(422, "invalid", f"{name} is not a date") from error


def read_number(name: str, default: int, low: int, high: int) -> int:
    """A number of the address."""
    text = request.args.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise Problem(422, "invalid", f"{name} must be a number from {low} to {high}")
    return int(text)
