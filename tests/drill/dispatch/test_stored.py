"""A small country in the tables: loaded as it was written, and judged by the database."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine

from booking.escort.matching.against import FILTERS, Against
from booking.escort.matching.load import Loaded, load
from booking.escort.matching.plan import plan
from drill.dispatch.country import NOW, Size, make_country
from drill.dispatch.judge import forget, together, write
from drill.dispatch.stored import Stored, store
from marketplace.core.database.db import reading
from tests.conftest import TestDatabase

BUSY, TRAVEL = Against.BUSY, Against.TRAVEL

pytestmark = pytest.mark.every_postgres


@pytest.fixture
def stored(db: Engine) -> Stored:
    return store(make_country(3, Size(80, 3, 50)))


@pytest.fixture
def loaded(stored: Stored) -> Loaded:
    with reading() as session:
        return load(session, stored.bookings, now=NOW)


@pytest.fixture
def books(worker_database: TestDatabase) -> Iterator[psycopg.Connection]:
    """The owner in a transaction that is taken back."""
    with psycopg.connect(worker_database.owner_url) as connection, connection.transaction(force_rollback=True):
        yield connection


def test_what_was_written_is_loaded(stored: Stored, loaded: Loaded) -> None:
    assert {each.booking: each for each in loaded.requests} == stored.requests
    there = {each.city for each in loaded.requests}
    assert {each.id: each for each in loaded.candidates} == {
        each.id: each for each in stored.candidates if each.city in there
    }


def test_the_database_takes_all_of_a_plan_and_refuses_what_a_blind_one_plans(
    stored: Stored, loaded: Loaded, books: psycopg.Connection
) -> None:
    made = plan(loaded.requests, loaded.candidates)
    judged = write(books, made.sent, stored.requests, stored.candidates)
    assert (judged.taken, judged.refused) == (len(made.sent), 0)
    assert list(together(books)) == []
    for blind in ({BUSY, TRAVEL}, {TRAVEL}):
        forget(books)
        look = [each for each in FILTERS if each.code not in blind]
        planned = plan(loaded.requests, loaded.candidates, look).sent
        judged = write(books, planned, stored.requests, stored.candidates)
        assert judged.refused > 0, "nothing but the constraint looks"
        assert judged.taken + judged.refused == len(planned)
        assert list(together(books)) == [], "nobody is at two places, whatever was planned"


def test_without_the_constraint_the_oversell_is_seen(stored: Stored, loaded: Loaded, books: psycopg.Connection) -> None:
    books.execute("ALTER TABLE escort_assignment DROP CONSTRAINT ex_escort_assignment_one_place_at_a_time")
    blind = plan(loaded.requests, loaded.candidates, [each for each in FILTERS if each.code not in {BUSY, TRAVEL}])
    judged = write(books, blind.sent, stored.requests, stored.candidates)
    assert judged.refused == 0
    assert list(together(books)) != []
