"""The migrations of test markets, while customers are about and while they are broken off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import psycopg
import pytest

from marketplace.core import migrate
from marketplace.development.embedded.postgres import APPLICATION
from migrations import frozen, steps
from tests.conftest import TestDatabase

BEFORE = "0077"
ROWS = """
INSERT INTO insurer (public_id, code, name_zh, name_en, time_zone) VALUES ('ins_1', 'one', 'x', 'x', 'UTC');
INSERT INTO provider (public_id, code, name_zh, name_en, adapter, base_url)
VALUES ('prv_1', 'one', 'x', 'x', 'open_protocol', 'http://10.20.0.7');
"""
SLACK = 2.6
"""What a busy machine may add to a wait."""
HELD = 5.0
"""So long somebody keeps a table: who waited behind a migration that waits for it would wait as long."""
MADE, DROPPED = "0080", ("0090", "0091")
"""The migrations in question: those up to this one, and one at the end of the line."""


@pytest.fixture(scope="module")
def original(module_database: Callable[..., TestDatabase]) -> TestDatabase:
    """A database as the release before left it, with a provider and an insurer; nobody is in it."""
    made = module_database("before")
    migrate.downgrade(made.owner_url, BEFORE, application_role=APPLICATION)
    with psycopg.connect(made.owner_url) as connection:
        connection.execute(ROWS)
    return made


@pytest.fixture
def of_before(original: TestDatabase, other_database: Callable[..., TestDatabase]) -> TestDatabase:
    """A copy of it."""
    return other_database("steps", original.name)


def shape(made: TestDatabase) -> set[tuple[str, ...]]:
    """Columns, indexes, constraints (checked or not) and triggers."""
    with psycopg.connect(made.owner_url) as connection:
        rows = connection.execute(
            "SELECT table_name, column_name, is_nullable, coalesce(column_default, '')"
            " FROM information_schema.columns WHERE table_schema = 'public'"
            " UNION SELECT tablename, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'"
            " UNION SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated::text"
            "   FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
            " UNION SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), '' FROM pg_trigger"
            "   WHERE NOT tgisinternal"
        ).fetchall()
    return {tuple(map(str, row)) for row in rows}


class BrokenOff(Exception):
    """The migration's process died."""


def test_they_can_be_run_again_wherever_they_were_broken_off(
    of_before: TestDatabase, other_database: Callable[[str], TestDatabase], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, left = steps._until_done, 0

    def until_broken_off(statement: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise BrokenOff
        whole(statement)

    monkeypatch.setattr(steps, "_until_done", until_broken_off)
    broken = 0
    for statement in (2, 4, 7, 8, 9, 10, 13, 18, 21, 40, 5, 9, 9, 3, 4, 8):
        left = statement
        try:
            migrate.upgrade(of_before.owner_url, application_role=APPLICATION)
        except BrokenOff:
            broken += 1
    assert broken > 12
    left = 0
    migrate.upgrade(of_before.owner_url, application_role=APPLICATION)
    assert shape(of_before) == shape(other_database("whole"))


@contextmanager
def meanwhile(*works: Callable[[Event], float]) -> Iterator[list[float]]:
    """Do these on threads of their own until the block is over; what each returned."""
    over, found = Event(), list[float]()
    with ThreadPoolExecutor(len(works)) as threads:
        running = [threads.submit(work, over) for work in works]
        try:
            yield found
        finally:
            over.set()
    found += [it.result() for it in running]


def test_customers_wait_no_longer_than_a_turn_and_the_line_comes_through(of_before: TestDatabase) -> None:
    """A report reads bookings for seconds, a writer holds a provider's row, and customers look meanwhile."""

    def hold(statement: str) -> Callable[[Event], float]:
        def held(over: Event) -> float:
            with psycopg.connect(of_before.owner_url) as connection:
                for _ in range(2):
                    connection.execute(statement.encode())
                    over.wait(HELD)
                    connection.rollback()
                    over.wait(1.0)
            return 0.0

        return held

    def look(statement: str) -> Callable[[Event], float]:
        def longest(over: Event) -> float:
            worst = 0.0
            with psycopg.connect(of_before.owner_url, autocommit=True) as connection:
                while not over.wait(0.05):
                    began = time.monotonic()
                    connection.execute(statement.encode())
                    worst = max(worst, time.monotonic() - began)
            return worst

        return longest

    def up(revision: str) -> None:
        migrate.upgrade(of_before.owner_url, application_role=APPLICATION, revision=revision)

    for revision, before in ((MADE, None), (DROPPED[1], DROPPED[0])):
        if before is not None:
            up(before)
        with meanwhile(
            hold("SELECT FROM booking"),
            hold("UPDATE provider SET name_en = 'y'"),
            look("SELECT count(*) FROM booking JOIN offer ON offer.id = offer_id"),
            look("SELECT provider.code FROM provider, insurer"),
            look("UPDATE booking SET updated_at = now()"),
        ) as found:
            time.sleep(0.3)
            up(revision)
        assert max(found) < steps.TURN_SECONDS + SLACK < HELD, found


def test_a_table_that_never_comes_free_ends_it(of_before: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "PATIENCE_SECONDS", 1.0)
    with psycopg.connect(of_before.owner_url) as connection:
        connection.execute("SELECT FROM provider")
        with pytest.raises(Exception, match="lock timeout"):
            migrate.upgrade(of_before.owner_url, application_role=APPLICATION)
    migrate.upgrade(of_before.owner_url, application_role=APPLICATION)


def test_the_statements_of_a_file_are_the_file() -> None:
    for name in ("takes_providers_market", "market_stays", "in_one_market"):
        text = (frozen.FOLDER / "0079" / f"{name}.sql").read_text()
        found = frozen.statements("0079", name)
        assert len(found) == text.count("\nCREATE ") and "\n".join(found).split() == text.split()
