"""The integrity alarm: a stored ciphertext that does not open was changed, swapped, or lost its key.

It names the record and nothing of a person. It is a line in the log and a row that operators are shown; the row is
written apart from the caller's transaction, which is about to be taken back.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import Text, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.database.columns import Moment, PrimaryKey
from marketplace.core.database.db import Base, apart_engine, reading
from marketplace.core.database.retention import forget
from marketplace.core.logging import get_logger

SHOWN_FOR = timedelta(days=7)
"""A record that has opened, or was not asked for, since then is no alarm any more."""
FORGOTTEN_AFTER = timedelta(days=90)
AGAIN_SECONDS = 60.0
MOST_REMEMBERED = 1000
MOST_SHOWN = 50

log = get_logger(__name__)


class IntegrityAlarm(Base):
    """A record whose ciphertext does not open; `times` counts at most one a minute from each process."""

    __tablename__ = "integrity_alarm"

    id: Mapped[PrimaryKey]
    record: Mapped[str] = mapped_column(Text, unique=True)
    times: Mapped[int] = mapped_column(server_default="1")
    first_at: Mapped[Moment]
    last_at: Mapped[Moment] = mapped_column(index=True)


@dataclass(frozen=True)
class Alarm:
    """An alarm as operators see it."""

    record: str
    times: int
    first_at: datetime
    last_at: datetime


class _Raised:
    """What this process raised a moment ago: a page that is asked for again and again must not write each time."""

    def __init__(self) -> None:
        self._at: dict[str, float] = {}
        self._lock = Lock()

    def lately(self, record: str) -> bool:
        now = time.monotonic()
        with self._lock:
            if len(self._at) >= MOST_REMEMBERED:
                self._at.clear()
            before = self._at.get(record)
            if before is not None and now - before < AGAIN_SECONDS:
                return True
            self._at[record] = now
        return False

    def forget(self) -> None:
        with self._lock:
            self._at.clear()


_raised = _Raised()


def alarm(record: str) -> None:
    """Raise the alarm for a record; never fails, whatever the database does."""
    if _raised.lately(record):
        return
    log.error("integrity.broken", record=record)
    try:
        with apart_engine().begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO integrity_alarm AS a (record, first_at, last_at) VALUES (:record, :now, :now)"
                    " ON CONFLICT (record) DO UPDATE SET times = a.times + 1, last_at = excluded.last_at"
                ),
                {"record": record, "now": clock.now()},
            )
    except SQLAlchemyError as failed:
        log.warning("integrity.not_stored", record=record, error=type(failed).__name__)


def alarms(*, now: datetime) -> Sequence[Alarm]:
    """The alarms of the last days, the newest first, at most MOST_SHOWN."""
    with reading() as session:
        rows = session.scalars(
            select(IntegrityAlarm)
            .where(IntegrityAlarm.last_at > now - SHOWN_FOR)
            .order_by(IntegrityAlarm.last_at.desc(), IntegrityAlarm.id)
            .limit(MOST_SHOWN)
        ).all()
    return [Alarm(row.record, row.times, row.first_at, row.last_at) for row in rows]


def forget_alarms(*, now: datetime, batch: int = 1000) -> int:
    """Drop alarms that were last raised 90 days ago; returns how many."""
    return forget(IntegrityAlarm.id, IntegrityAlarm.last_at, now - FORGOTTEN_AFTER, batch)


def forget_raised() -> None:
    """Raise at once what was raised a moment ago; for tests."""
    _raised.forget()
