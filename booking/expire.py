"""What the clock ends: holds after ten minutes, requests the provider did not answer in time."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import exists, select

from booking.actors import CLOCK
from booking.cancel import begin_cancel
from booking.discrepancies import open_discrepancy
from booking.models import Booking, Discrepancy, IdempotencyKey, InboxEvent, ProviderTask
from booking.states import BookingState
from booking.transition import lock_booking, move
from marketplace.core.db import reading, transaction
from marketplace.core.logging import get_logger
from marketplace.core.retention import forget

log = get_logger(__name__)
_S = BookingState

ASK_A_PERSON = timedelta(minutes=10)
"""How long an outcome may stay open before a person is asked."""


def expire_holds(*, now: datetime, limit: int = 200) -> int:
    """End holds that are over, one transaction each; returns how many."""
    with reading() as session:
        due = session.scalars(
            select(Booking.id)
            .where(Booking.state == _S.HELD, Booking.hold_expires_at <= now)
            .order_by(Booking.hold_expires_at)
            .limit(limit)
        ).all()
    ended = 0
    for booking_id in due:
        with transaction() as session:
            booking, _ = lock_booking(session, booking_id)
            if booking.state is _S.HELD and booking.hold_expires_at is not None and booking.hold_expires_at <= now:
                move(session, booking, _S.EXPIRED, actor=CLOCK, now=now, cause="hold_expired")
                ended += 1
    return ended


def end_unanswered(*, now: datetime, limit: int = 100) -> int:
    """Ask for a cancel of requests whose answer deadline has passed; returns how many were asked."""
    with reading() as session:
        due = session.scalars(
            select(Booking.id)
            .where(Booking.state == _S.AWAITING_PROVIDER, Booking.answer_due_at <= now)
            .order_by(Booking.answer_due_at)
            .limit(limit)
        ).all()
    asked = 0
    for booking_id in due:
        with transaction() as session:
            booking, tasks = lock_booking(session, booking_id)
            if booking.state is _S.AWAITING_PROVIDER and booking.answer_due_at and booking.answer_due_at <= now:
                booking.answer_due_at = None
                begin_cancel(session, booking, tasks, actor=CLOCK, cause="not_answered_in_time", now=now)
                asked += 1
    return asked


def raise_unknown(*, now: datetime, limit: int = 100) -> int:
    """Open a case for every outcome that has been unknown for ten minutes; returns how many were opened."""
    with reading() as session:
        due = session.execute(
            select(Booking.id, Booking.public_id, Booking.provider_id, ProviderTask.unknown_since)
            .join(ProviderTask, ProviderTask.booking_id == Booking.id)
            .where(
                ProviderTask.unknown_since <= now - ASK_A_PERSON,
                ProviderTask.state.in_(("unknown", "in_flight")),
                ~exists().where(
                    Discrepancy.provider_id == Booking.provider_id,
                    Discrepancy.kind == "outcome_unknown",
                    Discrepancy.subject == Booking.public_id,
                    Discrepancy.closed_at.is_(None),
                ),
            )
            .order_by(Booking.id)
            .limit(limit)
        ).all()
    for row in due:
        with transaction() as session:
            open_discrepancy(
                session,
                row.provider_id,
                "outcome_unknown",
                row.public_id,
                now=now,
                booking_id=row.id,
                facts={"since": row.unknown_since.isoformat()},
            )
    return len(due)


def forget_keys(*, now: datetime, batch: int = 1000) -> int:
    """Drop all idempotency keys older than 48 hours (they are promised for 24); returns how many."""
    return forget(IdempotencyKey.id, IdempotencyKey.created_at, now - timedelta(hours=48), batch)


def forget_events(*, now: datetime, batch: int = 1000) -> int:
    """Drop the inbox's rows older than 90 days (a provider repeats an event for days at most); returns how many."""
    return forget(InboxEvent.id, InboxEvent.received_at, now - timedelta(days=90), batch)
