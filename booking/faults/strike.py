"""Whether a fault strikes here: the one place that is asked, by everything that may be struck.

Each process remembers for a second which providers have a rehearsal under way. While none has, being asked costs a look
at the clock, and one query a second. A rehearsal waits longer than that before it makes its first booking
(`NOTICED_AFTER`), so that no process is surprised by one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from booking.faults.kinds import Kind
from booking.faults.models import Rehearsal, RehearsalBooking, RehearsalStep
from marketplace.core.database.db import reading, transaction

REMEMBERED_SECONDS = 1.0
NOTICED_AFTER = timedelta(seconds=3)
MOST_STEPS = 100
READ = "read"
"""What a look at the booking is noted as."""
By = Literal["us", "partner", "customer"]


@dataclass(frozen=True)
class Armed:
    """A fault that may strike what is done about this booking (a public id) now."""

    id: int
    provider_id: int
    kind: Kind
    seconds: int
    hold: int
    booking: str
    made_at: datetime


class _Memory:
    """Which providers have a rehearsal under way, and until when (by the monotonic clock) that is believed."""

    def __init__(self) -> None:
        self.providers: frozenset[int] = frozenset()
        self.until = 0.0


_memory = _Memory()


def rehearsing(provider_id: int) -> bool:
    """Whether this provider has a rehearsal under way, as far as this process knows."""
    return provider_id in _rehearsing()


def any_rehearsal() -> bool:
    """Whether anybody has."""
    return bool(_rehearsing())


def _rehearsing() -> frozenset[int]:
    now = time.monotonic()
    if now >= _memory.until:
        with reading() as session:
            found = session.scalars(select(Rehearsal.provider_id).where(Rehearsal.state == "running"))
            _memory.providers = frozenset(found)
        _memory.until = now + REMEMBERED_SECONDS
    return _memory.providers


def forget() -> None:
    """Look anew when asked next: this process has begun or ended a rehearsal."""
    _memory.until = 0.0


def fault_of(provider_id: int, booking: str) -> Armed | None:
    """The fault that strikes what this provider and we say of the booking; None if there is none, as for every booking
    whose customer is real."""
    if not booking or not rehearsing(provider_id):
        return None
    mine = (
        RehearsalBooking.provider_id == provider_id,
        RehearsalBooking.booking == booking,
        RehearsalBooking.state == "running",
    )
    with reading() as session:
        row = session.scalars(select(RehearsalBooking).where(*mine)).one_or_none()
        if row is None or row.made_at is None:
            return None
        return Armed(row.id, provider_id, Kind(row.kind), row.seconds, row.hold, row.booking, row.made_at)


def take(armed: Armed, *, now: datetime) -> bool:
    """Whether it is this caller that strikes, of a fault that strikes once."""
    once = (RehearsalBooking.id == armed.id, RehearsalBooking.struck_at.is_(None))
    with transaction() as session:
        struck = session.scalar(
            update(RehearsalBooking).where(*once).values(struck_at=now).returning(RehearsalBooking.id)
        )
    return struck is not None


def note(armed: Armed, by: By, what: str, facts: Mapping[str, Any], *, now: datetime) -> None:
    """Write a line of the timeline, in a transaction of its own. Of many looks one after another only the first is
    written, and of a flood of anything the first MOST_STEPS."""
    mine = RehearsalStep.rehearsal_booking_id == armed.id
    with transaction() as session:
        last = session.scalar(select(RehearsalStep.what).where(mine).order_by(RehearsalStep.id.desc()).limit(1))
        count = session.scalar(select(func.count()).select_from(RehearsalStep).where(mine)) or 0
        if count < MOST_STEPS and not last == what == READ:
            write_step(session, armed.id, by, what, facts, now=now)


def write_step(session: Session, fault_id: int, by: By, what: str, facts: Mapping[str, Any], *, now: datetime) -> None:
    """The same in the caller's transaction."""
    session.add(RehearsalStep(rehearsal_booking_id=fault_id, at=now, by=by, what=what, facts=dict(facts)))
