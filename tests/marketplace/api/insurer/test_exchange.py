"""Token exchange at the insurer's token endpoint: a customer's session for what her insurer's app has signed."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from marketplace.api.insurer.exchange import GRANT, ISSUED, JWT, audience
from marketplace.core import clock
from tests.marketplace.api.insurer.program import ask_token, client_of
from tests.people import NOON, make_customer
from tests.providers.partner_api.partner import Partner
from tests.vip.insurers.app import AUDIENCE, THEIRS, InsurersApp, insurers_app, signed
from vip.insurers.bring import EACH_CUSTOMER
from vip.models import Customer

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def customer() -> Customer:
    """Whom the app has signed in."""
    return make_customer()


@pytest.fixture
def ours(customer: Customer) -> InsurersApp:
    """Her insurer's app."""
    return insurers_app()


def exchange(app: Flask, ours: InsurersApp, token: str, **form: Any) -> TestResponse:
    sent = {"grant_type": GRANT, "subject_token": token, "subject_token_type": JWT, **form}
    return ask_token(app, ours.credentials, **{name: value for name, value in sent.items() if value is not None})


def test_a_signed_in_customer_comes_without_a_code_and_needs_one_for_all_her_data(
    app: Flask, customer: Customer, ours: InsurersApp
) -> None:
    assert audience() == AUDIENCE
    answer = exchange(app, ours, signed(), requested_token_type=ISSUED)
    given = answer.get_json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert set(given) == {"access_token", "issued_token_type", "token_type", "expires_in"}
    assert (given["token_type"], given["issued_token_type"], given["expires_in"]) == ("Bearer", ISSUED, 43_200)
    her = Partner(app, given["access_token"], api="/api/v1")
    assert her.get("/me").get_json()["id"] == customer.public_id
    copy = her.post("/me/copies")
    assert copy.status_code == 202
    refused = her.post("/me/erasure", json={"sure": True})
    assert (refused.status_code, refused.get_json()["code"]) == (403, "sign_in_again")
    with clock.frozen(NOON):  # it is hers, and none of the insurer's API
        stranger = app.test_client().get(
            "/insurer/v1/policies/p-1", headers={"Authorization": f"Bearer {given['access_token']}"}
        )
    assert stranger.status_code == 401


def test_what_is_not_believed_says_why_and_the_same_token_is_not_taken_twice(app: Flask, ours: InsurersApp) -> None:
    insurers_app("other", THEIRS, policy=False)
    token = signed()
    assert exchange(app, ours, token).status_code == 200
    told = {
        "used before": exchange(app, ours, token),
        "signature": exchange(app, ours, signed(key=THEIRS)),
        "aud": exchange(app, ours, signed(aud="https://bank.example")),
        "not be over": exchange(app, ours, signed(exp=int(NOON.timestamp()))),
        "no policy": exchange(app, ours, signed(sub="p-2")),
        "subject_token": exchange(app, ours, "", subject_token=None),
        JWT: exchange(app, ours, signed(), subject_token_type="urn:ietf:params:oauth:token-type:saml2"),
        ISSUED: exchange(app, ours, signed(), requested_token_type=JWT),
        "no more": exchange(app, ours, signed(), actor_token="x"),
    }
    for word, answer in told.items():
        body = answer.get_json()
        assert (answer.status_code, body["error"]) == (400, "invalid_request"), word
        assert word in body["error_description"] and token not in answer.text
    without = ask_token(
        app, client_of("", "policies"), grant_type=GRANT, subject_token=signed(), subject_token_type=JWT
    )
    assert (without.status_code, without.get_json()["error"]) == (400, "unauthorized_client")


def test_the_partner_api_exchanges_nothing(app: Flask, ours: InsurersApp) -> None:
    answer = ask_token(app, ours.credentials, api="/partner/v1", grant_type=GRANT, subject_token=signed())
    assert (answer.status_code, answer.get_json()["error"]) == (400, "unsupported_grant_type")


def test_one_customer_is_brought_so_often_and_then_it_is_said_when_again(app: Flask, ours: InsurersApp) -> None:
    answers = [exchange(app, ours, signed()) for _ in range(EACH_CUSTOMER.capacity + 1)]
    assert [each.status_code for each in answers] == [200] * EACH_CUSTOMER.capacity + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
