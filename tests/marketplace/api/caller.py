"""Somebody who calls the API, and what a refusal looks like."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.people import NOON
from tests.world import World
from vip.signin.signin import issue_token


@dataclass
class Caller:
    """Calls the application through WSGI with a bearer token, or without one."""

    app: Flask
    token: str | None

    @classmethod
    def of(cls, app: Flask, phone: str) -> Caller:
        """The customer with that phone."""
        return cls(app, issue_token(phone, NOON).token)

    def call(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        """One request; `path` is below /api/v1."""
        headers = {"Accept-Language": "en", **kwargs.pop("headers", {})}
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        return self.app.test_client().open(f"/api/v1{path}", method=method, headers=headers, **kwargs)

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        """GET."""
        return self.call("GET", path, **kwargs)

    def post(self, path: str, body: Any = None, **kwargs: Any) -> TestResponse:
        """POST with a JSON body, if one is given."""
        return self.call("POST", path, **({"json": body} if body is not None else {}), **kwargs)

    def book(self, body: Any, *, key: str | None = None) -> TestResponse:
        """POST /bookings with an Idempotency-Key."""
        return self.post("/bookings", body, headers={"Idempotency-Key": key or str(uuid.uuid4())})


def wanted(world: World, slot: int = 0, **changes: Any) -> dict[str, Any]:
    """The body that books one of the world's slots for the customer."""
    return {
        "offer_id": world.offer.public_id,
        "slot_id": world.slots[slot].public_id,
        "entitlement_id": world.entitlement.public_id,
        "beneficiary_id": world.beneficiary.public_id,
        "details": {},
        **changes,
    }


def problem(answer: TestResponse, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    """The problem document of a refusal, checked for its form."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    body: dict[str, Any] = answer.get_json()
    assert (body["status"], body["code"], body.get("field")) == (status, code, field), body
    assert body["type"] == f"/api/v1/problems/{code}"
    assert body["title"] and body["detail"]
    assert body["instance"] == answer.headers["X-Request-Id"]
    return body
