"""Commands that a provider does not take: one discrepancy for each provider and cause, and each customer notified once.

A provider that an operator has paused is left alone on purpose: its commands wait without a discrepancy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from booking.calls.breaker import Call
from booking.calls.models import ProviderBreaker
from booking.discrepancies import Discrepancy, close_discrepancy, open_discrepancy
from booking.models import Booking, ProviderTask
from booking.notices.models import Notification
from booking.notices.notify import notify
from booking.outbox import UNFINISHED
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from marketplace.core.one_by_one import one_by_one

COMMANDS_WAITING = "commands_waiting"
NOTICE = "command_waiting"
LONGEST_WAIT = timedelta(minutes=2)
MOST_NAMED = 50
"""Bookings that a discrepancy names; it counts them all."""
MOST_NOTIFIED = 200
"""Customers who are notified in one transaction; the next run goes on."""

NOT_REACHED, TOLD_TO_WAIT, NOT_SENT = "not_reached", "told_to_wait", "not_sent"
CAUSES = (NOT_REACHED, TOLD_TO_WAIT, NOT_SENT)
"""The breaker is open or no connection comes about; the provider answers that it takes nothing now; no worker came to
send them."""


@dataclass(frozen=True)
class _Trouble:
    provider_id: int
    cause: str
    waiting: int
    since: datetime
    bookings: Sequence[str]


def raise_waiting(*, now: datetime) -> dict[str, int]:
    """Open, extend and close the discrepancies about commands that have waited for longer than LONGEST_WAIT, and notify
    the customers. Returns counts of what was done, by provider and cause."""
    with reading() as session:
        troubles = {(row.provider_id, row.cause): row for row in _troubles(session, now)}
        known = session.execute(
            select(Discrepancy.provider_id, Discrepancy.subject).where(
                Discrepancy.kind == COMMANDS_WAITING, Discrepancy.closed_at.is_(None)
            )
        )
        over = [row for row in known if (row.provider_id, row.subject) not in troubles]
    counts = one_by_one(COMMANDS_WAITING, list(troubles.items()), lambda row: _raise(row[1], now))
    counts += one_by_one(COMMANDS_WAITING, over, lambda row: _close(row.provider_id, row.subject, now))
    return dict(counts)


def waiting_since(session: Session, *, now: datetime) -> dict[int, datetime]:
    """Since when the oldest command waits at each provider (internal id) that has one which waited for too long."""
    rows = session.execute(
        select(ProviderTask.provider_id, func.min(ProviderTask.created_at).label("since"))
        .where(_waits_too_long(now))
        .group_by(ProviderTask.provider_id)
    )
    return {row.provider_id: row.since for row in rows}


def is_waiting(session: Session, booking_id: int) -> bool:
    """Whether a command of the booking has still not been taken by its provider."""
    known = select(ProviderTask.id).where(ProviderTask.booking_id == booking_id, _not_taken()).limit(1)
    return session.scalar(known) is not None


def _troubles(session: Session, now: datetime) -> list[_Trouble]:
    cause = _cause()
    rows = session.execute(
        select(
            ProviderTask.provider_id,
            cause.label("cause"),
            func.count().label("waiting"),
            func.min(ProviderTask.created_at).label("since"),
            func.array_agg(Booking.public_id.distinct()).label("bookings"),
        )
        .join(Booking, Booking.id == ProviderTask.booking_id)
        .where(_waits_too_long(now))
        .group_by(ProviderTask.provider_id, cause)
    )
    return [
        _Trouble(row.provider_id, row.cause, row.waiting, row.since, sorted(row.bookings)[:MOST_NAMED]) for row in rows
    ]


def _raise(trouble: _Trouble, now: datetime) -> str:
    facts = {
        "cause": trouble.cause,
        "since": trouble.since.isoformat(),
        "waiting": trouble.waiting,
        "bookings": list(trouble.bookings),
    }
    with transaction() as session:
        new = open_discrepancy(session, trouble.provider_id, COMMANDS_WAITING, trouble.cause, now=now, facts=facts)
        case_id = session.execute(
            update(Discrepancy)
            .where(
                Discrepancy.provider_id == trouble.provider_id,
                Discrepancy.kind == COMMANDS_WAITING,
                Discrepancy.subject == trouble.cause,
                Discrepancy.closed_at.is_(None),
            )
            .values(facts=facts)
            .returning(Discrepancy.public_id)
        ).scalar_one()
        for customer_id, booking_id, command in _not_notified(session, trouble, case_id, now):
            asked = {"command": command}
            notify(session, customer_id, NOTICE, case_id, now=now, booking_id=booking_id, facts=asked)
    return "opened" if new else "extended"


def _close(provider_id: int, cause: str, now: datetime) -> str:
    with transaction() as session:
        close_discrepancy(session, provider_id, COMMANDS_WAITING, cause, "went_on", now=now)
    return "closed"


def _not_notified(session: Session, trouble: _Trouble, case_id: str, now: datetime) -> Sequence[tuple[int, int, str]]:
    """One waiting command for each customer who was not notified of this trouble. The cancel of a surplus booking is
    nothing that she asked for."""
    notified = exists().where(
        Notification.customer_id == Booking.customer_id, Notification.kind == NOTICE, Notification.subject == case_id
    )
    rows = session.execute(
        select(Booking.customer_id, ProviderTask.booking_id, ProviderTask.command)
        .join(Booking, Booking.id == ProviderTask.booking_id)
        .where(
            ProviderTask.provider_id == trouble.provider_id,
            _waits_too_long(now),
            _cause() == trouble.cause,
            ~ProviderTask.facts.has_key("compensating"),
            ~notified,
        )
        .ext(distinct_on(Booking.customer_id))
        .order_by(Booking.customer_id, ProviderTask.id)
        .limit(MOST_NOTIFIED)
    )
    return [(row.customer_id, row.booking_id, row.command) for row in rows]


def _not_taken() -> ColumnElement[bool]:
    """Never sent, or sent and surely not taken; and nothing of the booking's is before it. One that is being sent still
    counts, or each probe would end the trouble for a moment."""
    earlier = aliased(ProviderTask)
    first = ~exists().where(
        earlier.booking_id == ProviderTask.booking_id, earlier.seq < ProviderTask.seq, earlier.state.in_(UNFINISHED)
    )
    return and_(
        ProviderTask.state.in_(("queued", "in_flight")),
        ProviderTask.unknown_since.is_(None),
        first,
    )


def _waits_too_long(now: datetime) -> ColumnElement[bool]:
    """A command that is sent again after an answer waits from then on, not from its beginning."""
    limit = now - LONGEST_WAIT
    return and_(
        _not_taken(),
        ProviderTask.created_at <= limit,
        or_(ProviderTask.last_error.in_(("retry_after", "unreached")), ProviderTask.run_after <= limit),
        exists().where(Provider.id == ProviderTask.provider_id, Provider.paused_at.is_(None)),
    )


def _cause() -> ColumnElement[str]:
    is_open = exists().where(
        ProviderBreaker.provider_id == ProviderTask.provider_id,
        ProviderBreaker.call == Call.COMMANDS.value,
        ProviderBreaker.open_until.is_not(None),
    )
    return case(
        (or_(is_open, ProviderTask.last_error == "unreached"), NOT_REACHED),
        (ProviderTask.last_error == "retry_after", TOLD_TO_WAIT),
        else_=NOT_SENT,
    )
