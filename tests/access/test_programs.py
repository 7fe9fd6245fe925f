"""What programs are refused before anything else: a header that shows nothing, a scope, a key. Who may ask what:
tests/access/table."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import Engine

from marketplace.app import create_app
from marketplace.clients.owners import SCOPES
from marketplace.core import clock
from marketplace.rest.programs import scope_of
from tests.access.table.customer_api import CUSTOMER_API
from tests.access.table.insurer_api import INSURER_API
from tests.access.table.partner_api import PARTNER_API
from tests.people import NOON, make_insurer
from tests.providers.partner_api.partner import partner_of
from tests.world import make_offer
from vip.operators.operators import create_admin, sign_in_operator
from vip.signin.limits import InMemory

PARTNER = {row.route: row.scope for row in PARTNER_API}
"""Routes of providers' programs, with the scope that each needs."""
INSURER = {row.route: row.scope for row in INSURER_API}
"""The same of insurers' programs."""
CUSTOMER = {row.route for row in CUSTOMER_API}
BY_CLIENT_SECRET = [f"POST /{api}/v1/oauth/{what}" for api in ("partner", "insurer") for what in ("token", "revoke")]


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    """The application."""
    return create_app()


@pytest.mark.parametrize(("route", "scope"), sorted((PARTNER | INSURER).items()))
def test_a_programs_route_needs_its_scope(app: Flask, route: str, scope: str) -> None:
    method, rule = route.split(" ")
    [found] = [each for each in app.url_map.iter_rules() if each.rule == rule and method in (each.methods or ())]
    assert scope_of(app.view_functions[found.endpoint]) == scope


@pytest.mark.parametrize("header", [None, "Bearer ", "Bearer nobody", "Basic eDp5", "bearer\tx", "Bearer \x80\xff"])
def test_a_route_of_customers_or_programs_answers_401_to_who_shows_nothing(
    app: Flask, db: Engine, header: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InMemory, "take", lambda *_key: 1)  # all of these come from one address
    monkeypatch.setattr(InMemory, "look", lambda *_key: None)
    for route in sorted(CUSTOMER | set(PARTNER) | set(INSURER)):
        method, rule = route.split(" ")
        path = re.sub(r"<[^>]+>", "bkg_00000000000000000000", re.sub(r"<int[^>]+>", "0", rule))
        answer = app.test_client().open(
            path, method=method, data=b"not json", headers={"Authorization": header} if header else {}
        )
        assert (answer.status_code, answer.content_type) == (401, "application/problem+json"), route
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), route


@pytest.mark.parametrize("route", sorted(BY_CLIENT_SECRET))
def test_a_token_is_nothing_for_who_shows_no_secret(app: Flask, db: Engine, route: str) -> None:
    answer = app.test_client().post(route.split(" ")[1], data={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(("route", "scope"), sorted(PARTNER.items()))
def test_a_program_needs_the_scope_of_the_route(app: Flask, db: Engine, route: str, scope: str) -> None:
    method, rule = route.split(" ")
    path = re.sub(r"<[^>]+>", "bkg_00000000000000000000", rule).removeprefix("/partner/v1")
    program = partner_of(app, make_offer()[0], *(set(SCOPES) - {scope}))
    answer = program.send(method, path, data=b"not json")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "insufficient_scope")
    assert answer.get_json()["facts"] == {"scope": scope}


WITHOUT_A_KEY = {"POST /partner/v1/slots"}
"""Each of its lines has a key and a version."""
PARTNERS_WRITES = sorted(route for route in PARTNER if not route.startswith("GET ") and route not in WITHOUT_A_KEY)


@pytest.mark.parametrize("route", PARTNERS_WRITES)
def test_a_partners_write_needs_a_key_and_says_so(app: Flask, db: Engine, route: str) -> None:
    method, rule = route.split(" ")
    path = re.sub(r"<[^>]+>", "bkg_00000000000000000000", rule).removeprefix("/partner/v1")
    answer = partner_of(app, make_offer()[0]).send(method, path, headers={"Idempotency-Key": ""})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "idempotency_key_missing")
    described = app.test_client().get("/partner/v1/openapi.json").get_json()["paths"]
    operation = described[re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule)][method.lower()]
    assert "Idempotency-Key" in [each["name"] for each in operation["parameters"]]


def test_an_operator_is_no_customer(app: Flask, db: Engine) -> None:
    make_insurer()
    create_admin("admin", "a long password", "Admin", now=NOON)
    token = sign_in_operator("admin", "a long password", now=NOON).token
    with clock.frozen(NOON):
        answer = app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")
