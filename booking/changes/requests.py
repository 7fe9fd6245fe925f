"""The open change request of a booking: recording it, finding it, closing it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.models import Booking, ChangeRequest
from booking.transition import touch
from marketplace.core.ids import new_id


def record_request(
    session: Session,
    booking: Booking,
    kind: Literal["cancel", "reschedule"],
    *,
    actor: Actor,
    cause: str,
    now: datetime,
) -> ChangeRequest:
    """Record what is asked of the provider. The caller holds the booking's lock and has seen that nothing is open."""
    request = ChangeRequest(
        public_id=new_id("chg"),
        booking_id=booking.id,
        kind=kind,
        state="open",
        actor_kind=actor.kind,
        actor=actor.id,
        cause=cause,
        asked_at=now,
    )
    session.add(request)
    touch(booking, now=now)
    session.flush()
    return request


def open_cancel(session: Session, booking: Booking) -> ChangeRequest | None:
    """The booking's open cancel, if there is one."""
    return session.scalar(
        select(ChangeRequest).where(
            ChangeRequest.booking_id == booking.id, ChangeRequest.kind == "cancel", ChangeRequest.state == "open"
        )
    )


def close_cancel(session: Session, booking: Booking, state: str, now: datetime) -> None:
    """End the open cancel, if there is one, as `done`, `refused` or `withdrawn`."""
    request = open_cancel(session, booking)
    if request is not None:
        request.state, request.closed_at = state, now
        session.flush()
