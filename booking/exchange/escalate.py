"""Outcomes that stay unknown for too long: a person is asked and the customer is notified."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from booking.discrepancies import open_discrepancy
from booking.models import Booking, BookingHistory, Discrepancy, ProviderTask
from booking.notices.notify import notify
from booking.states import BookingState
from booking.transition import lock_booking
from marketplace.core.db import reading, transaction
from marketplace.core.one_by_one import one_by_one

ASK_A_PERSON = timedelta(minutes=9, seconds=30)
"""How long an outcome may stay open before a person is asked and the customer is notified. Ten minutes are promised;
the job that looks for it runs every quarter of a minute, and may have to start again."""


def raise_unknown(*, now: datetime, limit: int = 100) -> int:
    """Ask a person, and notify the customer, about every outcome that has been unknown for too long; returns for how
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
        BookingHistory.to_state == BookingState.OUTCOME_UNKNOWN.value,
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
    if booking.state is not BookingState.OUTCOME_UNKNOWN:
        return tasks[0].unknown_since
    first = session.scalar(
        select(func.min(BookingHistory.at)).where(
            BookingHistory.booking_id == booking.id, BookingHistory.to_state == BookingState.OUTCOME_UNKNOWN.value
        )
    )
    return min(first, tasks[0].unknown_since) if first is not None else tasks[0].unknown_since
