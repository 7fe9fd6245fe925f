"""Ending the claims of a booking on its slots; the trigger beside this file gives the places back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.models import SlotClaim


def release_claims(session: Session, booking_id: int, *, now: datetime, keep_slot: int | None = None) -> None:
    """End the booking's live claims, slots by id; the trigger gives the places back."""
    claims = session.execute(
        select(SlotClaim.id, SlotClaim.slot_id)
        .where(SlotClaim.booking_id == booking_id, SlotClaim.live)
        .order_by(SlotClaim.slot_id)
    ).all()
    for claim_id, slot_id in claims:
        if slot_id != keep_slot:
            session.execute(
                update(SlotClaim).where(SlotClaim.id == claim_id, SlotClaim.live).values(live=False, released_at=now)
            )
