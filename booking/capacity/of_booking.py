"""The slot whose time a booking has, as a part of a query."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func, select

from booking.models import Booking, Slot, SlotClaim


def held_slot(wanted: Any, *, live: bool = True) -> ColumnElement[Any]:
    """What `wanted` is of the slot that a booking of the query has a claim on (`live`, or one that was released) at its
    own time: a swap holds two. NULL without one."""
    return (
        select(wanted)
        .select_from(Slot)
        .join(SlotClaim, SlotClaim.slot_id == Slot.id)
        .where(
            SlotClaim.booking_id == Booking.id,
            SlotClaim.live if live else ~SlotClaim.live,  # each has an index of its own
            Slot.service_date == Booking.service_date,
            Slot.starts_at.is_not_distinct_from(Booking.starts_at),
        )
        .order_by(SlotClaim.id.desc())
        .limit(1)
        .correlate(Booking)
        .scalar_subquery()
    )


def own_slot(wanted: Any) -> ColumnElement[Any]:
    """What `wanted` is of the slot that a booking has, or had last; NULL once nothing has that time."""
    return func.coalesce(held_slot(wanted), held_slot(wanted, live=False))
