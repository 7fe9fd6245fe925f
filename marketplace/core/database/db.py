"""The database: `db` (Flask-SQLAlchemy), the models' base, and `transaction()`, which alone commits a session.

READ COMMITTED throughout; scarce things are guarded by conditional UPDATEs and by constraints behind them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

import psycopg
from flask import Flask, g, has_app_context
from flask_sqlalchemy import SQLAlchemy
from psycopg import errors as pg
from psycopg.pq import TransactionStatus
from sqlalchemy import BigInteger, DateTime, Engine, MetaData, NullPool, PoolProxiedConnection, Text, create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Session, registry

from marketplace.core.config import Settings, settings
from marketplace.core.database import connection, silence
from marketplace.core.database.cursor import ByName, cursor_of
from marketplace.core.errors import Busy

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Declared(DeclarativeBase):
    """What `db.Model` is made from: names for every constraint, so that migrations can speak of them, and our types."""

    registry = registry(  # not two attributes: Flask-SQLAlchemy's copy of the class may not have both them and this
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={int: BigInteger, str: Text, datetime: DateTime(timezone=True)},
    )


class Database(SQLAlchemy):
    """Flask-SQLAlchemy with one engine, so one pool, for all Flask objects of a process: that of `bare_app()`."""

    def init_app(self, app: Flask) -> None:
        """Give `app` the database of the settings. Raises ConfigError."""
        config = settings()
        app.config.update(
            SQLALCHEMY_DATABASE_URI=config.database_url,
            SQLALCHEMY_ENGINE_OPTIONS=_engine_options(config),
            SQLALCHEMY_BINDS=_binds(config),
        )
        super().init_app(app)

    @property
    def engines(self) -> Mapping[str | None, Engine]:
        """The process's engine under None, inside a Flask context or outside."""
        return _engines()

    def engines_of(self, app: Flask) -> Mapping[str | None, Engine]:
        """The engines that Flask-SQLAlchemy made for `app`."""
        with app.app_context():
            return super().engines


def _one_thread_of_one_context() -> tuple[int, int]:
    """What a session belongs to. The context alone isn't enough: a thread started with a copy of it would share it."""
    return id(g._get_current_object()), threading.get_ident()


db = Database(
    model_class=Declared,
    disable_autonaming=True,
    # Without autobegin db.session refuses every statement outside transaction(): no transaction is begun unseen.
    session_options={"scopefunc": _one_thread_of_one_context, "expire_on_commit": False, "autobegin": False},
)

if TYPE_CHECKING:
    Base = Declared  # db.Model copies Declared and is typed as a plain class: mypy would lose the columns
else:
    Base = db.Model

_UNDONE = (
    pg.LockNotAvailable,
    pg.DeadlockDetected,
    pg.SerializationFailure,
    pg.IdleInTransactionSessionTimeout,
)
_LEADER = "leader"  # a key of SQLALCHEMY_BINDS
_in_transaction: ContextVar[bool] = ContextVar("in_transaction", default=False)


def _engine_options(config: Settings) -> dict[str, Any]:
    return {
        "pool_size": config.pool_size,
        "max_overflow": config.pool_size,
        "pool_timeout": 10,
        # The last one first: few connections stay busy, each with its plans made and its memory warm at the server. In
        # turn, every connection would plan every statement six times, and the rare reader would pay for it.
        "pool_use_lifo": True,
        "pool_pre_ping": False,
        **_connecting(config),
    }


def _connecting(config: Settings) -> dict[str, Any]:
    """No `options` among them: a pooler refuses or drops them, so the role has its limits (connection.py)."""
    given: dict[str, Any] = {"application_name": "anxiang"}
    if config.prepare_threshold is not None:
        given["prepare_threshold"] = config.prepare_threshold or None
    return {
        "hide_parameters": True,  # an error's text ends in logs, and bound values are people's
        "connect_args": given,
    }


def _binds(config: Settings) -> dict[str, dict[str, Any]]:
    """The leader's way past the pooler: one connection for as long as it leads."""
    if not config.leader_database_url:
        return {}
    return {_LEADER: {"url": config.leader_database_url, "poolclass": NullPool, **_connecting(config)}}


@lru_cache(maxsize=1)
def bare_app() -> Flask:
    """A Flask object with nothing but the database, for what lies below create_app: worker, commands, tools."""
    app = Flask("anxiang", static_folder=None)
    db.init_app(app)
    return app


_making = threading.Lock()  # two threads that ask first at the same moment must not make two pools


def _engines() -> Mapping[str | None, Engine]:
    with _making:
        return _made_engines()


@lru_cache(maxsize=1)
def _made_engines() -> Mapping[str | None, Engine]:
    made = db.engines_of(bare_app())
    for each in made.values():
        silence.bound(each)
        connection.watch(each)
    return made


def engine() -> Engine:
    """The engine of this process."""
    return _engines()[None]


def leader_engine() -> Engine:
    """Where the leader's lock is taken: at LEADER_DATABASE_URL, without one on the engine of all."""
    return _engines().get(_LEADER, engine())


@lru_cache(maxsize=1)
def apart_engine() -> Engine:
    """A connection of its own for each use, past the pool: for who must learn within seconds whether all is well."""
    made = create_engine(
        settings().database_url, poolclass=NullPool, isolation_level="AUTOCOMMIT", **_connecting(settings())
    )
    silence.bound_alone(made)
    connection.watch(made)
    return made


def require_limits() -> None:
    """Ask the database at the start of a process whether our role has its time limits. Raises ConfigError.

    A database that is away is no error here: every later connection is asked the same. One that is silent is waited for
    no longer than in a request, since requests may be waiting already.
    """
    with suppress(SQLAlchemyError), silence.starting(), engine().connect():
        pass
    engine().dispose()  # whoever starts processes of its own must not share a connection with them


@lru_cache(maxsize=1)
def autocommit_engine() -> Engine:
    """The same pool, every statement its own transaction: for reads."""
    return engine().execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def transaction() -> Iterator[Session]:
    """One transaction on `db.session`: commits when the block ends, rolls back when it raises.

    The session is new each time and removed at the end, so that nothing read before is believed. Without a Flask
    context it gets one of its own. Refuses to nest: a use case that needs another one's effect takes the session as an
    argument. Raises Busy when a lock was not had within `lock_timeout` or a deadlock was broken, and a DBAPIError of
    AnswerLost when the database fell silent: the transaction may be committed.
    """
    if _in_transaction.get():
        raise RuntimeError("transaction() inside transaction(): pass the session instead")
    context = None if has_app_context() else bare_app().app_context()
    mark = _in_transaction.set(True)
    try:  # in one piece: each generator more costs every request ten microseconds
        if context is not None:
            context.push()
        try:
            session = db.session()
            with session.begin():
                yield session
        finally:
            try:
                db.session.remove()
            finally:
                if context is not None:
                    context.pop()
    except DBAPIError as failed:
        raise_busy(failed)
        raise
    finally:
        _in_transaction.reset(mark)


@contextmanager
def reading() -> Iterator[Session]:
    """A session for reading: no transaction is held open, each statement sees what is committed then.

    A plain Session, since Flask-SQLAlchemy's ignores the engine it is given.
    """
    with Session(autocommit_engine(), expire_on_commit=False, autoflush=False) as session:
        yield session


@contextmanager
def statements() -> Iterator[ByName]:
    """The driver's cursor, each statement its own transaction in one round trip: for what every request pays.

    SQLAlchemy's work on a statement costs several times what such a statement costs PostgreSQL. Values are
    `%(name)s`, rows are named tuples, `prepare=True` spares the planning. What is scarce is taken in a single
    statement here, so that the lock on a contended row is held only while PostgreSQL itself works, not while a message
    travels. Raises as transaction() does: Busy, and DBAPIError, among them our own SQLSTATEs (class AX).
    """
    if _in_transaction.get():
        raise RuntimeError("statements() inside transaction(): they would not be part of it")
    try:  # in one piece, as transaction()
        lent = engine().raw_connection()
        driver = lent.driver_connection
        if not isinstance(driver, psycopg.Connection):
            raise TypeError("the pool holds connections of another driver")
        try:
            driver.autocommit = True
            cursor = cursor_of(lent, driver)
            try:
                yield cursor
            finally:
                cursor.forget()
        finally:
            _give_back(lent, driver)
    except psycopg.Error as failed:
        _raise_known(failed)


Ask = Callable[[str, Mapping[str, Any]], list[Any]]
"""Sends a statement with its values and returns the rows that it finds, as named tuples."""


def asking_in(session: Session) -> Ask:
    """`asking()` as part of the session's transaction."""
    return lambda sql, values: list(session.connection().exec_driver_sql(sql, dict(values)).fetchall())


@contextmanager
def asking() -> Iterator[Ask]:
    """`statements()` for several in a row on one connection: each is prepared, and raises as soon as it fails, so that
    the next may follow."""
    with statements() as cursor:

        def ask(sql: str, values: Mapping[str, Any]) -> list[Any]:
            try:
                return cursor.execute(sql, values, prepare=True).fetchall()
            except psycopg.Error as failed:
                _raise_known(failed)

        yield ask


def _raise_known(failed: psycopg.Error) -> NoReturn:
    """Raise what SQLAlchemy would make of the driver's error, or Busy."""
    known = DBAPIError.instance(None, None, failed, psycopg.Error, hide_parameters=True, dialect=engine().dialect)
    if isinstance(known, DBAPIError):
        raise_busy(known)
    raise known from failed


def rows(sql: str, values: Mapping[str, Any]) -> list[Any]:
    """What one statement finds, as named tuples, prepared and outside any transaction: for reads that many ask for."""
    with statements() as cursor:
        return cursor.execute(sql, values, prepare=True).fetchall()


def _give_back(lent: PoolProxiedConnection, driver: psycopg.Connection[Any]) -> None:
    """Give a connection back to the pool as it was. One that broke takes the pool's others with it: they were made
    before the server went."""
    if driver.pgconn.transaction_status == TransactionStatus.IDLE:
        driver.autocommit = False
        lent.close()
    else:
        lent.invalidate()
        engine().dispose()


def raise_busy(failed: DBAPIError) -> None:
    """Raise Busy if `failed` says that a rival was in the way, or that this process left its transaction alone for so
    long that PostgreSQL ended it, which undoes it: nothing was done, and it may be tried again. Else return."""
    if isinstance(failed.orig, _UNDONE):
        raise Busy() from failed


def violated(failed: DBAPIError) -> str | None:
    """The name of the constraint that refused, or our own code (SQLSTATE class AX), or None."""
    if not isinstance(failed.orig, pg.Error):
        return None
    if (failed.orig.sqlstate or "").startswith("AX"):
        return failed.orig.diag.message_primary
    return failed.orig.diag.constraint_name


def forget_engines() -> None:
    """Drop the engine and the Flask object that has it; for tests."""
    if _made_engines.cache_info().currsize:
        for each in _made_engines().values():
            each.dispose()
    for made in (autocommit_engine, apart_engine, _made_engines, bare_app):
        made.cache_clear()
