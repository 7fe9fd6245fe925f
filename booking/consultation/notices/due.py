"""Notify customers of what they don't see on the page: an answer came, the moment to be called back has, or nobody is
there and they may choose.

Whether she is looking is said by how far she has read: a page that is seen says so within seconds. An open stream says
less, since it may be a tab's that shows something else. Each is told once for a conversation (a call-back once for each
moment), whoever of the workers comes first, and only while it is news: what became due before FRESH is left, so that
workers that stood still for a day don't write to everybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import text
from sqlalchemy.orm import Session

from booking.consultation.assigning.offering import WAITING
from booking.consultation.place import SOMEBODY_ON_SHIFT
from booking.notices.notify import notify
from marketplace.core.database.db import reading, transaction
from marketplace.core.one_by_one import RUN_SECONDS, one_by_one

ANSWERED, CALL_BACK, CHOOSE = "doctor_answered", "call_back_due", "nobody_on_shift"
"""Kinds of notices."""
UNREAD = timedelta(seconds=30)
"""So long the first answer may stand unread before she is told of it."""
UNCHOSEN = timedelta(seconds=60)
"""So long she may leave the choice open that the page gives her while nobody is on shift."""
FRESH = timedelta(hours=1)
AT_ONCE = 200

_OPEN = "c.closed_at IS NULL AND EXISTS (SELECT FROM booking live WHERE live.id = c.booking_id AND live.live)"
_UNREAD = """
    NOT EXISTS (SELECT FROM conversation_read r
                 WHERE r.conversation_id = c.id AND r.member_id IS NULL
                   AND r.seq >= (SELECT min(m.seq) FROM conversation_message m
                                  WHERE m.conversation_id = c.id AND m.author = 'clinician'))
"""
_CHOICE = """
    (SELECT {0} FROM conversation_choice h WHERE h.conversation_id = c.id ORDER BY h.id DESC LIMIT 1)
"""
_UNANSWERED = f"{WAITING} AND c.first_answer_at IS NULL"
_CALL_BACK_AT = _CHOICE.format("h.call_back_at")
_ONCE = (
    "NOT EXISTS (SELECT FROM notification n WHERE n.customer_id = b.customer_id AND n.kind = :kind AND n.subject = {})"
)


@dataclass(frozen=True)
class _Due:
    """`still` is the condition that makes a notice true, for as long as it is; `when` the moment at which it became
    due; `subject` makes it one."""

    still: str
    when: str
    wait: timedelta
    subject: str = "c.public_id"


_DUE: Mapping[str, _Due] = {
    ANSWERED: _Due(f"{_OPEN} AND c.first_answer_at IS NOT NULL AND {_UNREAD}", "c.first_answer_at", UNREAD),
    CALL_BACK: _Due(
        f"{_UNANSWERED} AND {_CALL_BACK_AT} IS NOT NULL AND {SOMEBODY_ON_SHIFT}",
        _CALL_BACK_AT,
        timedelta(0),
        f"c.public_id || ':' || CAST(extract(epoch FROM {_CALL_BACK_AT}) AS bigint)",
    ),
    CHOOSE: _Due(
        f"{_UNANSWERED} AND {_CHOICE.format('h.id')} IS NULL AND NOT {SOMEBODY_ON_SHIFT}",
        "c.first_message_at",
        UNCHOSEN,
    ),
}


def notify_due(*, now: datetime) -> Counter[str]:
    """Notify of all that is due at `now`, by the database's clock. Returns counts."""
    counts = Counter[str]()
    for kind, due in _DUE.items():
        values = {"now": now, "wait": due.wait, "fresh": FRESH, "kind": kind, "most": AT_ONCE}
        with reading() as session:
            found = session.scalars(text(_FOUND.format(**_parts(due))), values).all()
        counts += one_by_one("consultation-notices", found, partial(_notify, kind, now=now), seconds=RUN_SECONDS)
    return counts


def still_true(session: Session, kind: str, subject: str, booking_id: int, *, now: datetime) -> bool:
    """Whether a notice is as true at `now` as when it was written; it is of the `kind`, `subject` and booking (internal
    id). True of all other kinds."""
    due = _DUE.get(kind)
    if due is None:
        return True
    query = f"SELECT {due.subject} = :subject FROM conversation c WHERE c.booking_id = :booking AND {due.still}"
    return bool(session.scalar(text(query), {"subject": subject, "booking": booking_id, "now": now}))


_FOUND = f"""
    SELECT c.id FROM conversation c JOIN booking b ON b.id = c.booking_id
     WHERE {{still}} AND {{when}} <= CAST(:now AS timestamptz) - CAST(:wait AS interval)
       AND {{when}} > CAST(:now AS timestamptz) - CAST(:fresh AS interval) AND {_ONCE.format("{subject}")}
     ORDER BY c.id LIMIT :most
"""
_ABOUT = """
    SELECT b.id AS booking, b.customer_id, c.public_id, {subject} AS subject
      FROM conversation c JOIN booking b ON b.id = c.booking_id WHERE c.id = :id AND {still}
"""


def _parts(due: _Due) -> dict[str, str]:
    return {"still": due.still, "when": due.when, "subject": due.subject}


def _notify(kind: str, conversation_id: int, *, now: datetime) -> str:
    with transaction() as session:
        row = session.execute(
            text(_ABOUT.format(**_parts(_DUE[kind]))), {"id": conversation_id, "now": now}
        ).one_or_none()
        if row is None:
            return "over"
        facts = {"conversation": row.public_id}
        new = notify(session, row.customer_id, kind, row.subject, now=now, booking_id=row.booking, facts=facts)
    return kind if new else "known"
