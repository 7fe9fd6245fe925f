"""What the clock ends: requests that the provider did not answer in time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, select

from booking.actors import CLOCK
from booking.changes.cancel import begin_cancel
from booking.models import Booking
from booking.proposal import Proposal, open_proposal
from booking.states import BookingState
from booking.transition import lock_booking
from marketplace.core.db import reading, transaction
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one

log = get_logger(__name__)
_S = BookingState


_PROPOSED = exists().where(Proposal.booking_id == Booking.id, Proposal.state == "open")
"""The provider did answer: it proposed another time, and now the customer is waited for."""


def end_unanswered(*, now: datetime, limit: int = 100) -> int:
    """Ask for a cancel of requests whose answer deadline has passed; returns how many were asked."""
    with reading() as session:
        due = session.scalars(
            select(Booking.id)
            .where(Booking.state == _S.AWAITING_PROVIDER, Booking.answer_due_at <= now, ~_PROPOSED)
            .order_by(Booking.answer_due_at)
            .limit(limit)
        ).all()
    return one_by_one("unanswered", due, lambda booking_id: _end_one(booking_id, now))["asked"]


def _end_one(booking_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, tasks = lock_booking(session, booking_id)
        due_at = booking.answer_due_at if open_proposal(session, booking) is None else None
        if booking.state is not _S.AWAITING_PROVIDER or due_at is None or due_at > now:
            return "moved_on"
        booking.answer_due_at = None
        begin_cancel(session, booking, tasks, actor=CLOCK, cause="not_answered_in_time", now=now)
    return "asked"
