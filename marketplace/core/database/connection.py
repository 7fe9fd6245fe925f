"""What a connection to the database must have, and how it behaves behind a pooler.

Time limits belong to the application's *role* (`ALTER ROLE … SET`): a pooler such as PgBouncer refuses or drops what a
connection asks for at its start, and in transaction mode a `SET` would stay with whoever comes next. The role may set
its own, on a managed server too, so `migrate` does it. Every new connection is asked whether they are in force.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection
from sqlalchemy import Engine, NullPool, create_engine, event, text

from marketplace.core.config import ConfigError, role_settings, settings
from marketplace.core.database import released

_ONE_AT_A_TIME = 0x414E5852  # advisory: two runs would change the role's row at once, which PostgreSQL refuses
_MUST_HAVE = ("statement_timeout", "lock_timeout")
_ASK = """
SELECT current_user, pg_backend_pid(), current_setting('TimeZone'),
       (SELECT array_agg(name) FROM pg_settings WHERE name = ANY(%s) AND setting = '0')
"""
_UTC = ("UTC", "Etc/UTC")


def set_on_role(database_url: str) -> None:
    """Give the role of `database_url` its time limits and zone, where they differ. They hold for new connections: a
    pooler must reconnect. Raises DBAPIError."""
    engine = create_engine(database_url, poolclass=NullPool, connect_args={"connect_timeout": 5})
    wanted = role_settings()
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
        found = connection.execute(
            text("SELECT lower(name), setting FROM pg_settings WHERE lower(name) = ANY(:names)"),
            {"names": list(wanted)},
        )
        has = {(name, value) for name, value in found}
        for name, value in wanted.items():
            if (name, value) not in has:
                connection.execute(text(f"ALTER ROLE CURRENT_USER SET {name} = '{value}'"))


def watch(engine: Engine) -> None:
    """Ask every new connection of `engine` what `examine` asks."""
    event.listen(engine, "connect", examine)


def examine(connection: Connection[Any], record: Any) -> None:
    """Refuse a connection without time limits or in another zone; note in `record.info["pooled"]` what is behind it,
    and for the process whether the database was released.

    Behind a pooler nothing is prepared unless DATABASE_PREPARE_THRESHOLD says so: the next transaction may be on a
    connection where that name is missing, or is another statement's. Raises ConfigError.
    """
    connection.autocommit = True
    role, pid, zone, missing = connection.execute(_ASK, [list(_MUST_HAVE)], prepare=False).fetchall()[0]
    if not missing:
        released.ask(connection)
    connection.autocommit = False
    if missing or zone not in _UTC:
        connection.close()
        wrong = f"has no {missing[0]}" if missing else f"is in the time zone {zone}"
        raise ConfigError(
            f"The database's role {role} {wrong}: run `python -m marketplace.core.migrate` and reconnect the pooler, "
            "if there is one (docs/deployment.md)."
        )
    record.info["pooled"] = pid != connection.info.backend_pid
    if record.info["pooled"] and settings().prepare_threshold is None:
        connection.prepare_threshold = None
