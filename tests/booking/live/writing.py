"""Transactions that write events and end when a test says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from booking.live import reader
from booking.live.place import Place
from tests.conftest import TestDatabase
from tests.people import NOON

_WRITE = (
    "INSERT INTO live_event (topics, kind, facts, at) VALUES (%s, 'note', jsonb_build_object('n', %s::int), %s)"
    " RETURNING id"
)


class Writer:
    """A transaction of its own."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def write(self, number: int, topic: str = "customer:1") -> int:
        """Add an event, which nobody sees yet; its id."""
        row = self._connection.execute(_WRITE, [[topic], number, NOON]).fetchone()
        assert row is not None
        return int(row[0])

    def transaction(self) -> set[int]:
        """Its number."""
        row = self._connection.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
        assert row is not None
        return {int(row[0])}

    def commit(self) -> None:
        """Now it is seen."""
        self._connection.commit()


@contextmanager
def writers(database: TestDatabase, how_many: int) -> Iterator[list[Writer]]:
    """So many transactions side by side."""
    connections = [psycopg.connect(database.database_url) for _ in range(how_many)]
    try:
        yield [Writer(each) for each in connections]
    finally:
        for each in connections:
            each.close()


def add(database: TestDatabase, *numbers: int, topic: str = "customer:1") -> None:
    """Events, each in a transaction of its own."""
    with writers(database, 1) as (writer,):
        for number in numbers:
            writer.write(number, topic)
            writer.commit()


class Reading:
    """A reader that polls, and what it has seen."""

    def __init__(self) -> None:
        self.place: Place = reader.begin(now=NOON)
        self.seen: list[int] = []

    def poll(self) -> list[int]:
        """Read once; the numbers of what came."""
        events, self.place = reader.read(self.place, now=NOON)
        came = [each.told["n"] for each in events]
        self.seen += came
        return came
