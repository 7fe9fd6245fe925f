"""The database: engine, the declarative base, and `transaction()`, the only thing that commits.

READ COMMITTED throughout; scarce things are guarded by conditional UPDATEs and by constraints behind them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import errors as pg
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row
from sqlalchemy import BigInteger, DateTime, Engine, MetaData, Text, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session

from marketplace.core.config import Settings, settings
from marketplace.core.errors import Busy

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of all models, with names for every constraint so that migrations can speak of them."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {int: BigInteger, str: Text, datetime: DateTime(timezone=True)}


_open: ContextVar[Session | None] = ContextVar("open_transaction", default=None)


def make_engine(config: Settings, *, pool_size: int | None = None) -> Engine:
    """An engine whose every connection has `statement_timeout` and `lock_timeout`."""
    options = (
        f"-c statement_timeout={config.statement_timeout_ms} -c lock_timeout={config.lock_timeout_ms} "
        "-c idle_in_transaction_session_timeout=60000 -c timezone=UTC"
    )
    return create_engine(
        config.database_url,
        pool_size=pool_size or config.pool_size,
        max_overflow=pool_size or config.pool_size,
        pool_timeout=10,
        pool_pre_ping=False,
        hide_parameters=True,  # an error's text ends in logs, and bound values are people's
        connect_args={"options": options, "connect_timeout": 5, "application_name": "anxiang"},
    )


@lru_cache(maxsize=1)
def engine() -> Engine:
    """The engine of this process."""
    return make_engine(settings())


@lru_cache(maxsize=1)
def autocommit_engine() -> Engine:
    """The same pool, every statement its own transaction: for reads."""
    return engine().execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def transaction() -> Iterator[Session]:
    """One transaction: commits when the block ends, rolls back when it raises.

    Refuses to nest: a use case that needs another one's effect takes the session as an argument.
    Raises Busy when a lock was not had within `lock_timeout` or a deadlock was broken.
    """
    if _open.get() is not None:
        raise RuntimeError("transaction() inside transaction(): pass the session instead")
    session = Session(engine(), expire_on_commit=False)
    mark = _open.set(session)
    try:
        with session, session.begin():
            yield session
    except DBAPIError as failed:
        raise_busy(failed)
        raise
    finally:
        _open.reset(mark)


@contextmanager
def reading() -> Iterator[Session]:
    """A session for reading: no transaction is held open, each statement sees what is committed then."""
    with Session(autocommit_engine(), expire_on_commit=False, autoflush=False) as session:
        yield session


@contextmanager
def statements() -> Iterator[psycopg.Cursor[Any]]:
    """The driver's own cursor, each statement its own transaction in one round trip: for what every request pays.

    SQLAlchemy's work on a statement costs several times what such a statement costs PostgreSQL. Values are
    `%(name)s`, rows are named tuples, `prepare=True` spares the planning. What is scarce is taken in a single
    statement here, so that the lock on a contended row is held only while PostgreSQL itself works, not while a message
    travels. Raises as transaction() does: Busy, and DBAPIError, among them our own SQLSTATEs (class AX).
    """
    if _open.get() is not None:
        raise RuntimeError("statements() inside transaction(): they would not be part of it")
    try:
        with _lent() as connection, connection.cursor(row_factory=namedtuple_row) as cursor:
            yield cursor
    except psycopg.Error as failed:
        known = DBAPIError.instance(None, None, failed, psycopg.Error, hide_parameters=True, dialect=engine().dialect)
        if isinstance(known, DBAPIError):
            raise_busy(known)
        raise known from failed


def rows(sql: str, values: Mapping[str, Any]) -> list[Any]:
    """What one statement finds, as named tuples, prepared and outside any transaction: for reads that many ask for."""
    with statements() as cursor:
        return cursor.execute(sql.encode(), values, prepare=True).fetchall()


@contextmanager
def _lent() -> Iterator[psycopg.Connection[Any]]:
    """A connection of the pool in autocommit, given back as it was. One that broke takes the pool's others with it:
    they were made before the server went."""
    lent = engine().raw_connection()
    connection = lent.driver_connection
    if not isinstance(connection, psycopg.Connection):
        raise TypeError("the pool holds connections of another driver")
    try:
        connection.autocommit = True
        yield connection
    finally:
        if connection.pgconn.transaction_status == TransactionStatus.IDLE:
            connection.autocommit = False
            lent.close()
        else:
            lent.invalidate()
            engine().dispose()


def raise_busy(failed: DBAPIError) -> None:
    """Raise Busy if `failed` says that a rival was in the way; else return."""
    if isinstance(failed.orig, pg.LockNotAvailable | pg.DeadlockDetected | pg.SerializationFailure):
        raise Busy() from failed


def violated(failed: DBAPIError) -> str | None:
    """The name of the constraint that refused, or our own code (SQLSTATE class AX), or None."""
    if not isinstance(failed.orig, pg.Error):
        return None
    if (failed.orig.sqlstate or "").startswith("AX"):
        return failed.orig.diag.message_primary
    return failed.orig.diag.constraint_name


def forget_engines() -> None:
    """Drop the engines; for tests, and after a fork."""
    if engine.cache_info().currsize:
        engine().dispose()
    engine.cache_clear()
    autocommit_engine.cache_clear()
