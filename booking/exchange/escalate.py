"""Commands without a clear answer for too long: a person is asked and the customer is notified.

That is so whatever the cause: a silent provider, one that takes nothing (429, 401, a refused connection), one whose
look-ups are not made.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from booking.discrepancies import Discrepancy, open_discrepancy
from booking.exchange.inbound import no_longer_unknown
from booking.feeds.models import SyncCursor
from booking.models import Booking, Feed, ProviderTask
from booking.notices.notify import notify
from booking.outbox import UNFINISHED
from booking.states import BookingState
from booking.transition import lock_booking
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from marketplace.core.one_by_one import one_by_one
from providers.registry import answering_here

ASK_A_PERSON = timedelta(minutes=9, seconds=30)
"""How long a command may stay without a clear answer before a person is asked and the customer is notified. Ten minutes
are promised; the job that looks for it runs every quarter of a minute, and may have to start again."""


def raise_unknown(*, now: datetime, limit: int = 100) -> int:
    """Ask a person, and notify the customer, about every command that has had no clear answer for too long; returns for
    how many. A command that is sent again counts from its first silence."""
    with reading() as session:
        due = session.scalars(_long_silent(now).order_by(ProviderTask.booking_id).limit(limit)).all()
        unseen = session.scalars(_unseen(now).order_by(Booking.id).limit(limit)).all()
        seen = session.scalars(_seen(now).order_by(Booking.id).limit(limit)).all()
    one_by_one("unknown", seen, lambda booking_id: _close_one(booking_id, now))
    return one_by_one("unknown", [*due, *unseen], lambda booking_id: _raise_one(booking_id, now))["asked"]


def _raise_one(booking_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, tasks = lock_booking(session, booking_id)
        since = _silent_since(tasks, now) if tasks else _unseen_since(session, booking)
        if since is None or since > now - ASK_A_PERSON:
            return "moved_on"
        command = tasks[0].command if tasks else "reserve"
        new = open_discrepancy(
            session,
            booking.provider_id,
            "outcome_unknown",
            booking.public_id,
            now=now,
            booking_id=booking.id,
            facts={"since": since.isoformat(), "ours": booking.state.value, "command": command},
        )
        notify(
            session,
            booking.customer_id,
            "outcome_unknown",
            f"{booking.public_id}:{tasks[0].public_id if tasks else 'answer'}",
            now=now,
            booking_id=booking.id,
            facts={"since": since.isoformat(), "command": command},
        )
    return "asked" if new else "known"


def _close_one(booking_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, tasks = lock_booking(session, booking_id)
        if tasks:
            return "known"
        no_longer_unknown(session, booking, booking.state.value, now)
    return "closed"


def _unseen(now: datetime) -> Select[int]:
    """Bookings that wait for a decision which we could not see: the provider's list has not been read for too long."""
    return select(Booking.id).where(
        _AWAITS_DECISION, ~_open_case(Booking.id), Booking.updated_at <= now - ASK_A_PERSON, ~_read_lately(now)
    )


def _seen(now: datetime) -> Select[int]:
    """Bookings that were raised for that, and whose provider's list is read again."""
    return select(Booking.id).where(_open_case(Booking.id), ~_has_command(Booking.id), _read_lately(now))


def _unseen_since(session: Session, booking: Booking) -> datetime | None:
    """Since when a decision would not have been seen; None when there is none to wait for."""
    if booking.state is not BookingState.AWAITING_PROVIDER:
        return None
    read = session.scalar(
        select(SyncCursor.last_success_at).where(
            SyncCursor.provider_id == booking.provider_id, SyncCursor.feed == Feed.BOOKINGS
        )
    )
    return booking.updated_at if read is None else max(read, booking.updated_at)


def _read_lately(now: datetime) -> ColumnElement[bool]:
    """Whether what the provider decides is seen: its list is read, or it answers here."""
    return exists().where(
        SyncCursor.provider_id == Booking.provider_id,
        SyncCursor.feed == Feed.BOOKINGS,
        SyncCursor.last_success_at > now - ASK_A_PERSON,
    ) | exists().where(Provider.id == Booking.provider_id, Provider.adapter.in_(answering_here()))


def _has_command(booking_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    return exists().where(ProviderTask.booking_id == booking_id, ProviderTask.state.in_(UNFINISHED))


_AWAITS_DECISION = and_(Booking.state == BookingState.AWAITING_PROVIDER, ~_has_command(Booking.id))


def _open_case(booking_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    return exists().where(
        Discrepancy.booking_id == booking_id, Discrepancy.kind == "outcome_unknown", Discrepancy.closed_at.is_(None)
    )


def _long_silent(now: datetime) -> Select[int]:
    """Bookings without an open case that have had no clear answer for too long. A command that is just being sent again
    has its chance first."""
    limit = now - ASK_A_PERSON
    return (
        select(ProviderTask.booking_id)
        .where(
            ProviderTask.state.in_(("queued", "unknown", "in_flight")),
            or_(
                func.coalesce(ProviderTask.silent_since, ProviderTask.unknown_since) <= limit,
                and_(ProviderTask.state == "unknown", ProviderTask.run_after <= limit),
            ),
            ~_open_case(ProviderTask.booking_id),
        )
        .distinct()
    )


def _silent_since(tasks: list[ProviderTask], now: datetime) -> datetime | None:
    """When the silence about the command at hand began; None when there is none. That the provider will decide later is
    an answer, but a look-up that was due and that nobody made is silence again."""
    task = tasks[0]
    if task.state == "unknown" and task.run_after <= now - ASK_A_PERSON:
        return task.silent_since or task.unknown_since or task.run_after
    refused_entry = task.state == "queued" and task.last_error in ("retry_after", "unreached")
    if task.unknown_since is None and not refused_entry:
        return None
    return task.silent_since or task.unknown_since
