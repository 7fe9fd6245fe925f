"""Going back to code that knows no test mode: nothing of tests becomes live."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import psycopg
import pytest
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from booking.twins.book import book_for_test
from booking.twins.clear import clear
from marketplace.core import migrate
from marketplace.development.embedded.postgres import APPLICATION
from tests.booking.twins.stage import BY, make_stage
from tests.conftest import TestDatabase
from tests.people import NOON

BEFORE = "0077"
ROWS = """
INSERT INTO provider (public_id, code, name_zh, name_en, adapter, base_url)
VALUES ('prv_1', 'one', 'x', 'x', 'partner', '');
INSERT INTO provider (public_id, code, name_zh, name_en, adapter, base_url, twin_of)
SELECT 'prv_2', 'one-test', 'x', 'x', 'partner', '', id FROM provider;
INSERT INTO api_client (public_id, provider_id, name, scopes, created_at)
SELECT 'cli_' || id, id, 'hall', '{slots}', now() FROM provider;
INSERT INTO webhook_endpoint (public_id, provider_id, url, event_types, cursor, created_at, state_since)
SELECT 'whe_' || id, id, 'https://hooks.example/', '{booking.requested}', 0, now(), now() FROM provider;
"""


@pytest.fixture
def made(other_database: Callable[[str], TestDatabase]) -> TestDatabase:
    """A database with a provider and its twin, each with a client and an endpoint."""
    database = other_database("back")
    with psycopg.connect(database.owner_url) as connection:
        connection.execute(ROWS)
    return database


def test_programs_and_endpoints_of_a_twin_end_and_the_live_ones_stay(made: TestDatabase) -> None:
    migrate.downgrade(made.owner_url, BEFORE, application_role=APPLICATION)
    with psycopg.connect(made.owner_url) as connection:
        clients = connection.execute("SELECT ended_at IS NOT NULL FROM api_client ORDER BY id").fetchall()
        hooks = connection.execute("SELECT state FROM webhook_endpoint ORDER BY id").fetchall()
        paused = connection.execute("SELECT paused_at IS NOT NULL FROM provider ORDER BY id").fetchall()
    assert (clients, hooks, paused) == (
        [(False,), (True,)], [("active",), ("ended",)], [(False,), (True,)],
    )  # fmt: skip


def test_while_a_test_booking_stands_it_is_refused(db: Engine, owner_connection: Connection) -> None:
    standing = import_module("migrations.versions.0079_test_markets")._STANDING
    stage = make_stage()
    book_for_test(stage.twin.id, stage.offer.public_id, None, 1, NOON)
    with pytest.raises(DBAPIError, match="bookings of test mode stand"):
        owner_connection.exec_driver_sql(standing)
    clear(stage.twin.id, BY, NOON)
    owner_connection.exec_driver_sql(standing)
