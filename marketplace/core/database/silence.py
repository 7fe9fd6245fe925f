"""How long an answer of PostgreSQL is waited for, and what is done when none comes.

A server that is slow ends a statement itself (`statement_timeout`). One that is silent - its host is gone, or something
between us takes bytes and passes none on - ends nothing: so each wait has an end of its own here. It closes our end of
the connection and asks the server for nothing, since the question would wait as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from select import POLLERR, POLLHUP, POLLNVAL, POLLRDHUP, poll
from threading import Lock, get_ident
from time import monotonic
from typing import Any

import psycopg
from flask import has_request_context
from psycopg.abc import RV, PQGen
from psycopg.errors import ConnectionTimeout, _WaitTimeout
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

from marketplace.core.config import settings

CONNECT_SECONDS = 5
WEB_CONNECT_SECONDS = 2
"""The shortest that libpq knows. With a wait before it, a person has her answer within five seconds."""
FOR_DEAD_HOSTS = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""What ends a connection whose other end no longer acknowledges a packet: the kernel, after 15 to 25 s."""

_AT_ONCE = 1.0
_ONE_AT_A_TIME = 6.0


heard: dict[int, float] = {}
"""When (by `monotonic`) each thread last had an answer, by its number."""


def heard_since(moment: float) -> bool:
    """Whether any thread had an answer since `moment`: then a connection is lost or a lock is waited for, and the
    database is not silent."""
    return any(at > moment for at in list(heard.values()))


class AnswerLost(psycopg.OperationalError):
    """No answer came in time, and the connection was closed.

    What was asked may have been done or not, a COMMIT too. Who must know looks it up; nobody may simply repeat it.
    """


class DatabaseSilent(psycopg.OperationalError):
    """No connection was tried, because the last ones had no answer and another thread is trying."""


_starting: ContextVar[bool] = ContextVar("starting", default=False)


@contextmanager
def starting() -> Iterator[None]:
    """Inside, wait no longer than in a request: what a web process asks at its start, requests already wait behind."""
    mark = _starting.set(True)
    try:
        yield
    finally:
        _starting.reset(mark)


def _somebody_waits() -> bool:
    return has_request_context() or _starting.get()


class Bounded(psycopg.Connection[Any]):
    """The driver's connection, with an end to each wait. `seconds` holds where nobody waits at a browser."""

    seconds = 12.0
    web_seconds = 3.5

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """As the driver's. Raises AnswerLost."""
        if timeout is None:
            timeout = self.web_seconds if _somebody_waits() else self.seconds
        begun = monotonic()
        try:
            found = super().wait(gen, interval, timeout)
        except _WaitTimeout as late:
            self.pgconn.finish()
            if not heard_since(begun):
                _silence.heard_nothing()
            raise AnswerLost(f"PostgreSQL gave no answer within {timeout:g} s: what was asked may be done") from late
        heard[get_ident()] = monotonic()
        return found

    # The pool calls these for each use, when no transaction is open and nothing is asked of the server: then there is
    # nothing to wait for either, and the driver's way through a wait costs as much as a row.

    def rollback(self) -> None:
        """As the driver's."""
        if self.pgconn.transaction_status != TransactionStatus.IDLE:
            super().rollback()

    def set_autocommit(self, value: bool) -> None:
        """As the driver's."""
        if self.pgconn.transaction_status != TransactionStatus.IDLE:
            super().set_autocommit(value)
        self._autocommit = bool(value)


class _Silence:
    """What this process knows of the database's silence, so that its threads don't all wait for the same nothing."""

    def __init__(self) -> None:
        self._since = float("-inf")
        self._trying = Lock()

    def hear(self) -> None:
        self._since = float("-inf")

    def heard_nothing(self) -> None:
        self._since = monotonic()

    def connect(self, args: Any, given: dict[str, Any]) -> Bounded:
        """A connection. After a silence none is tried for a second, then by one thread at a time until one is had.

        Raises psycopg.OperationalError, among them DatabaseSilent.
        """
        seconds = monotonic() - self._since
        if seconds > _ONE_AT_A_TIME:
            return self._try(args, given)
        if seconds < _AT_ONCE or not self._trying.acquire(blocking=False):
            raise DatabaseSilent("PostgreSQL gives no answer")
        try:
            made = self._try(args, given)
            self.hear()
            return made
        finally:
            self._trying.release()

    def _try(self, args: Any, given: dict[str, Any]) -> Bounded:
        try:
            return connect(*args, **given)
        except ConnectionTimeout:
            self.heard_nothing()
            raise


_silence = _Silence()


def connect(*args: Any, **given: Any) -> Bounded:
    """A connection whose waits end. Raises psycopg.OperationalError, within the time for connecting."""
    config = settings()
    seconds = WEB_CONNECT_SECONDS if _somebody_waits() else CONNECT_SECONDS
    made = Bounded.connect(*args, **{**FOR_DEAD_HOSTS, **given, "connect_timeout": seconds})
    made.seconds, made.web_seconds = config.answer_seconds, config.web_answer_seconds
    return made


def bound(engine: Engine) -> None:
    """Let all connections of `engine` be such, spare each other the same wait, and lend none whose server has gone."""
    event.listen(engine, "do_connect", lambda dialect, record, args, given: _silence.connect(args, given))
    event.listen(engine, "checkout", lambda connection, record, fairy: refuse_ended(connection))


_ENDED = POLLRDHUP | POLLHUP | POLLERR | POLLNVAL


def refuse_ended(connection: Bounded) -> None:
    """Raise DisconnectionError, upon which the pool makes another, if the server has ended the connection while it lay
    in the pool: it was restarted, or a timer ended it. The kernel knows that, so nobody is asked over the wire."""
    if connection.closed:
        raise DisconnectionError
    asked = poll()
    asked.register(connection.fileno(), POLLRDHUP)
    if any(found & _ENDED for _, found in asked.poll(0)):
        raise DisconnectionError


def bound_alone(engine: Engine) -> None:
    """Let all connections of `engine` be such, each tried whatever others met: for who asks whether all is well."""
    event.listen(engine, "do_connect", lambda dialect, record, args, given: connect(*args, **given))


def forget() -> None:
    """As in a new process; for tests."""
    _silence.hear()
