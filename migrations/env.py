"""How Alembic reaches the database: as the owner, one migration run at a time, one transaction a migration.

marketplace/core/migrate.py passes `owner_url` and `application_role`; the `alembic` command takes both from settings.
"""

from __future__ import annotations

import time

from alembic import context
from sqlalchemy import Connection, NullPool, create_engine, inspect, make_url, text

from marketplace.core.config import settings
from marketplace.core.database.db import db
from migrations import grants
from migrations.known import import_models

import_models()

_ONE_AT_A_TIME = 4_027_118_301  # the advisory lock's key: any number that only we use
_PAUSE = 0.2
_TRIES = 300


def run() -> None:
    """Run what Alembic was asked for, then give the application's role its rights on what is there now."""
    given = context.config.attributes
    owner_url = given.get("owner_url") or settings().owner_url
    role = given.get("application_role") or make_url(settings().database_url).username
    engine = create_engine(owner_url, poolclass=NullPool, connect_args={"connect_timeout": 5})
    with engine.connect() as connection:
        _take_turn(connection)
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            transaction_per_migration=True,
            compare_type=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.rollback()  # ends what a mere look (`alembic current`) may have begun
        with connection.begin():
            if role and inspect(connection).has_table("alembic_version"):
                grants.apply(connection, role)


def _take_turn(connection: Connection) -> None:
    """Wait for another run to end, about a minute; afterwards a migration waits at most 5 s for a busy table.

    Asked again and again, since a statement that waits holds a snapshot: an index that the other run builds
    concurrently would wait for it in turn. The advisory lock belongs to the session: it outlives each migration's
    transaction and ends with the connection.
    """
    connection.execute(text("SET statement_timeout = 0"))  # one role for everything has the application's limits
    connection.execute(text("SET idle_in_transaction_session_timeout = 0"))
    connection.execute(text("SET lock_timeout = '5s'"))
    connection.commit()
    tries = 0
    while not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _ONE_AT_A_TIME}).scalar_one():
        connection.rollback()
        tries += 1
        if tries > _TRIES:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ONE_AT_A_TIME})  # refuses, and says why
        time.sleep(_PAUSE)
    connection.commit()


run()
