"""Put on its way what has to reach an outside provider, in the transaction of what it says. No network is near."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.consultation.models import Conversation, ConversationMessage
from booking.consultation.outside.models import ConversationDelivery

AWAITED = timedelta(seconds=10)
"""How often the doctors' lines are read while the customer waits for an answer. An event brings a line at once."""
QUIET = timedelta(seconds=60)
"""How often they are read otherwise."""
ENDED = "ended"
"""The refusal of what was still on its way when the conversation had ended."""

Reason = Literal["closed", "idle", "cancelled"]


def hand_on(session: Session, row: Conversation, message: str, *, now: datetime) -> None:
    """The customer's message (public id) in a locked outside conversation: it goes behind what is on its way there."""
    message_id = session.scalars(select(ConversationMessage.id).where(ConversationMessage.public_id == message)).one()
    session.add(
        ConversationDelivery(
            key=message,
            conversation_id=row.id,
            provider_id=row.provider_id,
            message_id=message_id,
            run_after=now,
        )
    )
    row.listen_at = min(row.listen_at or now + AWAITED, now + AWAITED)
    session.flush()


def hand_on_end(session: Session, row: Conversation, reason: Reason, *, now: datetime) -> None:
    """That a locked outside conversation is over here."""
    session.add(
        ConversationDelivery(
            key=str(uuid.uuid4()),
            conversation_id=row.id,
            provider_id=row.provider_id,
            reason=reason,
            run_after=now,
        )
    )
    session.flush()


def take_back(session: Session, row: Conversation, *, now: datetime) -> None:
    """Nobody has to have any more what is still on its way in a locked conversation that has ended. What is in a
    worker's hands is left to that."""
    session.execute(
        update(ConversationDelivery)
        .where(ConversationDelivery.conversation_id == row.id, ConversationDelivery.state == "queued")
        .values(state="refused", refusal=ENDED, finished_at=now)
    )
