"""Tell streams that something has changed, in the transaction that changes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from booking.live.models import LiveEvent


def tell(session: Session, topics: Sequence[str], kind: str, facts: Mapping[str, str | int], *, now: datetime) -> None:
    """Add an event, which is delivered once this transaction has committed, and never if it does not.

    `facts` says what changed by public ids, numbers and versions. Versions of a booking are told by a trigger
    (booking_is_told.sql), whoever moves it.
    """
    session.add(LiveEvent(topics=list(topics), kind=kind, facts=dict(facts), at=now))
