"""The driver's cursor as every request uses it: one for each connection, values by name, rows as named tuples.

It does what the driver's own does, and once what that does each time. A cursor looks up how each type is written and
read: this one is kept for as long as its connection. A statement's `%(name)s` are turned into PostgreSQL's `$1` once,
however long it is: the driver keeps none above 4,096 bytes. The columns' names are read without a step for each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Self

import psycopg
from psycopg.rows import RowMaker, namedtuple_row
from sqlalchemy import PoolProxiedConnection

_KEPT = "cursor"
_PLACE = re.compile(r"%(?:\((\w+)\)s|(%))?")


class ByName(psycopg.RawCursor[Any]):
    """Takes statements as text, with values for each `%(name)s` and `%%` for a percent sign, or without values as they
    are."""

    def execute(  # type: ignore[override]  # ours are text with values by name, never the driver's other kinds
        self, query: str, params: Mapping[str, Any] | None = None, *, prepare: bool | None = None, **options: Any
    ) -> Self:
        """As the driver's. Raises KeyError for a value that is missing, ValueError for a % that is nothing of ours."""
        if params is None:
            return super().execute(query.encode(), None, prepare=prepare, **options)
        statement, values_of = _read(query)
        return super().execute(statement, values_of(params), prepare=prepare, **options)

    def forget(self) -> None:
        """Let go of what was asked last and of what was found. The next request has the same cursor: it must find
        nothing of another's there, and a large result must not stay in memory until then."""
        self._reset()
        if hasattr(self, "_tx"):  # since the first statement
            self._tx.set_pgresult(None)


def numbered(statement: str) -> tuple[bytes, tuple[str, ...]]:
    """The statement with `$1`, `$2` … for its `%(name)s`, and the names in that order, each once. Raises ValueError."""
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        if found[2]:
            return "%"
        if not found[1]:
            raise ValueError(f"a % that is neither %(name)s nor %%: {statement[found.start() :][:20]!r}")
        return f"${names.setdefault(found[1], len(names) + 1)}"

    return _PLACE.sub(number, statement).encode(), tuple(names)


@lru_cache(1024)
def _read(statement: str) -> tuple[bytes, Callable[[Mapping[str, Any]], Sequence[Any]]]:
    """The statement as it is sent, and what takes its values from those that were given."""
    sent, names = numbered(statement)
    if len(names) > 1:
        return sent, itemgetter(*names)
    return sent, lambda values: [values[name] for name in names]


def cursor_of(lent: PoolProxiedConnection, driver: psycopg.Connection[Any]) -> ByName:
    """The cursor of a connection that the pool lent, for as long as it is lent. What is noted in `info` goes with the
    connection."""
    kept = lent.info.get(_KEPT)
    if isinstance(kept, ByName) and not kept.closed:
        return kept
    made = ByName(driver, row_factory=_named)
    lent.info[_KEPT] = made
    return made


_makers: dict[tuple[bytes | None, ...], RowMaker[Any]] = {}


def _named(cursor: psycopg.Cursor[Any]) -> RowMaker[Any]:
    """The driver's `namedtuple_row`, made once for the same columns in the same order."""
    found = cursor.pgresult
    if found is None or not found.nfields:
        return namedtuple_row(cursor)
    columns = tuple(map(found.fname, range(found.nfields)))
    maker = _makers.get(columns)
    if maker is None:
        maker = _makers[columns] = namedtuple_row(cursor)
    return maker
