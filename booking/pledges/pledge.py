"""Begin, meet and cancel a pledge, each in the transaction of the act that does so.

Whoever comes second under the row's lock decides by the moments, not by having come second: an answer whose moment is
past `due_at` breaks the pledge, with all that follows from it, although the clock has not come round to it yet. Lock
the booking first where there is one, then the pledge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.models import Booking
from booking.pledges.breach import breach, owed
from booking.pledges.models import OPEN, Pledge, PledgeCompensation
from marketplace.catalog.kinds import kind
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger

log = get_logger(__name__)

FIRST_ANSWER = "first_answer"
"""A person answers the customer's first message."""


@dataclass(frozen=True)
class Promise:
    """What is promised: its code, within so many seconds, and how many units a broken one gives."""

    code: str
    seconds: int
    units: int = 1


@dataclass(frozen=True)
class Subject:
    """What it is about: a kind (conversation, booking, complaint) and a public id."""

    kind: str
    public_id: str


@dataclass(frozen=True)
class PledgeView:
    """A pledge as it is shown. `ended_at`: when it was met, breached or cancelled, None while it is open. `units`: what
    a broken one gives, and as long as it is open what it would give now; `given`: what this one gave."""

    public_id: str
    promise: str
    state: str
    seconds: int
    begun_at: datetime
    due_at: datetime
    ended_at: datetime | None
    units: int
    given: int = 0


def promised_seconds(kind_code: str, package: Mapping[str, Any]) -> int | None:
    """Within how many seconds the package promises a first answer, else its kind; None where nothing is promised."""
    seconds = package.get("pledge_seconds") or kind(kind_code).traits.pledge_seconds
    return None if seconds is None else int(seconds)


def promised(booking: Booking, code: str = FIRST_ANSWER) -> Promise | None:
    """What was promised when it was booked; None where nothing was."""
    package = booking.snapshot.get("package", {})
    seconds = promised_seconds(booking.kind, package)
    if seconds is None:
        return None
    return Promise(code, seconds, int(package.get("compensation_units", 1)))


def begin(session: Session, promise: Promise, subject: Subject, booking: Booking, *, now: datetime) -> bool:
    """Begin it, unless this was promised for the subject before. Returns whether it is new."""
    added = session.execute(
        insert(Pledge)
        .values(
            public_id=new_id("plg"),
            promise=promise.code,
            subject_kind=subject.kind,
            subject=subject.public_id,
            insurer_id=booking.insurer_id,
            customer_id=booking.customer_id,
            provider_id=booking.provider_id,
            booking_id=booking.id,
            seconds=promise.seconds,
            units=promise.units,
            begun_at=now,
            risk_due_at=now + timedelta(seconds=promise.seconds) / 2,
            due_at=now + timedelta(seconds=promise.seconds),
        )
        .on_conflict_do_nothing(index_elements=["subject_kind", "subject", "promise"])
        .returning(Pledge.id)
    ).scalar_one_or_none()
    return added is not None


def meet(session: Session, code: str, subject: Subject, *, now: datetime) -> str | None:
    """It was kept at `now`, read under the locks of what kept it. Returns the pledge's state after it: met; breached if
    it was late; what it was before if it had ended. None where nothing was promised."""
    found = _lock(
        session, Pledge.promise == code, Pledge.subject_kind == subject.kind, Pledge.subject == subject.public_id
    )
    for pledge in found:
        if pledge.state in OPEN and now < pledge.due_at:
            pledge.state, pledge.met_at = "met", max(now, pledge.begun_at)
            log.info("pledge.met", pledge=pledge.public_id, seconds=(now - pledge.begun_at).total_seconds())
        elif pledge.state in OPEN:
            breach(session, pledge, now=now, kept=True)
        session.flush()
        return pledge.state
    return None


def cancel(session: Session, booking: Booking, *, now: datetime) -> int:
    """The customer gave up herself what her booking (locked) was about: whatever is open of it ends. One that was
    broken by then is breached. Returns how many were cancelled."""
    count = 0
    for pledge in _lock(session, Pledge.booking_id == booking.id, Pledge.state.in_(OPEN)):
        if now < pledge.due_at:
            pledge.state, pledge.cancelled_at = "cancelled", max(now, pledge.begun_at)
            count += 1
            log.info("pledge.cancelled", pledge=pledge.public_id)
        else:
            breach(session, pledge, now=now)
    session.flush()
    return count


def pledge_of(session: Session, booking_id: int, code: str = FIRST_ANSWER) -> PledgeView | None:
    """The newest pledge of that code about a booking (internal id)."""
    found = session.scalar(
        select(Pledge)
        .where(Pledge.booking_id == booking_id, Pledge.promise == code)
        .order_by(Pledge.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    if found is None:
        return None
    return PledgeView(
        found.public_id,
        found.promise,
        found.state,
        found.seconds,
        found.begun_at,
        found.due_at,
        found.met_at or found.breached_at or found.cancelled_at,
        owed(session, found) if found.state in OPEN else found.units,
        session.scalar(select(PledgeCompensation.units).where(PledgeCompensation.pledge_id == found.id)) or 0,
    )


def _lock(session: Session, *conditions: object) -> list[Pledge]:
    query = select(Pledge).where(*conditions).order_by(Pledge.id)  # type: ignore[arg-type]
    return list(session.scalars(query.with_for_update().execution_options(populate_existing=True)))
