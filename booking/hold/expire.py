"""Holds that are over: the place and the quota are given back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from booking.actors import CLOCK
from booking.models import Booking
from booking.states import BookingState, state_at
from booking.transition import lock_booking, move
from marketplace.core.database.db import reading, transaction
from marketplace.core.one_by_one import RUN_SECONDS, one_by_one


def expire_holds(*, now: datetime, limit: int = 200) -> int:
    """End holds that are over, one transaction each; returns how many."""
    with reading() as session:
        due = session.scalars(
            select(Booking.id)
            .where(Booking.state == BookingState.HELD, Booking.hold_expires_at <= now)
            .order_by(Booking.hold_expires_at)
            .limit(limit)
        ).all()
    return one_by_one("holds", due, lambda booking_id: _expire(booking_id, now), seconds=RUN_SECONDS)["ended"]


def _expire(booking_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, _ = lock_booking(session, booking_id)
        ended = state_at(booking.state, booking.hold_expires_at, now) is BookingState.EXPIRED
        if booking.state is not BookingState.HELD or not ended:
            return "moved_on"
        move(session, booking, BookingState.EXPIRED, actor=CLOCK, now=now, cause="hold_expired")
    return "ended"
