"""What happened to a booking, as its provider is shown it: who did it by kind, never by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from booking.models import Booking, BookingHistory
from booking.ownership import of_provider
from booking.states import BookingState
from marketplace.core.database.db import reading

_BEFORE_THEIRS = (BookingState.HELD.value, BookingState.EXPIRED.value)


@dataclass(frozen=True)
class Happened:
    """One line: at what time, the state afterwards, whether it `moved`, the kind of actor, and the cause."""

    at: datetime
    state: str
    moved: bool
    actor: str
    cause: str
    mine: bool


def history(provider_id: int, booking: str, *, member: str) -> Sequence[Happened]:
    """The lines since the booking was submitted to this provider (internal id), the oldest first; empty for a booking
    that is not its. `mine` are those of the member with this public id."""
    with reading() as session:
        rows = session.scalars(
            select(BookingHistory)
            .join(Booking, Booking.id == BookingHistory.booking_id)
            .where(of_provider(provider_id), Booking.public_id == booking)
            .where(BookingHistory.to_state.not_in(_BEFORE_THEIRS))
            .order_by(BookingHistory.version)
        ).all()
    return [
        Happened(row.at, row.to_state, row.from_state != row.to_state, row.actor_kind, row.cause, row.actor == member)
        for row in rows
    ]
