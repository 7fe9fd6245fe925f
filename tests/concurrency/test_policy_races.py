"""The newest version of a policy stands whoever is first, and the controls that show these tests can fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from threading import Event

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace.core.config import settings
from marketplace.core.database import db as database
from marketplace.core.database.db import reading, violated
from tests.concurrency.controls import all_at_once, owner
from tests.conftest import TestDatabase
from tests.people import OTHER_PHONE, make_customer, make_insurer
from tests.policies import policy_facts, put
from vip import phones
from vip.models import Customer
from vip.policies import put as putting
from vip.policies.facts import PolicyFacts
from vip.policies.models import Policy, PolicyVersion
from vip.policies.put import Put

RIVALS = 12


@pytest.fixture
def scratch(other_database: Callable[[str], TestDatabase], monkeypatch: pytest.MonkeyPatch) -> Iterator[TestDatabase]:
    """A database whose schema may be changed; the product works on it."""
    made = other_database("policies")
    monkeypatch.setenv("DATABASE_URL", made.database_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", made.owner_url)
    _forget()
    yield made
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    database.forget_engines()
    settings.cache_clear()


def outcomes(results: list[Put | Exception]) -> list[str]:
    return sorted(it.outcome if isinstance(it, Put) else type(it).__name__ for it in results)


def stored() -> Policy:
    with reading() as session:
        return session.scalars(select(Policy)).one()


@pytest.mark.usefixtures("many_connections")
def test_twelve_versions_at_once_leave_the_newest() -> None:
    make_customer()
    versions = [*range(2, RIVALS + 1, 2), *range(1, RIVALS, 2)]
    results = all_at_once([partial(put, policy_facts(version=each, product=f"P-{each}")) for each in versions])
    assert all(isinstance(it, Put) for it in results), results
    assert (stored().version, stored().product) == (RIVALS, f"P-{RIVALS}")
    with reading() as session:
        lines = session.scalars(select(PolicyVersion.version).order_by(PolicyVersion.id)).all()
    assert lines == sorted(lines) and len(lines) == RIVALS - outcomes(results).count("older")


@pytest.mark.usefixtures("many_connections")
def test_a_new_policy_and_its_new_holder_are_made_once_by_twelve_at_once() -> None:
    make_insurer()
    results = all_at_once([partial(put, policy_facts())] * RIVALS)
    assert outcomes(results) == ["created", *["unchanged"] * (RIVALS - 1)]
    with reading() as session:
        assert len(session.scalars(select(Customer)).all()) == len(session.scalars(select(Policy)).all()) == 1


@pytest.mark.usefixtures("many_connections")
def test_one_number_under_two_keys_at_once_is_taken_once() -> None:
    make_customer()
    make_customer(OTHER_PHONE)
    results = all_at_once(
        [
            partial(put, policy_facts(key=f"key-{n}", holder_phone=OTHER_PHONE if n % 2 else "13800000011"))
            for n in range(8)
        ]
    )
    assert outcomes(results) == [*["Invalid"] * 7, "created"]


def older_after_newer(monkeypatch: pytest.MonkeyPatch) -> list[Put | Exception]:
    """Two puts look without a lock, and the older one writes once the newer one is done."""
    make_customer()
    put(policy_facts())
    looked, done = Event(), Event()

    def look(session: Session, insurer_id: int, facts: PolicyFacts) -> Policy | None:
        found = session.scalar(select(Policy).where(Policy.insurer_id == insurer_id, Policy.key == facts.key))
        if facts.version == 2:
            looked.set()
            assert done.wait(timeout=30)
        return found

    def newer() -> Put:
        assert looked.wait(timeout=30)
        try:
            return put(policy_facts(version=3, status="ended"))
        finally:
            done.set()

    monkeypatch.setattr(putting, "_locked", look)
    return all_at_once([partial(put, policy_facts(version=2)), newer])


def test_without_lock_and_trigger_an_older_version_wins(scratch: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    with owner(scratch.owner_url) as connection:
        connection.exec_driver_sql("DROP TRIGGER policy_version_grows ON policy")
    assert outcomes(older_after_newer(monkeypatch)) == ["updated", "updated"]
    assert (stored().version, stored().status) == (2, "ended"), "and half of it is of the newer one"


@pytest.mark.usefixtures("db")
def test_without_the_lock_alone_the_trigger_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    older, newer = older_after_newer(monkeypatch)
    assert isinstance(older, DBAPIError) and violated(older) == "policy_version_grows"
    assert isinstance(newer, Put) and (stored().version, stored().status) == (3, "ended")


@pytest.mark.usefixtures("db", "many_connections")
def test_without_the_locks_of_what_is_new_the_keys_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    make_insurer()
    monkeypatch.setattr(phones, "lock", lambda _session, _found: None)
    results = all_at_once([partial(put, policy_facts())] * RIVALS)
    assert {type(it).__name__ for it in results} & {"IntegrityError", "PhoneTaken"}
    assert len([it for it in results if isinstance(it, Put) and it.outcome == "created"]) == 1
