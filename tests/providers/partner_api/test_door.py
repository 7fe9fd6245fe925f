"""Tokens that nobody has, at the door of the partner API: counted, and refused before the database is asked."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import Engine, text, update
from werkzeug.test import TestResponse

from marketplace.clients import tokens
from marketplace.clients.credentials import fingerprint
from marketplace.clients.models import ApiToken
from marketplace.core import clock
from marketplace.core.database.db import transaction
from marketplace.rest import programs
from tests.people import NOON
from tests.providers.partner_api.partner import Partner, partner_of
from tests.statements import statements_sent
from tests.world import make_offer
from vip.signin.limits import InMemory, Limit

pytestmark = pytest.mark.usefixtures("db")
FEW = Limit(3, 1)
"""An hour for the next one: a slow machine fills nothing."""
FLOOD, ELSEWHERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three wrong ones at most."""
    monkeypatch.setattr(programs, "strangers", InMemory(FEW))


@pytest.fixture
def partner(app: Flask) -> Partner:
    """A program with a token."""
    return partner_of(app, make_offer()[0])


def ask(app: Flask, token: str, address: str = FLOOD) -> TestResponse:
    with clock.frozen(NOON):
        return app.test_client().get(
            "/partner/v1/events",
            headers={"Authorization": f"Bearer {token}"},
            environ_overrides={"REMOTE_ADDR": address},
        )


def flood(app: Flask) -> None:
    """Use up what an address may get wrong."""
    assert [ask(app, f"rubbish{n}").status_code for n in range(FEW.capacity)] == [401] * FEW.capacity


def test_a_flood_of_rubbish_is_refused_before_the_database_is_asked(app: Flask) -> None:
    flood(app)
    with statements_sent() as statements:
        answer = ask(app, "rubbish")
    assert (answer.status_code, answer.get_json()["code"]) == (429, "too_many")
    assert int(answer.headers["Retry-After"]) >= 1
    assert statements == []
    assert ask(app, "rubbish", ELSEWHERE).status_code == 401


def test_a_client_behind_the_address_of_a_flood_is_let_in_also_with_a_token_never_used(
    app: Flask, partner: Partner
) -> None:
    flood(app)
    assert ask(app, "rubbish").status_code == 429
    for _ in range(FEW.capacity + 2):
        assert ask(app, partner.token).status_code == 200
    assert ask(app, partner_of(app, make_offer()[0]).token).status_code == 200


def test_a_mark_is_not_to_be_guessed_and_a_token_of_before_marks_is_still_good(app: Flask, partner: Partner) -> None:
    secret, _, mark = partner.token.partition(".")
    assert tokens.is_marked(partner.token)
    for forged in (
        secret,
        f"{secret}.",
        f"{secret}.{mark[:-1]}",
        f"x{secret}.{mark}",
        f".{mark}",
        "",
        "\ud800.x",
        "é.é",
    ):
        assert not tokens.is_marked(forged)
    with transaction() as session:
        session.execute(update(ApiToken).values(token_hash=fingerprint(secret)))
    assert ask(app, secret).status_code == 200
    flood(app)
    assert ask(app, secret).status_code == 429, "without a mark it is one of the address's"


def test_a_token_that_is_over_is_counted_by_itself(app: Flask, partner: Partner) -> None:
    other = partner_of(app, make_offer()[0])
    with transaction() as session:
        session.execute(update(ApiToken).where(ApiToken.token_hash == fingerprint(partner.token)).values(ended_at=NOON))
    answers = [ask(app, partner.token).status_code for _ in range(FEW.capacity + 1)]
    assert answers == [401] * FEW.capacity + [429]
    assert ask(app, other.token).status_code == 200
    assert ask(app, "rubbish").status_code == 401


def test_looking_takes_nothing(db: Engine) -> None:
    bucket = InMemory(FEW)
    for _ in range(10):
        bucket.look(b"one", 100.0)
    for _ in range(FEW.capacity):
        bucket.take(b"one", 100.0)
    with pytest.raises(programs.TooMany):
        bucket.look(b"one", 100.0)
    bucket.look(b"one", 100.0 + 3600)
    with db.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM rate_bucket")).scalar_one() == 0
