"""Notifying a customer that her provider says something else of her booking than she was promised.

Our books keep what she was promised and a person settles it; but she may have to be there tomorrow, and is not the last
to know.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from booking.discrepancies import SLOT_OVERSOLD
from booking.models import Booking, Slot, SlotClaim
from booking.notices.notify import notify
from booking.states import DEAD, MOVABLE
from marketplace.core.clock import today

NOTICE = "provider_differs"
MOVED, FORGOTTEN, CUT = "moved", "forgotten", "cut"
FEWER, WITHDRAWN = "fewer", "withdrawn"
KEEPS_BOTH = "keeps_both"
"""The provider also holds the time of a change that was taken back, and does not cancel it."""


def notify_difference(
    session: Session, booking: Booking, kind: str, facts: Mapping[str, Any], *, now: datetime
) -> None:
    """Notify the customer of a discrepancy that has just been opened, if it is about whether or when she is expected.
    `kind` and `facts` are the discrepancy's."""
    says = _says(kind, facts)
    if says is None or booking.state not in MOVABLE:
        return
    told: dict[str, Any] = {"says": says, "difference": kind}
    if says in (MOVED, KEEPS_BOTH):
        told |= {"new_day": facts.get("service_date"), "new_starts_at": facts.get("starts_at")}
    subject = f"{booking.public_id}:{kind}:{now.isoformat()}"
    notify(session, booking.customer_id, NOTICE, subject, now=now, booking_id=booking.id, facts=told)


def notify_moved_slot(session: Session, slot: str, facts: Mapping[str, Any], *, now: datetime) -> None:
    """Notify all who have booked a slot (by public id) that its provider has just moved."""
    held = (
        select(Booking)
        .join(SlotClaim, SlotClaim.booking_id == Booking.id)
        .join(Slot, Slot.id == SlotClaim.slot_id)
        .where(Slot.public_id == slot, SlotClaim.live)
        .order_by(Booking.id)
    )
    for booking in session.scalars(held):
        notify_difference(session, booking, "slot_moved", facts, now=now)


def bookings_of(slot: str) -> Select[Booking]:
    """The bookings whose time is that of a slot (by public id) and that hold a place in it, the oldest first."""
    return (
        select(Booking)
        .join(SlotClaim, SlotClaim.booking_id == Booking.id)
        .join(Slot, Slot.id == SlotClaim.slot_id)
        .where(
            Slot.public_id == slot,
            SlotClaim.live,
            Booking.service_date == Slot.service_date,
            Booking.starts_at.is_not_distinct_from(Slot.starts_at),
        )
        .order_by(Booking.id)
    )


def notify_cut_slot(session: Session, slot: str, *, offered: int, now: datetime) -> None:
    """Notify all who have booked a slot (by public id) of which its provider now offers less than is sold: her booking
    stands until a person has settled it. Once a day at most, however often the figure goes up and down."""
    says = FEWER if offered else WITHDRAWN
    for booking in session.scalars(bookings_of(slot)):
        if booking.state in MOVABLE:
            subject = f"{booking.public_id}:{SLOT_OVERSOLD}:{says}:{today(booking.time_zone, now).isoformat()}"
            told = {"says": says, "difference": SLOT_OVERSOLD}
            notify(session, booking.customer_id, NOTICE, subject, now=now, booking_id=booking.id, facts=told)


def _says(kind: str, facts: Mapping[str, Any]) -> str | None:
    if kind in ("time_differs", "slot_moved"):
        return MOVED
    if kind == KEEPS_BOTH:
        return KEEPS_BOTH
    if kind == "ours_only":
        return FORGOTTEN
    return CUT if kind == "state_differs" and facts.get("theirs") in DEAD else None
