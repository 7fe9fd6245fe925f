"""Making clients: once for a form however often it is sent, and no more than there may be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.clients import credentials, tokens
from marketplace.clients.credentials import By, Credentials, MadeBefore, TooManyClients
from marketplace.clients.models import ApiClient, ApiSecret
from marketplace.core.database.db import reading, transaction
from tests.concurrency.controls import all_at_once
from tests.people import NOON
from tests.world import make_offer

pytestmark = pytest.mark.usefixtures("db")

BY = credentials.operator("test")


@pytest.fixture
def code() -> str:
    """The code of a provider."""
    return make_offer()[0].code


def make(code: str, request: str = "", *, name: str = "hall", by: By = BY, now: datetime = NOON) -> Credentials:
    return credentials.add_client(code, name, ["slots"], by=by, now=now, request=request)


def clients() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(ApiClient)) or 0


def good(made: Credentials) -> bool:
    """Whether its secret is one that the client signs in with."""
    with reading() as session:
        client = session.scalars(select(ApiClient).where(ApiClient.public_id == made.client_id)).one()
        return credentials.secret_of(session, client, made.secret) is not None


def test_a_form_that_is_sent_twice_makes_one_client_and_the_second_answer_has_the_good_secret(code: str) -> None:
    first, second = make(code, "form"), make(code, "form")
    assert first.client_id == second.client_id and clients() == 1
    assert (good(first), good(second)) == (False, True)


def test_two_clicks_at_once_make_one_client(code: str) -> None:
    found = all_at_once([partial(make, code, "form")] * 2)
    made = [each for each in found if isinstance(each, Credentials)]
    assert len(made) == 2 and clients() == 1 and sorted(good(each) for each in made) == [False, True]


OTHERS: list[dict[str, Any]] = [{"name": "lab"}, {"by": By("operator", "wu")}, {"request": "new"}, {"request": ""}]


@pytest.mark.parametrize("other", OTHERS)
def test_another_form_content_or_person_makes_another_client(code: str, other: dict[str, Any]) -> None:
    make(code, "form")
    make(code, **{"request": "form", **other})
    assert clients() == 2


def used(made: Credentials) -> None:
    with transaction() as session:
        client = session.scalars(select(ApiClient).where(ApiClient.public_id == made.client_id)).one()
        secret = credentials.secret_of(session, client, made.secret)
        assert secret is not None
        tokens.give(session, secret, tokens.new_token(), ["slots"], NOON)


def secured(made: Credentials) -> None:
    credentials.add_secret(made.client_id, by=BY, now=NOON)


def ended(made: Credentials) -> None:
    credentials.end_client(made.client_id, by=BY, now=NOON)


@pytest.mark.parametrize("act", [used, secured, ended], ids=["used", "a second secret", "ended"])
def test_a_client_that_was_used_or_changed_keeps_its_secrets(code: str, act: Any) -> None:
    made = make(code, "form")
    act(made)
    with reading() as session:
        before = session.execute(select(ApiSecret.id, ApiSecret.ended_at).order_by(ApiSecret.id)).all()
    with pytest.raises(MadeBefore):
        make(code, "form")
    with reading() as session:
        assert session.execute(select(ApiSecret.id, ApiSecret.ended_at).order_by(ApiSecret.id)).all() == before


def add(made: Credentials, request: str = "more") -> Credentials:
    return credentials.add_secret(made.client_id, by=BY, now=NOON, request=request)


def test_two_clicks_at_once_add_one_secret_and_one_of_the_answers_has_the_good_one(code: str) -> None:
    client = make(code)
    found = all_at_once([partial(add, client)] * 2)
    made = [each for each in found if isinstance(each, Credentials)]
    assert len(made) == 2 and sorted(good(each) for each in made) == [False, True] and good(client)


def test_a_second_secret_that_was_used_or_replaced_stays_as_it_is(code: str) -> None:
    client = make(code)
    used(add(client))
    with pytest.raises(MadeBefore):
        add(client)
    other = make(code)
    _unseen, seen = add(other), add(other)
    with pytest.raises(MadeBefore):
        add(other)
    assert good(seen) and good(other)


def fill(code: str, free: int) -> list[str]:
    """Make clients until `free` may be made besides."""
    return [make(code, name=f"c{n}").client_id for n in range(credentials.MOST - free)]


def test_a_provider_has_so_many_clients_in_use_and_no_more(code: str) -> None:
    [first, *_rest] = fill(code, 0)
    with pytest.raises(TooManyClients) as refused:
        make(code)
    assert refused.value.facts["most"] == credentials.MOST == 20 and clients() == 20
    make(make_offer()[0].code)
    credentials.end_client(first, by=BY, now=NOON)
    make(code)


@contextmanager
def counting_together(monkeypatch: pytest.MonkeyPatch, patience: float) -> Iterator[None]:
    """Two that have counted go on together, or after so many seconds, since one waits for the other."""
    both, named = Barrier(2), credentials.new_id

    def later(prefix: str) -> str:
        if prefix == "sec":  # the client is counted, and nothing is committed
            with suppress(BrokenBarrierError):
                both.wait(patience)
        return named(prefix)

    monkeypatch.setattr(credentials, "new_id", later)
    yield


def test_two_at_once_do_not_both_take_the_last_place(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(code, 1)
    with counting_together(monkeypatch, 1):
        found = all_at_once([partial(make, code, name=name) for name in ("a", "b")])
    assert sorted(type(each).__name__ for each in found) == ["Credentials", "TooManyClients"]


def test_without_the_lock_they_do(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(code, 1)

    def nothing(session: Session, owners: object, owner_id: int) -> None:
        """As if nobody waited."""

    monkeypatch.setattr(credentials, "lock", nothing)
    with counting_together(monkeypatch, 30):
        found = all_at_once([partial(make, code, name=name) for name in ("a", "b")])
    assert [type(each) for each in found] == [Credentials, Credentials]
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(ApiClient)) == credentials.MOST + 1
