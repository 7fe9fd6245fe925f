"""Listening to what is sent to the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest


@contextmanager
def statements_sent() -> Iterator[list[str]]:
    """The statements that the driver sends inside the block, in order, whoever asked it to."""
    seen: list[str] = []
    send = psycopg.Cursor.execute

    def note(cursor: psycopg.Cursor[Any], statement: Any, *rest: Any, **options: Any) -> Any:
        seen.append(str(statement))
        return send(cursor, statement, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", note)
        yield seen
