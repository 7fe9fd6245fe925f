"""A provider's program that calls the partner API."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from marketplace.catalog.models import Provider
from marketplace.clients import credentials
from marketplace.clients.owners import SCOPES
from marketplace.core import clock
from tests.people import NOON

NDJSON = "application/x-ndjson"


_lock, _sending, _clock = Lock(), 0, ExitStack()


@contextmanager
def _stopped(moment: datetime) -> Iterator[None]:
    """The clock stopped while any thread sends; the one that stops it first and the one that ends last need not be the
    same. All who send at once send at the same moment."""
    global _sending
    with _lock:
        if _sending == 0:
            _clock.enter_context(clock.frozen(moment))
        _sending += 1
    try:
        yield
    finally:
        with _lock:
            _sending -= 1
            if _sending == 0:
                _clock.close()


@dataclass
class Partner:
    """A program with a token; `language` is what it asks for, `api` where it asks."""

    app: Flask
    token: str
    language: str = "en"
    now: datetime = NOON
    headers: Mapping[str, str] = field(default_factory=dict)
    api: str = "/partner/v1"

    def send(self, method: str, path: str, **sent: Any) -> TestResponse:
        """One request with the token, a write with a new key unless one is given."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Language": self.language, **self.headers}
        headers |= sent.pop("headers", {})
        if method != "GET":
            headers.setdefault("Idempotency-Key", str(uuid.uuid4()))
        with _stopped(self.now):
            return self.app.test_client().open(f"{self.api}{path}", method=method, headers=headers, **sent)

    def get(self, path: str, **sent: Any) -> TestResponse:
        """GET."""
        return self.send("GET", path, **sent)

    def post(self, path: str, **sent: Any) -> TestResponse:
        """POST."""
        return self.send("POST", path, **sent)

    def publish(self, lines: Iterable[Any], snapshot: str | None = None) -> list[dict[str, Any]]:
        """Publish slots; the answer to each line, in order. Bytes are sent as they are."""
        query = f"?snapshot={snapshot}" if snapshot else ""
        answer = self.post(f"/slots{query}", data=ndjson(lines), content_type=NDJSON)
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.data.splitlines()][:-1]


def ndjson(lines: Iterable[Any]) -> bytes:
    """The body of a call."""
    return b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)


def partner_of(app: Flask, provider: Provider, *scopes: str, language: str = "en", now: datetime = NOON) -> Partner:
    """A new client of the provider with these scopes (all of them if none is named) and its token."""
    made = credentials.add_client(
        provider.code, "program", list(scopes or SCOPES), by=credentials.operator("test"), now=now
    )
    basic = base64.b64encode(f"{made.client_id}:{made.secret}".encode()).decode()
    with clock.frozen(now):
        answer = app.test_client().post(
            "/partner/v1/oauth/token",
            data={"grant_type": "client_credentials"},
            headers={"Authorization": f"Basic {basic}"},
        )
    return Partner(app, answer.get_json()["access_token"], language, now)
