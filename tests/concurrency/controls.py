"""Taking a guard or a constraint away, in a scratch database, to see that the test beside it can fail.

A guard is the condition of a conditional UPDATE inside a function: the line that ends in `/* guard */`, from its first
AND on. The constraints behind it are the table's CHECKs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import TypeVar

from sqlalchemy import Connection, Engine, NullPool, create_engine, text

from marketplace.core.config import sqlalchemy_url
from marketplace.core.errors import Busy

GUARD = re.compile(r"\bAND\b[^\n]*?/\* guard \*/")
T = TypeVar("T")


def without_guard(sql: str) -> str:
    """`sql` without its guard; fails if there is not exactly one."""
    bare, found = GUARD.subn("", sql)
    assert found == 1, f"expected one guard, found {found}"
    return bare


@contextmanager
def owner(owner_url: str) -> Iterator[Connection]:
    """An autocommit connection as the owner of a scratch database."""
    engine = create_engine(sqlalchemy_url(owner_url), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def take_guard_away(connection: Connection, function: str) -> None:
    """Replace a function (`entitlement_entry_moves_counters`, `slot_claim_moves_taken`) by one without its guard."""
    definition = connection.execute(
        text("SELECT pg_get_functiondef(CAST(:name AS regproc))"), {"name": function}
    ).scalar_one()
    connection.exec_driver_sql(without_guard(definition).replace("%", "%%"))


def take_constraints_away(connection: Connection, table: str) -> None:
    """Drop the table's CHECK constraints; fails if it has none."""
    names = connection.execute(
        text("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = CAST(:table AS regclass)"),
        {"table": table},
    ).scalars()
    dropped = [connection.exec_driver_sql(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"') for name in list(names)]
    assert dropped, f"{table} has no CHECK constraint"


def scratch_engine(database_url: str, connections: int = 16) -> Engine:
    """The application's engine on a scratch database."""
    return create_engine(sqlalchemy_url(database_url), pool_size=connections, max_overflow=0, pool_timeout=60)


def all_at_once(works: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Run each on a thread of its own, started together; the results in order, exceptions as values. Who is asked to
    come again, as on a crowded machine, does so: nothing was done for her."""
    start = Barrier(len(works))

    def run(work: Callable[[], T]) -> T | Exception:
        start.wait(timeout=30)
        try:
            return _until_served(work)
        except Exception as failed:  # the test says which ones it expects
            return failed

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


def _until_served(work: Callable[[], T]) -> T:
    for _ in range(9):
        try:
            return work()
        except Busy:
            continue
    return work()
