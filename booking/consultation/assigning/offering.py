"""Offer waiting conversations to clinicians who are free: one to one, for so many seconds, then to another one."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.consultation.assigning.models import ConversationOffer
from booking.consultation.events import TOLD
from booking.live.tell import tell
from booking.live.topics import of_member
from marketplace.catalog.kinds.online_consultation import GENERAL
from marketplace.core.database.db import reading, transaction
from marketplace.core.one_by_one import RUN_SECONDS, one_by_one
from providers.staff.shifts import AWAY_AFTER, GONE_AFTER, unseen

OFFER_SECONDS = 20
"""So long a clinician may look at what is offered to her before it is passed on."""
STANDS_BACK_SECONDS = 60
"""So long who did not answer an offer comes after those who would."""

ORDER = "c.flagged_at IS NULL, c.handed_back_at IS NULL, c.first_message_at, c.id"
"""The order of the queue: emergencies, then those whom a clinician left, then by the customer's first message."""
WAITING = (
    "c.clinician_id IS NULL AND NOT c.outside AND c.closed_at IS NULL AND c.first_message_at IS NOT NULL"
    " AND EXISTS (SELECT FROM booking b WHERE b.id = c.booking_id AND b.live)"
)
FREE = (
    "s.provider_id = c.provider_id AND s.ended_at IS NULL AND s.break_since IS NULL"
    " AND k.member_id = s.member_id AND k.verified_at IS NOT NULL AND c.language = ANY (k.languages)"
    f" AND (c.department = ANY (k.departments) OR '{GENERAL}' = ANY (k.departments))"
    f" AND s.in_hand < s.capacity AND NOT {unseen(GONE_AFTER)}"
    " AND NOT EXISTS (SELECT FROM conversation_offer o WHERE o.shift_id = s.id AND o.state = 'offered')"
    " AND EXISTS (SELECT FROM operator m WHERE m.id = s.member_id AND m.disabled_at IS NULL)"
)
"""That a shift `s` of the clinician `k` may be offered the conversation `c` at `:now`."""

_TO_OFFER = text(f"""
    SELECT c.id FROM conversation c
     WHERE {WAITING}
       AND NOT EXISTS (SELECT FROM conversation_offer o WHERE o.conversation_id = c.id AND o.state = 'offered')
       AND EXISTS (SELECT FROM clinician_shift s, clinician k WHERE {FREE})
     ORDER BY {ORDER} LIMIT :most
""")
_LOCK = text(f"SELECT c.id FROM conversation c WHERE c.id = :id AND {WAITING} FOR UPDATE SKIP LOCKED")
_WHOM = text(f"""
    SELECT s.id, s.member_id
      FROM clinician_shift s JOIN clinician k ON k.member_id = s.member_id, conversation c
     WHERE c.id = :id AND {FREE}
     ORDER BY (SELECT count(*) FROM conversation_offer o
                WHERE o.conversation_id = c.id AND o.member_id = s.member_id),
              {unseen(AWAY_AFTER)},
              s.missed_at IS NOT NULL AND s.missed_at > CAST(:now AS timestamptz) - make_interval(secs => :back),
              c.department = ANY (k.departments) DESC,
              s.in_hand, s.missed_at NULLS FIRST, s.id
     LIMIT 1 FOR NO KEY UPDATE OF s SKIP LOCKED
""")
_NAMED = text("SELECT public_id FROM conversation WHERE id = :id")
_PASS_ON = text("""
    WITH over AS (
        SELECT id FROM conversation_offer WHERE state = 'offered' AND expires_at <= :now
         ORDER BY id FOR UPDATE SKIP LOCKED
    )
    UPDATE conversation_offer o SET state = 'passed', ended_at = :now FROM over WHERE o.id = over.id
    RETURNING o.shift_id
""")
_MISSED = text("UPDATE clinician_shift SET missed_at = :now WHERE id = ANY (:shifts)")


def pass_on(now: datetime) -> int:
    """End the offers that nobody answered in time; who did not answer stands back for a while. Returns how many."""
    with transaction() as session:
        missed = sorted(session.scalars(_PASS_ON, {"now": now}))
        if missed:
            session.execute(_MISSED, {"now": now, "shifts": missed})
    return len(missed)


def offer_waiting(now: datetime, most: int = 100) -> Counter[str]:
    """Offer each that waits, in the order of the queue, to one who is free. Returns counts."""
    with reading() as session:
        waiting = session.scalars(_TO_OFFER, {"most": most, "now": now}).all()
    return one_by_one("offers", waiting, lambda conversation: _offer(conversation, now), seconds=RUN_SECONDS)


def _offer(conversation_id: int, now: datetime) -> str:
    with transaction() as session:
        if session.scalar(_LOCK, {"id": conversation_id}) is None:
            return "left"
        if not _place_offer(session, conversation_id, now):
            return "nobody_free"
    return "offered"


def _place_offer(session: Session, conversation_id: int, now: datetime) -> bool:
    there = text("SELECT FROM conversation_offer WHERE conversation_id = :id AND state = 'offered'")
    if session.execute(there, {"id": conversation_id}).first() is not None:
        return True  # another worker's pass came first
    whom = session.execute(_WHOM, {"id": conversation_id, "now": now, "back": STANDS_BACK_SECONDS}).one_or_none()
    if whom is None:
        return False
    made = session.execute(
        insert(ConversationOffer)
        .values(
            conversation_id=conversation_id,
            shift_id=whom.id,
            member_id=whom.member_id,
            offered_at=now,
            expires_at=now + timedelta(seconds=OFFER_SECONDS),
        )
        .on_conflict_do_nothing()  # she was offered another one between the look and her lock
        .returning(ConversationOffer.id)
    )
    if made.scalar_one_or_none() is None:
        return False
    named = session.scalar(_NAMED, {"id": conversation_id})
    tell(session, [of_member(whom.member_id)], TOLD, {"conversation": named or ""}, now=now)
    return True
