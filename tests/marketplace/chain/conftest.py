"""Lines of both tables, and the hand of a superuser that changes what was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from marketplace.chain import heads, watch
from marketplace.development.database import DevDatabase
from marketplace.development.embedded.postgres import SUPERUSER
from tests.conftest import TestDatabase

Superuser = Callable[..., list[tuple[object, ...]]]


@pytest.fixture
def superuser(database_server: DevDatabase, worker_database: TestDatabase, db: object) -> Iterator[Superuser]:
    """Run a statement past all rights and triggers: `superuser("DELETE FROM audit_line WHERE id = 3")`."""
    url = database_server.server.url(SUPERUSER, worker_database.name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")

        def run(statement: str, *values: object) -> list[tuple[object, ...]]:
            done = connection.execute(statement.encode(), values)
            return done.fetchall() if done.description else []

        yield run


class Logged:
    """Stands in for a module's logger, and keeps the events."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def error(self, event: str, **facts: object) -> None:
        """An alarm."""
        self.events.append(" ".join([event, *map(str, facts.values())]))

    def info(self, event: str, **facts: object) -> None:
        """Nothing that anybody must know."""

    def take(self) -> list[str]:
        """The alarms since the last time."""
        taken, self.events = self.events, []
        return taken


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Logged:
    """The alarms of the chain."""
    made = Logged()
    for module in (heads, watch):
        monkeypatch.setattr(module, "log", made)
    return made


@contextmanager
def open_transaction(url: str, *statements: str) -> Iterator[psycopg.Connection]:
    """A transaction of the application's role that has run these statements and goes on; it ends with the block."""
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())
        yield connection
