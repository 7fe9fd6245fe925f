"""Versions for systems that number no changes: the time of the last one, and within it the way a booking goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from providers.reported import BookingStatus

_STEPS = 16
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_ORDER_OF_STEPS: tuple[BookingStatus, ...] = (
    "requested",
    "confirmed",
    "no_show",
    "checked_in",
    "in_service",
    "fulfilled",
    "rejected",
    "cancelled",
)


def at_time(updated: datetime, unit: timedelta) -> int:
    """The number of units between 2020 and that time; 0 for what is older."""
    return max((updated - _EPOCH) // unit, 0)


def at_step(updated: datetime, unit: timedelta, status: BookingStatus) -> int:
    """As at_time(), and growing also with the status where two changes fall into one unit."""
    return at_time(updated, unit) * _STEPS + _ORDER_OF_STEPS.index(status) + 1
