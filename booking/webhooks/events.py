"""The events of a provider's bookings, as webhooks need them: read on from a cursor, and one read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, or_, select, text
from sqlalchemy.orm import Session

from booking.models import Booking, BookingHistory
from booking.states import BookingState

_OLDEST = text("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)")
"""The oldest transaction that is not over."""
_FOLLOWING = text("SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)")
"""The first transaction that has not begun."""

_OURS = (BookingState.HELD, BookingState.EXPIRED)
"""States of which a provider is not told: the booking was not asked for yet."""

TYPES = tuple(f"booking.{state.value}" for state in BookingState if state not in _OURS)
"""What an event may be of."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a booking. `id` is the event's own for good; `booking` the booking's public id,
    `version` the booking's after it."""

    id: str
    type: str
    occurred_at: datetime
    booking: str
    version: int
    payload: Mapping[str, Any]


def events_since(session: Session, provider_id: int, cursor: str, limit: int) -> tuple[Sequence[Event], str]:
    """The next events of a provider, about `limit` of them, and the cursor after them.

    A line's id is given before its transaction commits, so lines become visible out of their order. A cursor is
    therefore `settled:seen:horizon`: lines up to `seen` were read, but those after `settled` are read once more until
    every transaction from before `horizon`, when they were read, has ended. An event may so come more than once, and
    none is lost; a transaction that stays open has lines read again, and holds up nothing.
    """
    settled, seen, horizon = map(int, cursor.split(":"))
    over = session.execute(_OLDEST).scalar_one() >= horizon  # before the lines are read: all of them are there then
    late = _rows(provider_id).where(BookingHistory.id > settled, BookingHistory.id <= seen)
    new = _rows(provider_id).where(BookingHistory.id > seen).order_by(BookingHistory.id).limit(limit)
    again, rows = session.execute(late.order_by(BookingHistory.id)).all(), session.execute(new).all()
    settled = seen if over else settled
    if rows:  # the horizon after the lines: whoever was given an id before the last of them has begun
        seen, horizon = rows[-1][0].id, session.execute(_FOLLOWING).scalar_one()
    return [_event(row) for row in (*again, *rows)], f"{settled}:{seen}:{horizon}"


def newest(session: Session, provider_id: int) -> str:
    """The cursor after all events that there are."""
    last = session.scalar(select(func.coalesce(func.max(BookingHistory.id), 0)))
    return f"{last}:{last}:0"


def event(session: Session, provider_id: int, event_id: str) -> Event | None:
    """One event once more; None if it is not there any more."""
    row = session.execute(
        _rows(provider_id).where(BookingHistory.id == int(event_id.removeprefix("evt_")))
    ).one_or_none()
    return None if row is None else _event(row)


def _rows(provider_id: int) -> Select[BookingHistory, Booking]:
    return (
        select(BookingHistory, Booking)
        .join(Booking, Booking.id == BookingHistory.booking_id)
        .where(
            Booking.provider_id == provider_id,
            BookingHistory.to_state.not_in(_OURS),
            # what was given up before it was asked for
            or_(BookingHistory.to_state != BookingState.CANCELLED, BookingHistory.from_state.not_in(_OURS)),
        )
    )


def _event(row: Row[BookingHistory, Booking]) -> Event:
    line, booking = row
    payload = {"booking_id": booking.public_id, "state": line.to_state, "version": line.version, "cause": line.cause}
    return Event(f"evt_{line.id}", f"booking.{line.to_state}", line.at, booking.public_id, line.version, payload)
