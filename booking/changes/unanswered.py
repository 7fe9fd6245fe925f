"""What the clock ends: bookings and changes of date that the provider did not answer in time (of what has no time: to
which nobody gave a first answer), and changes that were
given up while the provider keeps what they made there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, DateTime, and_, cast, exists, func, or_, select

from booking.actors import CLOCK
from booking.changes.cancel import begin_cancel
from booking.changes.requests import NOT_ANSWERED
from booking.changes.swap import leave, open_change
from booking.changes.withdraw import take_back
from booking.models import Booking, ChangeRequest, ProviderTask
from booking.notices.notify import notify
from booking.outbox import UNFINISHED
from booking.proposal import Proposal, open_proposal
from booking.states import BookingState
from booking.transition import lock_booking
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from providers.registry import ADAPTERS

log = get_logger(__name__)
_S = BookingState


_PROPOSED = exists().where(Proposal.booking_id == Booking.id, Proposal.state == "open")
"""The provider did answer: it proposed another time, and now the customer is waited for."""


_WAITS = or_(
    Booking.state == _S.AWAITING_PROVIDER,
    and_(Booking.state == _S.CONFIRMED, Booking.answer_due_at.is_not(None)),
)
"""What has no time is confirmed when it stands in the provider's queue, and has its deadline until it is answered."""


def _waits(booking: Booking) -> bool:
    return booking.state in (_S.AWAITING_PROVIDER, _S.CONFIRMED)


def end_unanswered(*, now: datetime, limit: int = 100) -> int:
    """Ask for a cancel of requests whose answer deadline has passed; returns how many were asked."""
    with reading() as session:
        due = session.scalars(
            select(Booking.id)
            .where(_WAITS, Booking.answer_due_at <= now, ~_PROPOSED)
            .order_by(Booking.answer_due_at)
            .limit(limit)
        ).all()
    return one_by_one("unanswered", due, lambda booking_id: _end_one(booking_id, now))["asked"]


def _end_one(booking_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, tasks = lock_booking(session, booking_id)
        due_at = booking.answer_due_at if open_proposal(session, booking) is None else None
        if not _waits(booking) or due_at is None or due_at > now:
            return "moved_on"
        booking.answer_due_at = None
        begin_cancel(session, booking, tasks, actor=CLOCK, cause=NOT_ANSWERED, now=now)
    return "asked"


def end_unanswered_changes(*, now: datetime, limit: int = 100) -> int:
    """Withdraw the changes of date whose answer deadline has passed, and notify the customers that their dates stay;
    returns how many."""
    with reading() as session:
        due = session.scalars(
            select(ChangeRequest.booking_id)
            .where(ChangeRequest.state == "open", ChangeRequest.answer_due_at <= now)
            .order_by(ChangeRequest.answer_due_at)
            .limit(limit)
        ).all()
    return one_by_one("unanswered_changes", due, lambda booking_id: _end_change(booking_id, now))["withdrawn"]


def _end_change(booking_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, tasks = lock_booking(session, booking_id)
        change = open_change(session, booking)
        if change is None or change.state != "open" or change.answer_due_at is None or change.answer_due_at > now:
            return "moved_on"
        take_back(session, booking, tasks, change, cause=NOT_ANSWERED, now=now)
        subject = f"{booking.public_id}:{change.public_id}"
        notify(session, booking.customer_id, "change_refused", subject, now=now, booking_id=booking.id)
    return "withdrawn"


def end_past_changes(*, now: datetime, limit: int = 100) -> int:
    """Close the changes that were given up and whose new date is over, although the provider has not cancelled what
    they made there; returns how many. The place goes back, the customer can change her date again, and a case about
    what the provider keeps stays open.

    Only where a change is a new booking at the provider: elsewhere the one booking may be at either date. One whose
    command has no known end waits for that.
    """
    with reading() as session:
        due = session.scalars(
            select(ChangeRequest.booking_id)
            .join(Booking, Booking.id == ChangeRequest.booking_id)
            .where(_given_up_and_past(now))
            .order_by(ChangeRequest.new_service_date, ChangeRequest.id)
            .limit(limit)
        ).all()
    return one_by_one("past_changes", due, lambda booking_id: _end_past(booking_id, now))["ended"]


def _end_past(booking_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, _ = lock_booking(session, booking_id)
        change = session.scalar(
            select(ChangeRequest)
            .join(Booking, Booking.id == ChangeRequest.booking_id)
            .where(Booking.id == booking_id, _given_up_and_past(now))
        )
        if change is None:
            return "moved_on"
        leave(session, booking, change, cause=change.refusal or "withdrawn", now=now)
    return "ended"


def _given_up_and_past(now: datetime) -> ColumnElement[bool]:
    midnight: ColumnElement[datetime] = func.timezone(
        Booking.time_zone, cast(ChangeRequest.new_service_date + 1, DateTime)
    )
    without_call = [name for name, adapter in ADAPTERS.items() if not adapter.capabilities.change]
    return and_(
        ChangeRequest.kind == "reschedule",
        ChangeRequest.state == "withdrawn",
        ChangeRequest.closed_at.is_(None),
        func.coalesce(ChangeRequest.new_ends_at, midnight) <= now,
        exists().where(Provider.id == Booking.provider_id, Provider.adapter.in_(without_call)),
        ~exists().where(ProviderTask.change_request_id == ChangeRequest.id, ProviderTask.state.in_(UNFINISHED)),
    )
