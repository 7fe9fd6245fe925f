"""Tokens over HTTP: RFC 6749 and 7009, and nothing to learn for whoever isn't let in."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from marketplace.app import create_app
from marketplace.clients import credentials, tokens
from marketplace.clients.credentials import Credentials
from marketplace.clients.owners import PROVIDERS
from marketplace.core import clock
from marketplace.rest import oauth
from tests.people import NOON
from tests.world import make_offer

pytestmark = pytest.mark.usefixtures("db")

TOKEN, REVOKE = "/partner/v1/oauth/token", "/partner/v1/oauth/revoke"
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    """The application."""
    return create_app()


BY = credentials.operator("t")


@pytest.fixture
def client(db: object) -> Credentials:
    """A client that may publish slots and answer bookings."""
    return credentials.add_client(make_offer()[0].code, "hall", ["slots", "bookings"], by=BY, now=NOON)


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def post(app: Flask, path: str, form: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> TestResponse:
    with clock.frozen(NOON):
        return app.test_client().post(path, data=form, headers=headers or {})


def test_a_token_is_given_for_the_secret_in_the_header_or_in_the_body(app: Flask, client: Credentials) -> None:
    in_body = {"client_id": client.client_id, "client_secret": client.secret}
    for answer in (
        post(app, TOKEN, GRANT, basic(client.client_id, client.secret)),
        post(app, TOKEN, {**GRANT, **in_body}),
    ):
        given = answer.get_json()
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
        assert (given["token_type"], given["expires_in"], given["scope"]) == ("Bearer", 3600, "bookings slots")
        assert given["expires_in"] >= 300
        assert tokens.authenticate(PROVIDERS, given["access_token"], now=NOON).scopes == {"slots", "bookings"}
        assert "refresh_token" not in given


def test_fewer_scopes_are_given_when_asked_for_and_none_that_it_has_not(app: Flask, client: Credentials) -> None:
    me = basic(client.client_id, client.secret)
    assert post(app, TOKEN, {**GRANT, "scope": "slots"}, me).get_json()["scope"] == "slots"
    for wrong in ("reports", "slots reports", "nothing"):
        answer = post(app, TOKEN, {**GRANT, "scope": wrong}, me)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_scope")


def test_who_is_not_let_in_learns_nothing(app: Flask, client: Credentials) -> None:
    ended = credentials.add_client(make_offer()[0].code, "old", ["slots"], by=BY, now=NOON)
    credentials.end_client(ended.client_id, by=BY, now=NOON)
    tries = [
        basic(client.client_id, "wrong"),
        basic("cli_nobody", client.secret),
        basic(ended.client_id, ended.secret),
        {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode()},
        {"Authorization": "Basic !!!"},
        basic("cli_\0", client.secret),
        basic("%00", client.secret),
        {},
    ]
    answers = [post(app, TOKEN, GRANT, headers) for headers in tries]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.data for answer in answers} == {answers[0].data}
    assert answers[0].get_json()["error"] == "invalid_client"
    assert all(answer.headers["WWW-Authenticate"].startswith("Basic ") for answer in answers)


@pytest.mark.parametrize(
    ("form", "query", "error"),
    [
        ({"grant_type": "password", "username": "a", "password": "b"}, "", "unsupported_grant_type"),
        ({}, "", "unsupported_grant_type"),
        ({}, "?grant_type=client_credentials", "invalid_request"),
        (GRANT, "?client_secret=in-the-log", "invalid_request"),
        ({"grant_type": ["client_credentials", "client_credentials"]}, "", "invalid_request"),
        ({**GRANT, "client_id": "cli_other", "client_secret": "another"}, "", "invalid_request"),
    ],
)
def test_what_the_standard_forbids_is_told_by_its_code(
    app: Flask, client: Credentials, form: Mapping[str, Any], query: str, error: str
) -> None:
    answer = post(app, TOKEN + query, form, basic(client.client_id, client.secret))
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)
    assert "password" not in answer.text


def test_a_token_is_revoked_at_once_and_only_by_its_client(app: Flask, client: Credentials) -> None:
    me = basic(client.client_id, client.secret)
    other = credentials.add_client(make_offer()[0].code, "other", ["slots"], by=BY, now=NOON)
    token = post(app, TOKEN, GRANT, me).get_json()["access_token"]
    stranger = post(app, REVOKE, {"token": token}, basic(other.client_id, other.secret))
    assert (stranger.status_code, tokens.authenticate(PROVIDERS, token, now=NOON).client) == (200, client.client_id)
    assert post(app, REVOKE, {"token": "never given"}, me).status_code == 200
    assert post(app, REVOKE, {"token": token}, me).status_code == 200
    with pytest.raises(tokens.Unauthenticated):
        tokens.authenticate(PROVIDERS, token, now=NOON)
    assert post(app, REVOKE, {"token": token}).status_code == 401
    assert post(app, REVOKE, {}, me).get_json()["error"] == "invalid_request"


def test_an_address_that_only_guesses_waits_and_no_other_does(app: Flask, client: Credentials) -> None:
    def guess(address: str, secret: str) -> TestResponse:
        with clock.frozen(NOON):
            return app.test_client().post(
                TOKEN, data=GRANT, headers=basic(client.client_id, secret), environ_overrides={"REMOTE_ADDR": address}
            )

    answers = [guess("192.0.2.1", "wrong") for _ in range(oauth.TRIES.capacity + 1)]
    assert [answer.status_code for answer in answers] == [401] * oauth.TRIES.capacity + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert guess("192.0.2.2", client.secret).status_code == 200
    for _ in range(oauth.TRIES.capacity + 5):
        assert guess("192.0.2.3", client.secret).status_code == 200, "what succeeds costs nothing"
