"""Whether a no-show is of a date that the customer had given up before she could miss it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.models import Booking, ChangeRequest
from marketplace.core.clock import window_of


def given_up_in_time(session: Session, booking: Booking, day: date, starts_at: datetime | None) -> bool:
    """Whether a change away from that time was asked for before the appointment began there, and is under way or done.
    A whole day has no hour that could be missed: it counts until it is over."""
    changes = session.scalars(
        select(ChangeRequest)
        .where(
            ChangeRequest.booking_id == booking.id,
            ChangeRequest.kind == "reschedule",
            ChangeRequest.state.in_(("open", "done")),
        )
        .order_by(ChangeRequest.id)
    ).all()
    away = _away_from(changes, day, starts_at)
    if away is None:
        return False
    _, day_is_over = window_of(day, None, None, booking.time_zone)
    return away.asked_at < (starts_at or day_is_over)


def _away_from(changes: Sequence[ChangeRequest], day: date, starts_at: datetime | None) -> ChangeRequest | None:
    """The change that left this time: the one after the last that led there, or the very first one."""
    led_there = [
        place
        for place, change in enumerate(changes, start=1)
        if change.new_service_date == day and (starts_at is None or change.new_starts_at in (None, starts_at))
    ]
    return next(iter(changes[max(led_there, default=0) :]), None)
