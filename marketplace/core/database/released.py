"""Whether this database may act on the world, or is a copy that was restored and not released yet.

A restored copy believes that it has bookings to send, cancels to make and messages to write, which the original did or
does. So a database that isn't the one that was released last (another cluster, or another timeline of the same one,
which each point-in-time recovery and each promotion begins) sends and calls nothing until somebody releases it.

The answer is kept for the process: every new connection asks, since a database is exchanged behind connections that
break; and a worker asks at each round, since behind a pooler none breaks.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import errors

CURRENT = """
    SELECT CAST((SELECT system_identifier FROM pg_control_system()) AS text) AS cluster,
           substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS timeline
"""
HELD = f"""
    SELECT coalesce((SELECT (r.cluster, r.timeline) IS DISTINCT FROM (c.cluster, c.timeline)
                       FROM installation_release r, ({CURRENT}) AS c ORDER BY r.id DESC LIMIT 1), false)
"""
"""Whether the database is held back. Where nobody has released any, as before this was asked, it is not."""


_held = False


def held() -> bool:
    """What the database said when this process last asked."""
    return _held


def note(held_back: bool) -> None:
    """What it says now."""
    global _held
    _held = held_back


def ask(connection: psycopg.Connection[Any]) -> None:
    """Ask over a connection in autocommit. A database without the table, before its migration, says nothing."""
    try:
        (answer,) = connection.execute(HELD, prepare=False).fetchall()[0]
    except (errors.UndefinedTable, errors.InsufficientPrivilege):
        return
    note(bool(answer))
