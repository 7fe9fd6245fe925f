"""Listening to what is sent to the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from marketplace.core.database.cursor import ByName


@contextmanager
def statements_sent() -> Iterator[list[str]]:
    """The statements that the driver sends inside the block, in order, whoever asked it to."""
    texts: list[str] = []
    with sent_to_the_database(texts):
        yield texts


@contextmanager
def sent_to_the_database(texts: list[str] | None = None) -> Iterator[list[tuple[str, Any]]]:
    """The statements that the driver sends inside the block with their values, in order, whoever asked it to; their
    texts alone go into `texts` as well."""
    seen: list[tuple[str, Any]] = []
    send, send_by_name = psycopg.Cursor.execute, ByName.execute

    def note(statement: Any, values: Any) -> None:
        text = statement.decode() if isinstance(statement, bytes) else str(statement)
        seen.append((text, values))
        if texts is not None:
            texts.append(text)

    def execute(cursor: psycopg.Cursor[Any], statement: Any, values: Any = None, **options: Any) -> Any:
        if not isinstance(cursor, ByName):  # of those it is noted already, with its values' names
            note(statement, values)
        return send(cursor, statement, values, **options)

    def execute_by_name(cursor: ByName, statement: Any, values: Any = None, **options: Any) -> Any:
        note(statement, values)
        return send_by_name(cursor, statement, values, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", execute)
        patch.setattr(ByName, "execute", execute_by_name)
        yield seen
