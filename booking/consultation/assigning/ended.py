"""Close conversations whose booking has ended otherwise: she cancelled it, its provider did, or its time was over."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import select, update

from booking.consultation.assigning.models import ConversationOffer
from booking.consultation.models import Conversation
from booking.consultation.outside.outgoing import take_back
from booking.models import Booking
from marketplace.core.database.db import reading, transaction
from marketplace.core.one_by_one import one_by_one

_OVER = (
    select(Conversation.id)
    .join(Booking, Booking.id == Conversation.booking_id)
    .where(Conversation.closed_at.is_(None), ~Booking.live)
)


def close_ended(*, now: datetime, most: int = 200) -> Counter[str]:
    """Nobody waits in them any more, and no clinician has them in hand. Returns counts."""
    with reading() as session:
        over = session.scalars(_OVER.limit(most)).all()
    return one_by_one("ended_conversations", over, lambda conversation: _close(conversation, now))


def _close(conversation_id: int, now: datetime) -> str:
    with transaction() as session:
        locked = select(Conversation).where(Conversation.id == conversation_id, Conversation.closed_at.is_(None))
        row = session.scalar(locked.with_for_update(skip_locked=True))
        if row is None or session.scalar(select(Booking.live).where(Booking.id == row.booking_id)):
            return "left"
        open_offer = (ConversationOffer.conversation_id == row.id, ConversationOffer.state == "offered")
        session.execute(update(ConversationOffer).where(*open_offer).values(state="withdrawn", ended_at=now))
        row.closed_at = now
        take_back(session, row, now=now)
    return "closed_over"
