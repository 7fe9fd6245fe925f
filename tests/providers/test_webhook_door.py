"""Who has no signature learns nothing at the webhook, not even which providers there are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from marketplace.app import create_app
from marketplace.core import clock, crypto
from tests.people import NOON
from tests.statements import statements_sent
from tests.world import make_offer, set_provider

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLw2a"
LONG_AGO, NOW = (int(each.timestamp()) for each in (datetime(2020, 1, 1, tzinfo=UTC), NOON))


@pytest.fixture(scope="module")
def app(worker_database: Any) -> Flask:
    """The application."""
    return create_app()


@pytest.fixture
def known(db: Engine) -> list[str]:
    """The codes of a provider that signs its events, of one that has no secret yet, of one whose system sends none,
    and of one that is paused."""
    codes = []
    for values in (
        {"signs": True},
        {},
        {"adapter": "day_capacity"},
        {"signs": True, "paused_at": NOON},
    ):
        provider, _offer, _slots = make_offer()
        if values.pop("signs", False):
            values["webhook_secrets_sealed"] = [crypto.seal_master(SECRET, f"provider:{provider.code}:webhook")]
        if values:
            set_provider(provider, **values)
        codes.append(provider.code)
    return codes


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"webhook-id": "evt_1", "webhook-timestamp": str(NOW), "webhook-signature": "v1,AAAA"},
        {"webhook-id": "evt_1", "webhook-timestamp": str(LONG_AGO), "webhook-signature": "v1,AAAA"},
        {"webhook-id": "", "webhook-timestamp": "soon", "webhook-signature": "nonsense"},
    ],
)
@pytest.mark.parametrize("body", [b"", b"{", b'{"type": "booking.confirmed", "data": {}}', b"\xff" * 100])
def test_a_known_code_and_an_unknown_one_are_answered_alike(
    app: Flask, known: list[str], headers: dict[str, str], body: bytes
) -> None:
    answers = []
    with clock.frozen(NOON), statements_sent() as sent:
        for code in ("nobody", *known):
            answer = app.test_client().post(f"/partner/v1/webhooks/{code}", data=body, headers=headers)
            said = {name: value for name, value in answer.get_json().items() if name != "instance"}
            named = sorted((name, value) for name, value in answer.headers if name != "X-Request-Id")
            answers.append((answer.status_code, said, named))
    assert answers[0][0] == 401
    assert answers == [answers[0]] * 5
    assert not [
        text for text in sent if text.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE", "SELECT NEXT"))
    ]
