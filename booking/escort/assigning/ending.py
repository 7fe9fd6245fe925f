"""An assignment ends: its worker's time is free in the same transaction, and the clock looks for somebody else."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.escort.assigning.told import tell_desk
from booking.escort.assigning.way import lock_worker, renew_ways
from booking.escort.dispatch.nobody import left_alone
from booking.escort.dispatch.search import look_again
from booking.escort.models import ACCEPTED, LIVE, EscortAssignment, EscortWorker
from booking.models import Booking, ProviderTask
from booking.transition import lock_booking, touch


def lock_assignment(
    session: Session, row_id: int
) -> tuple[Booking, list[ProviderTask], EscortWorker, EscortAssignment]:
    """Lock the booking of an assignment (internal id), then its worker's row, and read it then."""
    booking_id, worker_id = session.execute(
        select(EscortAssignment.booking_id, EscortAssignment.worker_id).where(EscortAssignment.id == row_id)
    ).one()
    booking, tasks = lock_booking(session, booking_id)
    worker = lock_worker(session, worker_id)
    fresh = select(EscortAssignment).where(EscortAssignment.id == row_id)
    row = session.scalars(fresh.execution_options(populate_existing=True)).one()
    return booking, tasks, worker, row


def end(
    session: Session,
    booking: Booking,
    worker: EscortWorker,
    asked: EscortAssignment,
    state: str,
    cause: str,
    *,
    now: datetime,
) -> None:
    """End a live assignment of a locked booking and worker. Once the booking has begun, people are asked at once."""
    if asked.state not in LIVE:
        raise ValueError("an assignment that has ended")
    was_shown = asked.state == ACCEPTED
    asked.state, asked.cause, asked.ended_at = state, cause, max(now, asked.asked_at)
    session.flush()
    renew_ways(session, worker, now=now)
    look_again(session, booking.id, now=now)
    left_alone(session, booking, now=now)
    if was_shown:
        touch(booking, now=now)
    tell_desk(session, worker, asked, now=now)
