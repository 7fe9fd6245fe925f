"""What colleagues have in hand, for who leads a shift: whom she may read along with, take over or assign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from booking.consultation.assigning.absence import AWAY_LONG
from marketplace.core.database.db import reading
from providers.staff.clinicians import verified
from providers.staff.shifts import unseen
from vip.principal import Member


@dataclass(frozen=True)
class WithColleague:
    """A conversation that a colleague has in hand, without a word or a name of a patient. `waits_since`: when the
    patient said what is not answered yet, None where nothing is. `stranded`: she waits, and the colleague was not seen
    for AWAY_LONG. `due_at` and `pledge` are those of its first answer."""

    conversation: str
    holder: str
    department: str
    language: str
    flagged: bool
    answered: bool
    waits_since: datetime | None
    stranded: bool
    seen_at: datetime | None
    due_at: datetime | None
    pledge: str | None


_THEIRS = text(f"""
    SELECT c.public_id, k.shown_name, c.department, c.language, c.flagged_at IS NOT NULL AS flagged,
           c.first_answer_at IS NOT NULL AS answered, w.since,
           w.since IS NOT NULL AND s.id IS NOT NULL AND {unseen(AWAY_LONG)} AS stranded,
           s.seen_at, p.due_at, p.state
      FROM conversation c
      JOIN booking b ON b.id = c.booking_id AND b.live
      JOIN beneficiary n ON n.id = b.beneficiary_id AND n.erased_at IS NULL
      JOIN clinician k ON k.member_id = c.clinician_id
      LEFT JOIN clinician_shift s
             ON s.member_id = c.clinician_id AND s.provider_id = c.provider_id AND s.ended_at IS NULL
      LEFT JOIN pledge p ON p.subject_kind = 'conversation' AND p.subject = c.public_id AND p.promise = 'first_answer'
     CROSS JOIN LATERAL (
           SELECT min(m.at) AS since FROM conversation_message m
            WHERE m.conversation_id = c.id AND m.author = 'customer'
              AND m.seq > coalesce((SELECT max(a.seq) FROM conversation_message a
                                     WHERE a.conversation_id = c.id AND a.author = 'clinician'), 0)) w
     WHERE c.provider_id = :provider AND c.closed_at IS NULL AND c.clinician_id <> :me
     ORDER BY stranded DESC, flagged DESC, w.since NULLS LAST, c.id LIMIT :most
""")


def with_colleagues(member: Member, *, now: datetime, most: int = 200) -> Sequence[WithColleague]:
    """For a verified clinician who leads shifts: those who need her first, then emergencies, then who waits longest.
    Nothing for anybody else."""
    if member.role != "clinician":
        return ()
    with reading() as session:
        clinician = verified(session, member.id)
        if clinician is None or not clinician.lead:
            return ()
        values = {"provider": member.provider_id, "me": member.id, "now": now, "most": most}
        return [WithColleague(*row) for row in session.execute(_THEIRS, values)]
