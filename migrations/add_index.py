"""Indexes on tables in use: built while rows are written, and anew where an earlier try was broken off."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def add_index(
    name: str, table: str, columns: list[str], *, where: str | None = None, using: str = "btree", unique: bool = False
) -> None:
    """Build an index concurrently; what a try that was broken off left of it (an invalid index) goes first.

    It commits what the migration has done before it. So it comes first, or after what may be done twice: should it fail
    (it waits for older transactions, and not for long), the migration is run again from its first line.
    """
    with op.get_context().autocommit_block():
        op.drop_index(name, table_name=table, if_exists=True, postgresql_concurrently=True)
        op.create_index(
            name,
            table,
            columns,
            unique=unique,
            postgresql_where=sa.text(where) if where is not None else None,
            postgresql_using=using,
            postgresql_concurrently=True,
        )
