"""The open change request of a booking: recording it, finding it, closing it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.models import Booking, ChangeRequest
from booking.transition import CANCEL_ASKED, CHANGE_ASKED, write_history
from marketplace.core.ids import new_id

NOT_ANSWERED = "not_answered_in_time"
"""The cause of what the clock ends, since the provider's deadline is over."""


def record_request(
    session: Session,
    booking: Booking,
    kind: Literal["cancel", "reschedule"],
    *,
    actor: Actor,
    cause: str,
    now: datetime,
    wanted: Mapping[str, Any] | None = None,
) -> ChangeRequest:
    """Record what is asked of the provider; `wanted`: the time, as history's facts have one. The caller holds the
    booking's lock and has seen that nothing is open."""
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
    session.flush()  # before the line of history, so that of two at once its own index refuses one
    asked, facts = (CANCEL_ASKED, None) if kind == "cancel" else (CHANGE_ASKED, {"wanted": wanted})
    write_history(session, booking, actor=actor, now=now, cause=asked, facts=facts)
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
