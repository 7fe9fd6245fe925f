"""A customer's browser without a browser: Flask's client with the forms' hidden fields."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from marketplace.web.cookies import SIGNED_IN
from tests.people import NOON
from vip.signin.signin import issue_token


@dataclass
class Surfer:
    """A client that is signed in, and sends forms as its pages would."""

    client: FlaskClient

    def get(self, path: str, **options: Any) -> TestResponse:
        """The page."""
        return self.client.get(path, **options)

    def post(self, path: str, **fields: str | bytes) -> TestResponse:
        """Send a form as a page of this browser would."""
        return self.client.post(path, data={"csrf_token": self.token(), **fields})

    def token(self) -> str:
        """What the forms of this browser's pages carry."""
        secret = "seen by nobody"
        with self.client.session_transaction() as session:
            session["csrf_token"] = secret
        key = self.client.application.secret_key
        assert isinstance(key, str)
        return str(URLSafeTimedSerializer(key, salt="wtf-csrf-token").dumps(secret))


def surfer(app: Flask, phone: str) -> Surfer:
    """The browser of the customer with that phone."""
    client = app.test_client()
    client.set_cookie(SIGNED_IN.name, issue_token(phone, NOON).token)
    client.set_cookie("lang", "en")
    return Surfer(client)


def text_of(answer: TestResponse) -> str:
    """The page as read: no tags, spaces single."""
    body = re.sub(r"<(script|style).*?</\1>", " ", answer.get_data(as_text=True), flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


def hidden(answer: TestResponse, name: str) -> str:
    """The value of a form's field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.get_data(as_text=True))
    assert found is not None, f"no field {name}"
    return unescape(found[1])
