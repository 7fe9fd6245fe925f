"""What passes in a conversation without changing it is told to the streams of both sides: that somebody has read, or is
typing. All else is told by a trigger (conversation_is_told.sql), whoever writes it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from booking.live.tell import tell
from booking.live.topics import of_customer, of_member, of_provider

TOLD = "conversation"
"""The kind of the event that says of a conversation that it has changed, or how it finds a clinician."""

_WHOSE = text(
    """
    SELECT c.public_id, c.provider_id, c.clinician_id, b.customer_id, b.public_id AS booking
      FROM conversation c JOIN booking b ON b.id = c.booking_id
     WHERE c.id = :conversation
    """
)


def publish(session: Session, conversation_id: int, kind: str, seq: int, *, now: datetime) -> None:
    """Tell the customer, and the clinician who has it in hand, or all members while nobody has; once this transaction
    commits. `kind`: read, typing or TOLD. `seq`: of the newest message."""
    row = session.execute(_WHOSE, {"conversation": conversation_id}).one()
    provider = of_provider(row.provider_id) if row.clinician_id is None else of_member(row.clinician_id)
    facts = {"conversation": row.public_id, "booking": row.booking, "seq": seq}
    tell(session, [of_customer(row.customer_id), provider], kind, facts, now=now)
