"""Clients of providers, their secrets and tokens: shown once, two at most, ended at once."""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from marketplace.clients import credentials, tokens
from marketplace.clients.credentials import (
    Credentials,
    TwoSecrets,
    add_client,
    add_secret,
    end_client,
    end_secret,
    fingerprint,
    operator,
    secret_of,
)
from marketplace.clients.listing import clients_of
from marketplace.clients.models import ApiClient
from marketplace.clients.owners import PROVIDERS
from marketplace.core import audit
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, Unauthenticated
from tests.people import NOON
from tests.world import make_offer

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def code() -> str:
    """A provider's code."""
    return make_offer()[0].code


def token_for(made: Credentials) -> str:
    """A token that was given for this secret."""
    token = f"token of {made.secret_id}"
    with transaction() as session:
        client = session.query(ApiClient).filter_by(public_id=made.client_id).one()
        secret = secret_of(session, client, made.secret)
        assert secret is not None
        tokens.give(session, secret, token, client.scopes, NOON)
    return token


def test_a_secret_opens_its_own_client_and_only_hashes_are_stored(code: str) -> None:
    mine, other = (add_client(code, name, ["slots"], by=operator("t"), now=NOON) for name in ("hall", "desk"))
    with reading() as session:
        client = session.query(ApiClient).filter_by(public_id=mine.client_id).one()
        assert secret_of(session, client, mine.secret) is not None
        assert secret_of(session, client, other.secret) is None
        stored = session.execute(text("SELECT string_agg(s::text, ' ') FROM api_secret s")).scalar_one()
    assert mine.secret not in stored and fingerprint(mine.secret).hex() in stored
    assert mine.secret not in repr(mine)


def test_a_second_secret_lives_beside_the_first_and_a_third_does_not(code: str) -> None:
    first = add_client(code, "hall", ["slots"], by=operator("t"), now=NOON)
    second = add_secret(first.client_id, by=operator("t"), now=NOON)
    assert tokens.authenticate(PROVIDERS, token_for(first), now=NOON).client == first.client_id
    assert tokens.authenticate(PROVIDERS, token_for(second), now=NOON).client == first.client_id
    with pytest.raises(TwoSecrets):
        add_secret(first.client_id, by=operator("t"), now=NOON)
    end_secret(first.client_id, first.secret_id, by=operator("t"), now=NOON)
    third = add_secret(first.client_id, by=operator("t"), now=NOON)
    [client] = clients_of(code)
    assert [secret.id for secret in client.secrets] == [second.secret_id, third.secret_id]


def test_many_at_once_add_one_secret(code: str) -> None:
    first = add_client(code, "hall", ["slots"], by=operator("t"), now=NOON)
    outcomes: list[str] = []

    def add() -> None:
        try:
            outcomes.append(add_secret(first.client_id, by=operator("t"), now=NOON).secret_id)
        except TwoSecrets:
            outcomes.append("two_secrets")
        except Exception as other:
            outcomes.append(repr(other))

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[1:] == ["two_secrets"] * 5 and sorted(outcomes)[0].startswith("sec_")


def test_two_who_add_one_do_not_look_at_the_same_places(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = add_client(code, "hall", ["slots"], by=operator("t"), now=NOON)
    both, met = threading.Barrier(2), list[bool]()
    made = credentials._add_secret

    def slowly(*given: Any) -> Credentials:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(2)
            met.append(True)
        return made(*given)

    monkeypatch.setattr(credentials, "_add_secret", slowly)

    def add() -> None:
        with contextlib.suppress(TwoSecrets):
            add_secret(first.client_id, by=operator("t"), now=NOON)

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert met == [], "one waits until the other is done"


@pytest.mark.every_postgres
def test_the_database_refuses_a_third_live_secret_without_the_lock(code: str) -> None:
    first = add_client(code, "hall", ["slots"], by=operator("t"), now=NOON)
    add_secret(first.client_id, by=operator("t"), now=NOON)
    copied = text(
        "INSERT INTO api_secret (public_id, client_id, place, secret_hash, created_at) "
        "SELECT 'sec_x', client_id, 2, sha256('x'), created_at FROM api_secret LIMIT 1"
    )
    with pytest.raises(IntegrityError, match="uq_api_secret_place"), transaction() as session:
        session.execute(copied)


def test_a_token_ends_with_its_time_its_secret_its_client_and_by_itself(code: str) -> None:
    first = add_client(code, "hall", ["slots", "reports"], by=operator("t"), now=NOON)
    second = add_secret(first.client_id, by=operator("t"), now=NOON)
    token, other = token_for(first), token_for(second)
    assert tokens.authenticate(PROVIDERS, token, now=NOON + tokens.LIFETIME - timedelta(seconds=1)).scopes == {
        "slots",
        "reports",
    }
    with pytest.raises(Unauthenticated):
        tokens.authenticate(PROVIDERS, token, now=NOON + tokens.LIFETIME)
    end_secret(first.client_id, first.secret_id, by=operator("t"), now=NOON)
    with pytest.raises(Unauthenticated):
        tokens.authenticate(PROVIDERS, token, now=NOON)
    tokens.revoke(other, "cli_of_somebody_else", now=NOON)
    assert tokens.authenticate(PROVIDERS, other, now=NOON).owner == code, "nobody else can end it"
    tokens.revoke(other, first.client_id, now=NOON)
    with pytest.raises(Unauthenticated):
        tokens.authenticate(PROVIDERS, other, now=NOON)


def test_an_ended_client_has_nothing_left(code: str) -> None:
    made = add_client(code, "hall", ["slots"], by=operator("t"), now=NOON)
    token = token_for(made)
    end_client(made.client_id, by=operator("t"), now=NOON)
    with pytest.raises(Unauthenticated):
        tokens.authenticate(PROVIDERS, token, now=NOON)
    for again in (add_secret, end_client):
        with pytest.raises(NotFound):
            again(made.client_id, by=operator("t"), now=NOON)
    assert [(client.ended, list(client.secrets)) for client in clients_of(code)] == [(True, [])]


def test_each_change_is_one_line_of_the_audit_without_a_secret(code: str) -> None:
    made = add_client(code, "hall", ["slots"], by=operator("opr_1"), now=NOON)
    second = add_secret(made.client_id, by=operator("opr_1"), now=NOON)
    end_secret(made.client_id, second.secret_id, by=operator("opr_1"), now=NOON)
    end_secret(made.client_id, second.secret_id, by=operator("opr_1"), now=NOON)
    end_client(made.client_id, by=operator("opr_1"), now=NOON)
    with reading() as session:
        lines = session.query(audit.AuditLine).order_by(audit.AuditLine.id).all()
    assert [line.action for line in lines] == [
        "api_client.added",
        "api_secret.added",
        "api_secret.ended",
        "api_client.ended",
    ]
    assert {(line.actor, line.subject) for line in lines} == {("opr_1", made.client_id)}
    assert made.secret not in repr([line.facts for line in lines])


@pytest.mark.parametrize("scopes", [[], ["everything"], ["slots", ""]])
def test_scopes_that_there_are_not_make_no_client(code: str, scopes: list[str]) -> None:
    with pytest.raises(Invalid):
        add_client(code, "hall", scopes, by=operator("t"), now=NOON)
    with pytest.raises(NotFound):
        add_client("nobody", "hall", ["slots"], by=operator("t"), now=NOON)
    assert clients_of(code) == []


def test_tokens_are_forgotten_a_week_after_their_end(code: str) -> None:
    token_for(add_client(code, "hall", ["slots"], by=operator("t"), now=NOON))
    over = NOON + tokens.LIFETIME + tokens.KEPT
    assert tokens.forget_tokens(now=over) == 0
    assert tokens.forget_tokens(now=over + timedelta(seconds=1)) == 1
