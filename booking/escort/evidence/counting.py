"""Which deeds say what became of a booking: those of who goes, or went. One rule for the clock, the pages and the
visit; of what everybody else did, only the timeline tells."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, select

from booking.escort.evidence.kinds import ENDING, IN_SERVICE
from booking.escort.evidence.models import EscortDeed
from booking.escort.models import ACCEPTED, DONE, EscortAssignment
from booking.models import Booking, BookingHistory
from booking.states import LIVE, BookingState

COUNTING = (ACCEPTED, DONE)
"""States of the assignment whose deeds count. Who was replaced, or agreed to another date, says nothing of it."""
WITH_THE_PERSON = frozenset({"met"}) | IN_SERVICE
"""Deeds after which nobody can say that she was not met."""


def counted(kinds: Iterable[str]) -> Select[int]:
    """The deeds (SQL, ids) of these kinds that count for a Booking of the statement around it. One that says the escort
    is over counts from its beginning on, by our clock: before, it was a slip of the hand."""
    return (
        select(EscortDeed.id)
        .join(EscortAssignment, EscortAssignment.id == EscortDeed.assignment_id)
        .where(EscortDeed.booking_id == Booking.id, EscortDeed.kind.in_(sorted(kinds)))
        .where(EscortAssignment.state.in_(COUNTING), ~too_early())
        .correlate(Booking)
    )


def too_early() -> ColumnElement[bool]:
    """Whether (SQL, of an EscortDeed and its EscortAssignment) it says that an escort is over that had not begun when
    we were told."""
    return and_(EscortDeed.kind.in_(sorted(ENDING)), EscortDeed.received_at < func.lower(EscortAssignment.period))


def opened_again_at() -> ColumnElement[datetime]:
    """When (SQL, of a Booking) it was last opened again after it was done; NULL where it was not."""
    return (
        select(func.max(BookingHistory.at))
        .where(BookingHistory.booking_id == Booking.id, BookingHistory.from_state == BookingState.FULFILLED.value)
        .where(BookingHistory.to_state.in_(sorted(state.value for state in LIVE)))
        .correlate(Booking)
        .scalar_subquery()
    )


def taken_back() -> ColumnElement[bool]:
    """Whether (SQL, of an EscortDeed and its Booking) it says that an escort is over that was opened again since: who
    opened it knew better."""
    since = func.coalesce(EscortDeed.received_at <= opened_again_at(), False)
    return and_(EscortDeed.kind.in_(sorted(ENDING)), since)
