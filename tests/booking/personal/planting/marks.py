"""A mark in every personal column that takes one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from booking.personal.register import Table
from booking.personal.scope import Scope, of_customer
from booking.personal.tables.every import OF_CUSTOMERS
from tests.booking.personal.planting.life import Life

_SAYS_WHOSE = ("audit_line", "subject")


def plant(life: Life, superuser: str) -> None:
    """Write a mark into every text and JSON of a personal column that takes one; codes and dates stay what they are."""
    scope = of_customer(life.customer)
    with _unguarded(superuser) as connection:
        kinds = _kinds(connection)
        for table in OF_CUSTOMERS:
            for column, _it in table.exported():
                kind = kinds[table.name, column]
                if kind not in ("text", "jsonb") or column == "public_id" or (table.name, column) == _SAYS_WHOSE:
                    continue
                value = f"{life.mark}-{table.name}-{column}"
                if _write(connection, table, column, scope, Jsonb({"planted": value}) if kind == "jsonb" else value):
                    life.values[table.name, column] = value


def _write(connection: psycopg.Connection[Any], table: Table, column: str, scope: Scope, value: object) -> bool:
    where = scope.where(table)
    for name in ("customer", "person"):
        where = where.replace(f":{name}", f"%({name})s")
    query = sql.SQL("UPDATE {} t SET {} = %(value)s WHERE " + where).format(  # type: ignore[arg-type]
        sql.Identifier(table.name), sql.Identifier(column)
    )
    try:
        with connection.transaction():
            return connection.execute(query, {**scope.values, "value": value}).rowcount > 0
    except (psycopg.errors.CheckViolation, psycopg.errors.UniqueViolation):
        return False


def _kinds(connection: psycopg.Connection[Any]) -> dict[tuple[str, str], str]:
    found = connection.execute(
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
    ).fetchall()
    return {(table, column): kind for table, column, kind in found}


@contextmanager
def _unguarded(superuser: str) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's connection on which no trigger looks: it writes what nobody else may."""
    with psycopg.connect(superuser) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.commit()
        yield connection
