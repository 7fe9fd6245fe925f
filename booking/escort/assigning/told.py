"""Who is told of an assignment: the desk and the worker's own page at once, the customer once somebody has said yes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from booking.escort.models import REPLACED, EscortAssignment, EscortWorker
from booking.live import topics
from booking.live.tell import tell
from booking.models import Booking
from booking.notices.notify import notify

ASSIGNED, CONFIRMED, ANOTHER = "escort_assigned", "escort_confirmed", "escort_replaced"
"""Kinds of notices: who comes; the same to a request, which is confirmed by that; somebody else comes instead."""
NOTICES = (ASSIGNED, CONFIRMED, ANOTHER)


def tell_desk(session: Session, worker: EscortWorker, row: EscortAssignment, *, now: datetime) -> None:
    """Tell open pages of the provider and of the worker that an assignment has another state."""
    listening = [topics.of_provider(row.provider_id)]
    if worker.member_id is not None:
        listening.append(topics.of_member(worker.member_id))
    tell(session, listening, "escort", {"assignment": row.public_id, "state": row.state}, now=now)


def tell_open_desks(session: Session, booking: Booking, case: str, *, now: datetime) -> None:
    """Tell open pages of the provider that a person is to look at a booking."""
    facts = {"booking": booking.public_id, "case": case}
    tell(session, [topics.of_provider(booking.provider_id)], "escort", facts, now=now)


def notify_accepted(
    session: Session,
    booking: Booking,
    worker: EscortWorker,
    row: EscortAssignment,
    *,
    confirmed: bool,
    now: datetime,
) -> None:
    """Notify the customer who comes; or that it is somebody else, where she was told of another one for this time.
    `confirmed`: and that her request is confirmed by it."""
    before = exists().where(
        EscortAssignment.booking_id == booking.id,
        EscortAssignment.id < row.id,
        EscortAssignment.worker_id != row.worker_id,  # she comes after all
        EscortAssignment.state == REPLACED,
        EscortAssignment.answered_at.is_not(None),
        EscortAssignment.period == row.period,
    )
    facts: dict[str, Any] = {
        "who": worker.shown_name,
        "trade": {"zh": worker.qualification_zh, "en": worker.qualification_en},
        "assignment": row.public_id,
    }
    kind = CONFIRMED if confirmed else ANOTHER if session.scalar(select(before)) else ASSIGNED
    if kind != ANOTHER and row.period.lower is not None and row.period.lower > now:
        facts["until"] = row.period.lower.isoformat()
    notify(session, booking.customer_id, kind, row.public_id, now=now, booking_id=booking.id, facts=facts)


def still_goes(session: Session, kind: str, assignment: str) -> bool:
    """Whether a notice of that kind about an assignment (public id) is still true; those of other kinds are."""
    if kind not in NOTICES:
        return True
    return session.scalar(select(EscortAssignment.state).where(EscortAssignment.public_id == assignment)) == "accepted"
