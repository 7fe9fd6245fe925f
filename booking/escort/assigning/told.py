"""Who is told of an assignment: the desk and the worker's own page at once, the customer once somebody has said yes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session

from booking.escort.models import REPLACED, EscortAssignment, EscortWorker
from booking.live import topics
from booking.live.tell import tell
from booking.models import Booking
from booking.notices.notify import notify

ASSIGNED, CONFIRMED, ANOTHER = "escort_assigned", "escort_confirmed", "escort_replaced"
"""Kinds of notices: who comes; the same to a request, which is confirmed by that; somebody else comes instead."""
NOTICES = (ASSIGNED, CONFIRMED, ANOTHER)
WORD = "escort_word"
"""The kind of the notice that who comes says another safe word than before."""


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
        or_(  # else she comes after all
            EscortAssignment.worker_id != row.worker_id,
            and_(EscortAssignment.outside, EscortAssignment.worker_then["name"].astext != row.worker_then["name"]),
        ),
        EscortAssignment.state == REPLACED,
        EscortAssignment.answered_at.is_not(None),
        EscortAssignment.period == row.period,
    )
    facts: dict[str, Any] = {
        "who": row.worker_then["name"],
        "trade": {"zh": row.worker_then["qualification_zh"], "en": row.worker_then["qualification_en"]},
        "assignment": row.public_id,
    }
    kind = CONFIRMED if confirmed else ANOTHER if session.scalar(select(before)) else ASSIGNED
    if kind != ANOTHER and row.period.lower is not None and row.period.lower > now:
        facts["until"] = row.period.lower.isoformat()
    notify(session, booking.customer_id, kind, row.public_id, now=now, booking_id=booking.id, facts=facts)


def notify_word(session: Session, booking: Booking, row: EscortAssignment, *, now: datetime) -> None:
    """Notify the customer that who comes says another word than she was told of; which one, her page says."""
    facts = {"who": row.worker_then["name"], "assignment": row.public_id}
    subject = f"{row.public_id}:{now.isoformat()}"
    notify(session, booking.customer_id, WORD, subject, now=now, booking_id=booking.id, facts=facts)


def still_goes(session: Session, kind: str, subject: str) -> bool:
    """Whether a notice of that kind about an assignment is still true; those of other kinds are."""
    if kind not in (*NOTICES, WORD):
        return True
    assignment = subject.partition(":")[0]
    return session.scalar(select(EscortAssignment.state).where(EscortAssignment.public_id == assignment)) == "accepted"
