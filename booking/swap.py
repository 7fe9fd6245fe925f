"""The swap behind a change of date: the new place first, the old one released last, both under one booking.

While a change is open the booking holds two claims and occupies its person at both times. It ends in one of two ways,
each in one transaction: switched (the old place goes back) or left (the new one does).
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.models import Booking, ChangeRequest, Slot, SlotClaim
from booking.transition import note, release_claims
from marketplace.core.db import violated
from marketplace.core.errors import Refusal


class SlotFull(Refusal):
    """The last place has just gone; the slot's times are among the facts."""

    code = "slot_full"
    field = "slot_id"


class AlreadyBooked(Refusal):
    """The person has another booking at that time."""

    code = "beneficiary_busy"
    field = "beneficiary_id"


def open_change(session: Session, booking: Booking) -> ChangeRequest | None:
    """The booking's open change of date, if there is one."""
    return session.scalar(
        select(ChangeRequest).where(
            ChangeRequest.booking_id == booking.id,
            ChangeRequest.kind == "reschedule",
            ChangeRequest.state.in_(("open", "withdrawn")),
            ChangeRequest.closed_at.is_(None),
        )
    )


def begin(session: Session, booking: Booking, slot: Slot, request: ChangeRequest) -> None:
    """Occupy the new time, then take the new place (the contended row last). Raises AlreadyBooked or SlotFull; the
    transaction cannot go on after that."""
    booking.pending_period = period_of(slot, booking.time_zone)
    facts = {"starts_at": slot.starts_at, "service_date": slot.service_date.isoformat()}  # gone after a failed flush
    try:
        session.add(request)
        session.flush()
        session.add(SlotClaim(booking_id=booking.id, slot_id=slot.id, places=1, live=True, created_at=request.asked_at))
        session.flush()
    except DBAPIError as failed:
        match violated(failed):
            case "ex_booking_one_place_at_a_time":
                raise AlreadyBooked() from failed
            case "slot_full" | "ck_slot_taken":
                raise SlotFull(**facts) from failed
        raise


def switch(session: Session, booking: Booking, request: ChangeRequest, *, actor: Actor, now: datetime) -> None:
    """The provider agreed: the booking is at the new time, and the old place goes back."""
    slot = session.get_one(Slot, request.new_slot_id)
    before = {"service_date": booking.service_date.isoformat(), "starts_at": _text(booking.starts_at)}
    booking.service_date, booking.starts_at, booking.ends_at = slot.service_date, slot.starts_at, slot.ends_at
    booking.period, booking.pending_period = period_of(slot, booking.time_zone), None
    request.state, request.closed_at = "done", now
    after = {"service_date": slot.service_date.isoformat(), "starts_at": _text(slot.starts_at)}
    note(session, booking, actor=actor, now=now, cause="rescheduled", facts={"before": before, "after": after})
    release_claims(session, booking.id, now=now, keep_slot=slot.id)


def leave(session: Session, booking: Booking, request: ChangeRequest, *, cause: str, now: datetime) -> None:
    """The provider refused, or the change was taken back: the old date stands, and the new place goes back."""
    booking.pending_period = None
    request.closed_at = now
    if request.state == "open":
        request.state, request.cause = "refused", cause
    booking.version += 1
    booking.updated_at = now
    session.flush()
    kept = session.scalars(
        select(SlotClaim.slot_id).where(
            SlotClaim.booking_id == booking.id, SlotClaim.live, SlotClaim.slot_id != request.new_slot_id
        )
    ).first()
    release_claims(session, booking.id, now=now, keep_slot=kept)


def period_of(slot: Slot, time_zone: str) -> Range[datetime]:
    """What a person cannot be booked twice in: the window, or the whole day in the site's zone."""
    if slot.starts_at is not None:
        return Range(slot.starts_at, slot.ends_at, bounds="[)")
    zone = ZoneInfo(time_zone)
    return Range(
        datetime.combine(slot.service_date, time(), zone),
        datetime.combine(slot.service_date + timedelta(days=1), time(), zone),
        bounds="[)",
    )


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
