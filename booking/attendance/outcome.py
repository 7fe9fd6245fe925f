"""What follows when a dispute ends, for desk and provider alike."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from booking.attendance.models import Dispute
from booking.models import Booking
from booking.notices.notify import notify


def notify_answer(session: Session, booking: Booking, outcome: str, now: datetime) -> None:
    """Notify the customer of the `outcome` of her dispute: accepted or rejected."""
    notify(
        session,
        booking.customer_id,
        "dispute_answered",
        booking.public_id,
        now=now,
        booking_id=booking.id,
        facts={"outcome": outcome},
    )


def provider_gave_in(session: Session, booking: Booking, now: datetime) -> None:
    """The provider has withdrawn its no-show: accept an open dispute, if there is one, and notify the customer."""
    won = session.execute(
        update(Dispute)
        .where(Dispute.booking_id == booking.id, Dispute.state == "open")
        .values(state="accepted", closed_at=now, decided_by="provider", decided_as="provider")
        .returning(Dispute.id)
    ).scalar_one_or_none()
    if won is not None:
        notify_answer(session, booking, "accepted", now)
