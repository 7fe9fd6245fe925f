"""Somebody who looks at the pages through WSGI, with the cookies of one browser."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from marketplace.web.cookies import SIGNED_IN
from tests.people import NOON
from vip.signin.signin import issue_token

_HIDDEN = re.compile(r'name="(csrf_token|desk)" value="([^"]+)"')


@dataclass
class Visitor:
    """A browser. `language` is what it asks for."""

    app: Flask
    language: str = "en"
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    @classmethod
    def signed_in(cls, app: Flask, phone: str, language: str = "en") -> Visitor:
        """The customer with that phone."""
        visitor = cls(app, language)
        visitor.client.set_cookie(SIGNED_IN.name, issue_token(phone, NOON).token)
        return visitor

    def get(self, path: str, **more: Any) -> TestResponse:
        """One page."""
        headers = {"Accept-Language": self.language, **more.pop("headers", {})}
        return self.client.get(path, headers=headers, **more)

    def post(self, path: str, page: str = "/me", **fields: str) -> TestResponse:
        """Send a form with the token that `page` carries, and the desk for which it was drawn."""
        return self.send(path, {**self.hidden(page), **fields})

    def hidden(self, page: str) -> dict[str, str]:
        """What every form of `page` carries unseen."""
        found = dict(_HIDDEN.findall(self.get(page).text))
        assert "csrf_token" in found, f"{page} has no form"
        return found

    def send(self, path: str, fields: dict[str, str]) -> TestResponse:
        """Send a form as it is."""
        return self.client.post(path, data=fields, headers={"Accept-Language": self.language})


def words(answer: TestResponse) -> str:
    """What stands on a page, without its tags."""
    body = re.sub(r"(?s)<(script|svg|head)\b.*?</\1>", " ", answer.text)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def main(answer: TestResponse) -> str:
    """The words inside <main>."""
    found = re.search(r"(?s)<main\b.*</main>", answer.text)
    assert found is not None
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<svg\b.*?</svg>", " ", found[0]))).split())
