"""What waits for a provider's people: new bookings, changes of date that customers ask for, cancels to take note of.

What has been proposed waits for the customer and is not in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import Session, aliased

from booking.capacity.of_booking import held_slot
from booking.idempotency import Repeatable, first_time
from booking.models import Booking, BookingHistory, ChangeRequest, ProviderTask, Slot
from booking.ownership import providers_booking_id
from booking.proposal import Proposal
from booking.states import BookingState
from booking.transition import lock_booking
from marketplace.catalog.kinds import without_times
from marketplace.catalog.models import Offer
from marketplace.core import audit
from marketplace.core.clock import start_of
from marketplace.core.database.db import transaction
from marketplace.core.text import Text, masked_name
from vip.models import Beneficiary

MOST_SHOWN = 50
"""Of each kind."""

LATELY = timedelta(days=7)
"""How long a cancel is shown that nobody took note of."""

NOTED = "booking.cancel_noted"
"""The audit's action of who took note of a cancel."""

Matter = Literal["new", "change", "cancelled"]


@dataclass(frozen=True)
class Waiting:
    """One thing that waits. `asked_at` and `due_at` say since and until when; a cancel has no end. The time is the one
    to answer: of a change the new one, and `old_…` is the date that is kept meanwhile. `left`: places that are free at
    that time beside the one that is kept for it; None where nothing has that time any more. `version` is the
    booking's."""

    matter: Matter
    booking: str
    reference: str
    version: int
    person: str
    offer: Text
    asked_at: datetime
    due_at: datetime | None
    service_date: date
    starts_at: datetime | None
    time_zone: str
    left: int | None
    old_date: date | None = None
    old_starts_at: datetime | None = None


def waiting(session: Session, provider_id: int, *, now: datetime) -> list[Waiting]:
    """What waits for this provider (internal id), the soonest end first and cancels last."""
    rows = [
        *_read("new", session.execute(_new(provider_id))),
        *_read("change", session.execute(_changes(provider_id))),
        *_read("cancelled", session.execute(_cancelled(provider_id, now))),
    ]
    return sorted(rows, key=lambda it: (it.due_at is None, it.due_at or it.asked_at, it.booking))


def note_cancel(provider_id: int, booking: str, repeat: Repeatable, *, member: str, now: datetime) -> None:
    """A member (public id) takes note of a cancel; it leaves the queue. Once is enough. Audited. Raises NotFound."""
    with transaction() as session:
        booking_id = providers_booking_id(session, provider_id, booking)
        if not first_time(session, repeat, booking, now=now):
            return
        found, _ = lock_booking(session, booking_id)
        if found.state is not BookingState.CANCELLED or found.cancel_noted_at is not None:
            return
        found.cancel_noted_at = now
        audit.record(
            session,
            NOTED,
            at=now,
            actor_kind="provider",
            actor=member,
            subject=found.public_id,
            insurer_id=found.insurer_id,
        )


def unanswered() -> ColumnElement[bool]:
    """The condition that a booking waits for its provider's yes or no; what was proposed waits for the customer, and
    what she then accepted is a change. What has no time stands in a queue of its own."""
    return and_(
        Booking.state.in_((BookingState.AWAITING_PROVIDER, BookingState.OUTCOME_UNKNOWN)),
        Booking.pending_period.is_(None),
        Booking.kind.not_in(without_times()),
        ~exists().where(Proposal.booking_id == Booking.id, Proposal.state == "open"),
    )


def change_due() -> ColumnElement[Any]:
    """Until when an open change of date is to be answered: its own end, or the booking's."""
    return func.coalesce(ChangeRequest.answer_due_at, Booking.answer_due_at)


def asked_change(provider_id: int) -> tuple[ColumnElement[bool], ...]:
    """The conditions, of a booking joined with its requests, that the customer asks this provider for another date."""
    return (
        Booking.provider_id == provider_id,
        Booking.pending_period.is_not(None),  # what the index knows of it
        ChangeRequest.state == "open",
        ChangeRequest.kind == "reschedule",
    )


_SHOWN: tuple[Any, ...] = (
    *(Booking.public_id, Booking.reference, Booking.version),
    *(Booking.service_date, Booking.starts_at, Booking.time_zone),
)
"""Not the whole row, with all that was frozen in it: it is asked for every few seconds."""


def _rows(left: ColumnElement[Any]) -> Select[Any]:
    return (
        select(*_SHOWN, Beneficiary.name.label("person"), Offer.name_zh, Offer.name_en, left.label("left"))
        .join(Beneficiary, Beneficiary.id == Booking.beneficiary_id)
        .join(Offer, Offer.id == Booking.offer_id)
        .limit(MOST_SHOWN)
    )


def _new(provider_id: int) -> Select[Any]:
    left = held_slot(Slot.capacity - Slot.taken)
    query = _rows(left).add_columns(Booking.created_at.label("asked_at"), Booking.answer_due_at.label("due_at"))
    return query.where(Booking.provider_id == provider_id, unanswered()).order_by(Booking.answer_due_at, Booking.id)


_WANTED = (ChangeRequest.new_service_date, ChangeRequest.new_starts_at)


def _changes(provider_id: int) -> Select[Any]:
    wanted = aliased(Slot)
    due = change_due()
    return (
        _rows(wanted.capacity - wanted.taken)
        .add_columns(*_WANTED, ChangeRequest.asked_at.label("asked_at"), due.label("due_at"))
        .join(ChangeRequest, ChangeRequest.booking_id == Booking.id)
        .join(wanted, wanted.id == ChangeRequest.new_slot_id)
        .where(*asked_change(provider_id))
        .order_by(due, Booking.id)
    )


def _cancelled(provider_id: int, now: datetime) -> Select[Any]:
    """Cancels of visits to come that the provider did not make itself; it was told of each by a command."""
    by_others = exists().where(
        BookingHistory.booking_id == Booking.id,
        BookingHistory.to_state == BookingState.CANCELLED.value,
        BookingHistory.from_state != BookingState.CANCELLED.value,
        BookingHistory.actor_kind != "provider",
    )
    end = Booking.updated_at
    at_this_time = select(func.sum(Slot.capacity - Slot.taken)).where(
        Slot.pool_id == Offer.pool_id,
        Slot.service_date == Booking.service_date,
        Slot.starts_at.is_not_distinct_from(Booking.starts_at),
    )
    return (
        _rows(at_this_time.correlate(Offer, Booking).scalar_subquery())
        .add_columns(end.label("asked_at"))
        .where(
            Booking.provider_id == provider_id,
            Booking.state == BookingState.CANCELLED,
            Booking.kind.not_in(without_times()),
            Booking.service_date >= now.date() - timedelta(days=1),
            Booking.cancel_noted_at.is_(None),
            end > now - LATELY,
            exists().where(ProviderTask.booking_id == Booking.id),
            by_others,
        )
        .order_by(end, Booking.id)
    )


def _read(matter: Matter, rows: Iterable[Any]) -> list[Waiting]:
    return [
        Waiting(
            matter=matter,
            booking=row.public_id,
            reference=row.reference,
            version=row.version,
            person=masked_name(row.person),
            offer=Text(row.name_zh, row.name_en),
            asked_at=row.asked_at,
            due_at=None if matter == "cancelled" else row.due_at or _start(row),
            service_date=row.new_service_date if matter == "change" else row.service_date,
            starts_at=row.new_starts_at if matter == "change" else row.starts_at,
            time_zone=row.time_zone,
            left=None if row.left is None else int(row.left),
            old_date=row.service_date if matter == "change" else None,
            old_starts_at=row.starts_at if matter == "change" else None,
        )
        for row in rows
    ]


def _start(row: Any) -> datetime:
    return start_of(row.service_date, row.starts_at, row.time_zone)
