"""End a consultation that goes on here and is over at its provider."""

from __future__ import annotations

from sqlalchemy import select, text

from booking.actors import provider_actor
from booking.consultation.close import REOPENED, end_without
from booking.consultation.models import Conversation
from booking.consultation.outside.listen import ENDED_THERE
from booking.consultation.outside.outgoing import take_back
from booking.states import BookingState
from booking.transition import lock_booking
from marketplace.core.database.db import reading, transaction
from marketplace.core.database.moment import When, moment
from marketplace.core.one_by_one import one_by_one

_NOT_TAKEN = text(
    """
    SELECT c.id FROM conversation c
     WHERE c.outside AND c.closed_at IS NULL AND c.first_answer_at IS NOT NULL AND EXISTS (
       SELECT FROM conversation_delivery d JOIN conversation_message m ON m.id = d.message_id
        WHERE d.conversation_id = c.id AND d.refusal = 'closed' AND NOT EXISTS (
          SELECT FROM conversation_message r WHERE r.conversation_id = c.id AND r.kind = :reopened AND r.seq > m.seq))
    """
)


def end_closed_there(*, now: When) -> dict[str, int]:
    """End what the provider takes no more words of, since its doctors have ended it and do not open it again: nobody
    waits for an answer that can't come. Returns counts."""
    with reading() as session:
        found = session.scalars(_NOT_TAKEN, {"reopened": REOPENED}).all()
    return dict(one_by_one("closed_there", found, lambda conversation: _end_closed_there(conversation, now)))


def _end_closed_there(conversation_id: int, now: When) -> str:
    with transaction() as session:
        booking_id = session.scalars(select(Conversation.booking_id).where(Conversation.id == conversation_id)).one()
        booking, _ = lock_booking(session, booking_id)
        row = session.get_one(Conversation, conversation_id, with_for_update=True)
        if row.closed_at is not None or booking.state is not BookingState.IN_SERVICE:
            return "left"
        at = moment(session, now)
        actor = provider_actor(session, booking)
        end_without(session, booking, row, ENDED_THERE, actor, cause=ENDED_THERE, now=at)
        take_back(session, row, now=at)
    return "ended"
