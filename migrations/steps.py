"""Changes of tables in use: each statement in a transaction of its own, that waits for its table in short turns.

A statement that waits for a strong lock makes everybody wait who comes after it, so it gives way soon, and before
PostgreSQL looks for a deadlock (after 1 s): what is broken off is the migration, never a customer's request.
"""

from __future__ import annotations

import time

from alembic import op
from sqlalchemy.exc import DBAPIError

from migrations.add_index import add_index

TURN_SECONDS = 0.4
"""So long a statement waits for its table, and those behind it with it, before it lets them pass."""
PAUSE_SECONDS = 0.6
PATIENCE_SECONDS = 300.0
"""So long it is tried. Then the migration fails, and can be run again from its first line."""
_GAVE_WAY = ("55P03", "40P01")
"""lock_not_available, deadlock_detected."""


def run(*statements: str) -> None:
    """Run each statement by itself. It commits what the migration has done before it, so each statement has to be one
    that may be run twice: should one fail, the migration begins anew."""
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        before = connection.exec_driver_sql("SHOW lock_timeout").scalar_one()
        connection.exec_driver_sql(f"SET lock_timeout = '{int(TURN_SECONDS * 1000)}ms'")
        try:
            for statement in statements:
                _until_done(statement)
        finally:
            connection.exec_driver_sql(f"SET lock_timeout = '{before}'")


def add_key_index(name: str, table: str, columns: list[str]) -> None:
    """Build a unique index that foreign keys refer to, unless an earlier try has built it: keys may hold it already."""
    built = op.get_bind().exec_driver_sql(
        f"SELECT FROM pg_index WHERE indexrelid = to_regclass('{name}') AND indisvalid"
    )
    if built.first() is None:
        add_index(name, table, columns, unique=True)


def add_constraint(table: str, name: str, constraint: str) -> None:
    """Add a constraint, NOT VALID where rows of before are checked later, unless an earlier try has added it."""
    if not _has(table, name):
        run(f"ALTER TABLE {table} ADD CONSTRAINT {name} {constraint}")


def validate(table: str, name: str) -> None:
    """Check the rows of before; those who read and write go on meanwhile. Done once."""
    run(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def _has(table: str, name: str) -> bool:
    found = op.get_bind().exec_driver_sql(
        f"SELECT FROM pg_constraint WHERE conrelid = '{table}'::regclass AND conname = '{name}'"
    )
    return found.first() is not None


def _until_done(statement: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            op.get_bind().exec_driver_sql(statement.replace("%", "%%"))
            return
        except DBAPIError as failed:
            if getattr(failed.orig, "sqlstate", None) not in _GAVE_WAY or time.monotonic() > until:
                raise
        time.sleep(PAUSE_SECONDS)
