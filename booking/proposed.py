"""The proposal of another time that a booking has, and its end. Callers hold the booking's lock."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.models import Booking
from booking.proposal_models import Proposal
from booking.states import BookingState

PROPOSABLE = frozenset({BookingState.AWAITING_PROVIDER, BookingState.OUTCOME_UNKNOWN, BookingState.CONFIRMED})
"""States of a booking for which another time can be proposed; a proposal ends with them."""

End = Literal["accepted", "declined", "lapsed", "withdrawn"]


def open_proposal(session: Session, booking: Booking) -> Proposal | None:
    """The proposal that waits for an answer, if there is one."""
    return session.scalar(
        select(Proposal)
        .where(Proposal.booking_id == booking.id, Proposal.state == "open")
        .execution_options(populate_existing=True)
    )


def end_proposal(session: Session, booking: Booking, how: End, *, now: datetime) -> None:
    """End the open proposal, if there is one. The booking's version is the caller's to raise."""
    proposal = open_proposal(session, booking)
    if proposal is not None:
        proposal.state, proposal.closed_at = how, now
        session.flush()
