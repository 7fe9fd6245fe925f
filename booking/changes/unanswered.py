"""What the clock ends: holds after ten minutes, requests the provider did not answer in time."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from booking.actors import CLOCK
from booking.changes.cancel import begin_cancel
from booking.discrepancies import open_discrepancy
from booking.models import Booking, BookingHistory, Discrepancy, InboxEvent, ProviderTask
from booking.notices import notify
from booking.proposal import Proposal, open_proposal
from booking.states import BookingState
from booking.transition import lock_booking, move
from marketplace.core.db import reading, transaction
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from marketplace.core.retention import forget

log = get_logger(__name__)
_S = BookingState

ASK_A_PERSON = timedelta(minutes=9, seconds=30)
"""How long an outcome may stay open before a person is asked and the customer is told. Ten minutes are promised; the
clock that looks comes by every quarter of a minute, and may have to start again."""


_PROPOSED = exists().where(Proposal.booking_id == Booking.id, Proposal.state == "open")
"""The provider did answer: it proposed another time, and now the customer is waited for."""


def expire_holds(*, now: datetime, limit: int = 200) -> int:
    """End holds that are over, one transaction each; returns how many."""
    with reading() as session:
        due = session.scalars(
            select(Booking.id)
            .where(Booking.state == _S.HELD, Booking.hold_expires_at <= now)
            .order_by(Booking.hold_expires_at)
            .limit(limit)
        ).all()
    return one_by_one("holds", due, lambda booking_id: _expire(booking_id, now))["ended"]


def _expire(booking_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, _ = lock_booking(session, booking_id)
        if booking.state is not _S.HELD or booking.hold_expires_at is None or booking.hold_expires_at > now:
            return "moved_on"
        move(session, booking, _S.EXPIRED, actor=CLOCK, now=now, cause="hold_expired")
    return "ended"


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


def raise_unknown(*, now: datetime, limit: int = 100) -> int:
    """Ask a person, and tell the customer, about every outcome that has been unknown for too long; returns for how
    many. A command that is sent again and stays unknown counts from its first silence."""
    with reading() as session:
        due = session.scalars(_long_unknown(now).order_by(ProviderTask.booking_id).limit(limit)).all()
    return one_by_one("unknown", due, lambda booking_id: _raise_one(booking_id, now))["asked"]


def _raise_one(booking_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, tasks = lock_booking(session, booking_id)
        since = _unknown_since(session, booking, tasks)
        if since is None or since > now - ASK_A_PERSON:
            return "moved_on"
        new = open_discrepancy(
            session,
            booking.provider_id,
            "outcome_unknown",
            booking.public_id,
            now=now,
            booking_id=booking.id,
            facts={"since": since.isoformat(), "ours": booking.state.value, "command": tasks[0].command},
        )
        notify(
            session,
            booking.customer_id,
            "outcome_unknown",
            f"{booking.public_id}:{tasks[0].public_id}",
            now=now,
            booking_id=booking.id,
            facts={"since": since.isoformat(), "command": tasks[0].command},
        )
    return "asked" if new else "known"


def _long_unknown(now: datetime) -> Select[int]:
    """Bookings without an open case whose oldest unfinished command has been unknown, or first was, for too long."""
    silent = exists().where(
        BookingHistory.booking_id == ProviderTask.booking_id,
        BookingHistory.to_state == _S.OUTCOME_UNKNOWN.value,
        BookingHistory.at <= now - ASK_A_PERSON,
    )
    open_case = exists().where(
        Discrepancy.booking_id == ProviderTask.booking_id,
        Discrepancy.kind == "outcome_unknown",
        Discrepancy.closed_at.is_(None),
    )
    return (
        select(ProviderTask.booking_id)
        .where(
            ProviderTask.state.in_(("unknown", "in_flight")),
            ProviderTask.unknown_since.is_not(None),
            (ProviderTask.unknown_since <= now - ASK_A_PERSON) | silent,
            ~open_case,
        )
        .distinct()
    )


def _unknown_since(session: Session, booking: Booking, tasks: list[ProviderTask]) -> datetime | None:
    """When the silence about the command at hand began; None when nothing is unknown any more."""
    if not tasks or tasks[0].unknown_since is None:
        return None
    if booking.state is not _S.OUTCOME_UNKNOWN:
        return tasks[0].unknown_since
    first = session.scalar(
        select(func.min(BookingHistory.at)).where(
            BookingHistory.booking_id == booking.id, BookingHistory.to_state == _S.OUTCOME_UNKNOWN.value
        )
    )
    return min(first, tasks[0].unknown_since) if first is not None else tasks[0].unknown_since


def forget_events(*, now: datetime, batch: int = 1000) -> int:
    """Drop the inbox's rows older than 90 days (a provider repeats an event for days at most); returns how many."""
    return forget(InboxEvent.id, InboxEvent.received_at, now - timedelta(days=90), batch)
