"""The time by the database's clock: one for all processes, whatever their own clocks say.

What is promised by the second is measured by it alone. A process whose clock is an hour off neither breaks a promise
early nor keeps it late.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.database.db import reading

When = datetime | Callable[[Session], datetime]
"""A moment; or how to read it once the rows that it decides about are locked, so that it lies within the lock and who
comes second reads the later one. Entrypoints pass `by_database`."""


def by_database(session: Session) -> datetime:
    """The present moment by the database's clock, not that of the transaction's begin. `CLOCK_OFFSET_SECONDS` of a
    process does not move it; the demonstration's clock does, since it is one for all."""
    stopped = clock.stopped_at()
    if stopped is not None:
        return stopped
    read: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    return read + clock.moved()


def moment(session: Session, when: When) -> datetime:
    """`when`, read now if it has to be read. The caller holds the locks that it decides under."""
    return when if isinstance(when, datetime) else when(session)


def now_by_database() -> datetime:
    """The same for a whole pass of a job, which hands it on."""
    with reading() as session:
        return by_database(session)
