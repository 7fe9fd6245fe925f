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

from psycopg import errors as pg
from sqlalchemy import BigInteger, DateTime, Engine, MetaData, Text, create_engine, text
from sqlalchemy.engine import Row
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
        connect_args={"options": options, "connect_timeout": 5, "application_name": "anxiang"},
    )


@lru_cache(maxsize=1)
def engine() -> Engine:
    """The engine of this process."""
    return make_engine(settings())


@lru_cache(maxsize=1)
def autocommit_engine() -> Engine:
    """The same pool, every statement its own transaction: for reads, and for one_statement()."""
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


def one_statement(sql: str, values: Mapping[str, Any]) -> Row[Any]:
    """Run a transaction that consists of a single statement, in one round trip, and return its row.

    The lock on a contended row is then held only while PostgreSQL itself works, not while a message travels.
    Raises Busy like transaction(), and DBAPIError for anything else, among them our own SQLSTATEs (class AX).
    """
    if _open.get() is not None:
        raise RuntimeError("one_statement() inside transaction(): it would not be part of it")
    try:
        with autocommit_engine().connect() as connection:
            return connection.execute(text(sql), values).one()
    except DBAPIError as failed:
        raise_busy(failed)
        raise


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
