"""A patient is not left with a clinician who is not there: her laptop was closed, or she walked away.

A clinician is seen while a page of hers asks (providers.staff.shifts.seen). What she has in hand stays hers for as long
as nobody waits for her; then it goes back to the head of the queue, and what was pledged goes on.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from booking.consultation.models import Conversation
from booking.consultation.queue import give_back
from marketplace.core.database.db import reading, transaction
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import RUN_SECONDS, one_by_one
from providers.staff.shifts import AWAY_AFTER, GONE_AFTER, unseen

log = get_logger(__name__)

AWAY_LONG = timedelta(minutes=5)
"""Who was away for so long while a patient waits for her is shown to the lead of the shift."""

UNANSWERED = (
    "EXISTS (SELECT FROM conversation_message m WHERE m.conversation_id = c.id AND m.author = 'customer'"
    " AND m.seq > coalesce((SELECT max(a.seq) FROM conversation_message a"
    " WHERE a.conversation_id = c.id AND a.author = 'clinician'), 0))"
)
"""That the last words of a person in the conversation `c` are the customer's."""

_LEFT = f"""
    c.closed_at IS NULL AND c.first_message_at IS NOT NULL
    AND (c.first_answer_at IS NULL AND {unseen(AWAY_AFTER)} OR {unseen(GONE_AFTER)} AND {UNANSWERED})
"""
"""That the conversation `c` waits for the clinician of the shift `s`, and she is not there."""
_FOUND = text(f"""
    SELECT c.id FROM clinician_shift s
      JOIN conversation c ON c.clinician_id = s.member_id AND c.provider_id = s.provider_id
     WHERE s.ended_at IS NULL AND s.in_hand > 0 AND {_LEFT}
     ORDER BY c.first_answer_at IS NOT NULL, c.first_message_at, c.id LIMIT :most
""")
_STILL = text(f"""
    SELECT s.id FROM clinician_shift s, conversation c
     WHERE c.id = :id AND s.member_id = c.clinician_id AND s.provider_id = c.provider_id
       AND s.ended_at IS NULL AND {_LEFT}
       FOR NO KEY UPDATE OF s
""")
"""Read again under the locks of both: she may have come back, or answered."""


def bring_back(*, now: datetime, most: int = 100) -> Counter[str]:
    """Send back to the queue what nobody has answered yet and is in hand of one who is away; and what was answered,
    once she is gone and the patient waits for her: until then a lead may hand it over. Any number of workers may run
    it. Returns counts."""
    with reading() as session:
        found = session.scalars(_FOUND, {"now": now, "most": most}).all()
    return one_by_one("absent", found, lambda conversation: _bring_back(conversation, now), seconds=RUN_SECONDS)


def _bring_back(conversation_id: int, now: datetime) -> str:
    with transaction() as session:
        row = _locked(session, conversation_id)
        if row is None or row.clinician_id is None:
            return "left"
        if session.execute(_STILL, {"now": now, "id": conversation_id}).first() is None:
            return "left"
        row.absent_id = row.clinician_id
        give_back(row, now=now)
    log.info("consultation.brought_back", conversation=row.public_id)
    return "brought_back"


def _locked(session: Session, conversation_id: int) -> Conversation | None:
    """None where somebody is about it: she may be answering."""
    return session.scalar(
        select(Conversation)
        .where(Conversation.id == conversation_id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
