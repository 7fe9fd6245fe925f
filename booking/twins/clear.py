"""End all bookings of a twin: their places and units go back, and the lists begin anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select

from booking.actors import Actor
from booking.changes import swap
from booking.changes.requests import close_cancel
from booking.changes.withdraw import take_back
from booking.models import Booking
from booking.outbox import annul, enqueue, unsent
from booking.states import AT_PROVIDER, LIVE, BookingState
from booking.transition import lock_booking, move
from marketplace.catalog.models import Provider
from marketplace.core import audit
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from providers.registry import answering_here

log = get_logger(__name__)

CAUSE = "test_cleared"


@dataclass(frozen=True)
class Cleared:
    """How many bookings were ended, and how many are left since they were in use or broke: for another try."""

    ended: int
    left: int


def to_clear(twin_id: int) -> int:
    """How many bookings would be ended now; none of a provider that is no twin."""
    with reading() as session:
        is_twin = exists().where(Provider.id == twin_id, Provider.twin_of.is_not(None))
        return session.scalar(select(func.count()).select_from(Booking).where(*_left(twin_id), is_twin)) or 0


def clear(twin_id: int, by: Actor, now: datetime) -> Cleared:
    """Enter all of a twin's bookings in error, whatever became of them, one transaction each; those that were cleared
    before are not counted. Audited. Where the twin has a system of its own, it is told to cancel
    what it may know of. Raises NotFound(field="provider") for a provider that is no twin: nothing live is ever cleared.
    """
    with reading() as session:
        adapter = session.scalar(select(Provider.adapter).where(Provider.id == twin_id, Provider.twin_of.is_not(None)))
        if adapter is None:
            raise NotFound(field="provider")
        left = session.scalars(select(Booking.id).where(*_left(twin_id)).order_by(Booking.id)).all()
    called = adapter not in answering_here()
    counts = one_by_one("clear_tests", left, lambda booking_id: _end(booking_id, by, now, called=called))
    with transaction() as session:
        public_id = session.scalars(select(Provider.public_id).where(Provider.id == twin_id)).one()
        audit.record(
            session,
            "provider.tests_cleared",
            at=now,
            actor_kind=by.kind,
            actor=by.id,
            subject=public_id,
            bookings=counts["ended"],
        )
    log.info("twin.cleared", twin=public_id, bookings=counts["ended"])
    return Cleared(counts["ended"], counts["busy"] + counts["broken"])


def _left(twin_id: int) -> tuple[ColumnElement[bool], ...]:
    """The conditions that a booking of this twin was not cleared yet."""
    return Booking.provider_id == twin_id, Booking.state != BookingState.ENTERED_IN_ERROR


def _end(booking_id: int, by: Actor, now: datetime, *, called: bool) -> str:
    with transaction() as session:
        booking, tasks = lock_booking(session, booking_id)
        if booking.state is BookingState.ENTERED_IN_ERROR:
            return "ended_before"
        known = any(not unsent(task) for task in tasks) or booking.state in AT_PROVIDER & LIVE
        change = swap.open_change(session, booking)
        if change is not None:
            take_back(session, booking, tasks, change, cause="cancelled", now=now)
        close_cancel(session, booking, "done", now)
        for task in tasks:
            if unsent(task):
                annul(task, now=now)
        if called and known:
            enqueue(session, booking, "cancel", now=now, facts={"reason": CAUSE})
        move(session, booking, BookingState.ENTERED_IN_ERROR, actor=by, now=now, cause=CAUSE)
    return "ended"
