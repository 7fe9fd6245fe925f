"""An insurer's program that calls the insurer's API."""

from __future__ import annotations

import base64
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from marketplace.clients import credentials
from marketplace.clients.credentials import Credentials
from marketplace.clients.owners import INSURERS, INSURERS_SCOPES
from marketplace.core import clock
from tests.people import NOON, make_insurer
from tests.providers.partner_api.partner import Partner

API = "/insurer/v1"


def client_of(code: str = "", *scopes: str) -> Credentials:
    """A new client of the installation's insurer, or the one with this code, with these scopes (all by default)."""
    by = credentials.operator("test", INSURERS)
    return credentials.add_client(
        code or make_insurer().code, "core system", list(scopes or INSURERS_SCOPES), by=by, now=NOON
    )


def ask_token(app: Flask, made: Credentials, api: str = API, **form: Any) -> TestResponse:
    """The answer of the token endpoint to this client; client credentials unless another grant is named."""
    basic = base64.b64encode(f"{made.client_id}:{made.secret}".encode()).decode()
    with clock.frozen(NOON):
        return app.test_client().post(
            f"{api}/oauth/token",
            data={"grant_type": "client_credentials", **form},
            headers={"Authorization": f"Basic {basic}"},
        )


def program_of(app: Flask, code: str = "", *scopes: str) -> Partner:
    """A program with a token."""
    answer = ask_token(app, client_of(code, *scopes))
    return Partner(app, answer.get_json()["access_token"], api=API)
