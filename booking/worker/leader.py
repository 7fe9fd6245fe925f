"""The lock that makes one of several workers the leader."""

from __future__ import annotations

from sqlalchemy import Connection, text

from marketplace.core.config import settings
from marketplace.core.database.db import leader_engine
from marketplace.core.logging import get_logger

log = get_logger(__name__)

LEADER_LOCK = 0x414E5849  # "ANXI"


class LeaderLock:
    """An advisory lock on a connection of its own: it ends with the connection, however that ends.

    Behind a pooler it would belong to a connection that everybody shares, and two workers could both have it. So nobody
    takes it there, which is said once: LEADER_DATABASE_URL leads past the pooler.

    The server ends it when nothing is asked over it for LEADER_SILENT_SECONDS (a leader asks every two), so that the
    lock of a lost leader is free again even where its end of the connection still seems to be there.
    """

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._said = False
        self._silent_seconds = settings().leader_silent_seconds

    @property
    def held(self) -> bool:
        """True from take() to drop()."""
        return self._connection is not None

    def take(self) -> bool:
        """True when it is ours now; False when another worker has it, or no way leads past a pooler."""
        connection = leader_engine().connect().execution_options(isolation_level="AUTOCOMMIT")
        if not self._straight(connection) or not self._had(connection):
            connection.close()
            return False
        connection.execute(text(f"SET idle_session_timeout = '{self._silent_seconds}s'"))  # never lent again
        self._connection = connection
        return True

    def check(self) -> None:
        """Raises SQLAlchemyError when the connection is gone, and the lock with it."""
        if self._connection is not None:
            self._connection.execute(text("SELECT 1"))

    def drop(self) -> None:
        """End the connection, as far as it still is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _straight(self, connection: Connection) -> bool:
        pooled = bool(connection.info["pooled"])
        if pooled and not self._said:
            self._said = True
            log.error("worker.cannot_lead", reason="behind a pooler: LEADER_DATABASE_URL must lead past it")
        return not pooled

    def _had(self, connection: Connection) -> bool:
        taken = connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LEADER_LOCK})
        return bool(taken.scalar_one())
