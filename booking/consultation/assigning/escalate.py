"""Bring conversations whose pledge runs out before the leads of the shift: twice, at half and at five sixths of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction

from sqlalchemy import text

from booking.consultation.events import TOLD
from booking.live.tell import tell
from booking.live.topics import of_provider
from booking.pledges.pledge import FIRST_ANSWER
from marketplace.core.database.db import transaction

STEPS: Mapping[int, Fraction] = {1: Fraction(1, 2), 2: Fraction(5, 6)}
"""Of the pledged time: 45 and 75 of 90 seconds."""

_ESCALATE = text("""
    INSERT INTO conversation_escalation (conversation_id, step, at)
    SELECT c.id, :step, :now
      FROM pledge p JOIN conversation c ON c.public_id = p.subject AND NOT c.outside
     WHERE p.state IN ('pending','at_risk') AND p.subject_kind = 'conversation' AND p.promise = :promise
       AND p.begun_at + make_interval(secs => p.seconds * CAST(:part AS double precision)) <= :now
       AND NOT EXISTS (SELECT FROM conversation_escalation e WHERE e.conversation_id = c.id AND e.step = :step)
     ORDER BY c.id FOR KEY SHARE OF c SKIP LOCKED
    ON CONFLICT (conversation_id, step) DO NOTHING
    RETURNING conversation_id
""")
_WHERE = text("SELECT public_id, provider_id FROM conversation WHERE id = ANY (:found)")


def escalate(*, now: datetime) -> Counter[str]:
    """Write what is due at `now`, each step once, whichever worker comes first; one that somebody is about is left to
    the next pass. The queue shows it (queue.waiting), and streams are told. Returns counts."""
    counts = Counter[str]()
    with transaction() as session:
        for step, part in STEPS.items():
            values = {"step": step, "part": float(part), "now": now, "promise": FIRST_ANSWER}
            found = session.scalars(_ESCALATE, values).all()
            counts["escalated"] += len(found)
            for row in session.execute(_WHERE, {"found": found}) if found else ():
                tell(session, [of_provider(row.provider_id)], TOLD, {"conversation": row.public_id}, now=now)
    return counts
