"""Every route stands in this table, and does what the table says to somebody who is not signed in."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import Engine

from marketplace.app import create_app
from marketplace.core import clock
from providers.clients.scopes import SCOPES
from providers.partner_api.door import scope_of
from tests.people import NOON, make_insurer
from tests.providers.partner_api.partner import partner_of
from tests.world import make_offer
from vip.operators.operators import create_admin, sign_in_operator

PUBLIC = {
    "GET /healthz",
    "GET /readyz",
    "GET /api/v1/openapi.json",
    "GET /partner/v1/openapi.json",
    "GET /api/v1/problems/<id:code>",
    "POST /api/v1/sessions/codes",
    "POST /api/v1/sessions",
}
FOR_WHO_HAS_A_SETTING = {"GET /metrics"}
SIGNED_BY_PROVIDER = {"POST /partner/v1/webhooks/<id:code>"}
BY_CLIENT_SECRET = {"POST /partner/v1/oauth/token", "POST /partner/v1/oauth/revoke"}
PARTNER = {
    "POST /partner/v1/slots": "slots",
    "GET /partner/v1/slots": "slots",
    "POST /partner/v1/slots/snapshots": "slots",
    "GET /partner/v1/slots/snapshots/<id:snapshot_id>": "slots",
    "POST /partner/v1/slots/snapshots/<id:snapshot_id>/complete": "slots",
    "GET /partner/v1/bookings": "bookings",
    "GET /partner/v1/events": "bookings",
    "GET /partner/v1/bookings/<id:booking_id>": "bookings",
    "POST /partner/v1/bookings/<id:booking_id>/confirm": "bookings",
    "POST /partner/v1/bookings/<id:booking_id>/reject": "bookings",
    "POST /partner/v1/bookings/<id:booking_id>/proposal": "bookings",
    "POST /partner/v1/bookings/<id:booking_id>/move": "bookings",
    "POST /partner/v1/bookings/<id:booking_id>/change/accept": "bookings",
    "POST /partner/v1/bookings/<id:booking_id>/change/refuse": "bookings",
    "POST /partner/v1/bookings/<id:booking_id>/cancel": "bookings",
    "POST /partner/v1/bookings/<id:booking_id>/check-in": "bookings",
    "POST /partner/v1/bookings/<id:booking_id>/start": "bookings",
    "POST /partner/v1/bookings/<id:booking_id>/complete": "bookings",
    "POST /partner/v1/bookings/<id:booking_id>/no-show": "bookings",
    "GET /partner/v1/offers": "offers",
    "GET /partner/v1/offers/<string(maxlength=255):reference>": "offers",
    "PUT /partner/v1/offers/<string(maxlength=255):reference>": "offers",
    "GET /partner/v1/pools": "offers",
    "PUT /partner/v1/pools/<string(maxlength=255):reference>": "offers",
    "POST /partner/v1/bookings/<id:booking_id>/reports": "reports",
    "GET /partner/v1/bookings/<id:booking_id>/reports": "reports",
    "POST /partner/v1/webhook-endpoints": "webhooks",
    "GET /partner/v1/webhook-endpoints": "webhooks",
    "GET /partner/v1/webhook-endpoints/<id:endpoint_id>": "webhooks",
    "PUT /partner/v1/webhook-endpoints/<id:endpoint_id>": "webhooks",
    "DELETE /partner/v1/webhook-endpoints/<id:endpoint_id>": "webhooks",
    "POST /partner/v1/webhook-endpoints/<id:endpoint_id>/secrets": "webhooks",
    "DELETE /partner/v1/webhook-endpoints/<id:endpoint_id>/secrets/<id:secret_id>": "webhooks",
    "GET /partner/v1/webhook-endpoints/<id:endpoint_id>/deliveries": "webhooks",
    "POST /partner/v1/webhook-endpoints/<id:endpoint_id>/deliveries/<id:delivery_id>/replay": "webhooks",
    "POST /partner/v1/webhook-endpoints/<id:endpoint_id>/replay": "webhooks",
}
"""Routes of providers' programs, with the scope that each needs."""
CUSTOMER = {
    "DELETE /api/v1/sessions/current",
    "DELETE /api/v1/sessions",
    "GET /api/v1/me",
    "GET /api/v1/me/family",
    "POST /api/v1/me/copies",
    "GET /api/v1/me/copies",
    "GET /api/v1/me/copies/<id:copy_id>/file",
    "GET /api/v1/me/erasure",
    "POST /api/v1/me/erasure",
    "POST /api/v1/me/family/<id:beneficiary_id>/erasure",
    "GET /api/v1/entitlements",
    "GET /api/v1/sites",
    "GET /api/v1/offers",
    "GET /api/v1/offers/<id:offer_id>/slots",
    "POST /api/v1/bookings",
    "POST /api/v1/bookings/<id:booking_id>/confirm",
    "POST /api/v1/bookings/<id:booking_id>/cancel",
    "POST /api/v1/bookings/<id:booking_id>/dispute",
    "POST /api/v1/bookings/<id:booking_id>/reschedule",
    "POST /api/v1/bookings/<id:booking_id>/reschedule/withdraw",
    "POST /api/v1/bookings/<id:booking_id>/proposal/accept",
    "POST /api/v1/bookings/<id:booking_id>/proposal/decline",
    "GET /api/v1/bookings",
    "GET /api/v1/bookings/<id:booking_id>",
    "POST /api/v1/waiting",
    "GET /api/v1/waiting",
    "GET /api/v1/waiting/<id:waiting_id>",
    "DELETE /api/v1/waiting/<id:waiting_id>",
    "GET /api/v1/reports",
    "GET /api/v1/reports/compare",
    "GET /api/v1/reports/trends",
    "GET /api/v1/reports/<id:report_id>",
    "DELETE /api/v1/reports/<id:report_id>",
    "GET /api/v1/reports/<id:report_id>/document",
    "GET /api/v1/reports/<id:report_id>/papers/<int(max=99):position>",
    "GET /api/v1/reports/<id:report_id>/fhir",
    "GET /api/v1/reports/<id:report_id>/shares",
    "POST /api/v1/reports/<id:report_id>/shares",
    "DELETE /api/v1/reports/<id:report_id>/shares/<id:share_id>",
    "GET /api/v1/me/family/<id:beneficiary_id>/consent",
    "POST /api/v1/me/family/<id:beneficiary_id>/consent/codes",
    "POST /api/v1/me/family/<id:beneficiary_id>/consent",
    "DELETE /api/v1/me/family/<id:beneficiary_id>/consent",
    "GET /api/v1/notifications",
    "GET /api/v1/me/notifications",
    "PUT /api/v1/me/notifications",
    "POST /api/v1/me/calendar-feed",
    "DELETE /api/v1/me/calendar-feed",
    "POST /api/v1/notifications/read",
    "POST /api/v1/notifications/<id:notification_id>/read",
}


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    """The application."""
    return create_app()


def routes(app: Flask) -> set[str]:
    """`METHOD rule` of every route for programs."""
    return {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(("/api/", "/partner/", "/healthz", "/readyz", "/metrics"))
    }


def test_every_route_stands_in_the_table(app: Flask) -> None:
    without_a_token = PUBLIC | FOR_WHO_HAS_A_SETTING | SIGNED_BY_PROVIDER | BY_CLIENT_SECRET
    assert routes(app) == without_a_token | CUSTOMER | set(PARTNER)


@pytest.mark.parametrize("route", sorted(PARTNER))
def test_a_partners_route_needs_its_scope(app: Flask, route: str) -> None:
    method, rule = route.split(" ")
    [found] = [each for each in app.url_map.iter_rules() if each.rule == rule and method in (each.methods or ())]
    assert scope_of(app.view_functions[found.endpoint]) == PARTNER[route]


@pytest.mark.parametrize("route", sorted(CUSTOMER | set(PARTNER)))
@pytest.mark.parametrize("header", [None, "Bearer ", "Bearer nobody", "Basic eDp5", "bearer\tx", "Bearer \x80\xff"])
def test_a_route_of_customers_or_partners_answers_401_to_anybody_else(
    app: Flask, db: Engine, route: str, header: str | None
) -> None:
    method, rule = route.split(" ")
    path = re.sub(r"<[^>]+>", "bkg_00000000000000000000", re.sub(r"<int[^>]+>", "0", rule))
    answer = app.test_client().open(
        path, method=method, data=b"not json", headers={"Authorization": header} if header else {}
    )
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


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
