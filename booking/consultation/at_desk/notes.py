"""Internal notes: what clinicians of a provider tell each other about a patient whom one of them has in hand.

Patients are never shown them. Each is sealed under the person's process key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.consultation import read
from booking.consultation.access import FIELD, lock
from booking.consultation.models import ConversationNote
from booking.models import Booking
from booking.sealing import open_words, seal_words
from marketplace.core.crypto import Unreadable
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.ids import new_id
from marketplace.core.strictjson import storable
from vip.customers.person_keys import PROCESS, WrappedKey, key_of
from vip.models import Beneficiary, Operator
from vip.principal import Member

MOST_CHARACTERS = 2_000
MOST_NOTES = 50


class TooManyNotes(Refusal):
    """The conversation has as many notes as it may; `most` says how many."""

    code = "too_many_notes"


@dataclass(frozen=True)
class Note:
    """A note, and who wrote it. `text` is None once it was erased."""

    author: str
    text: str | None = field(repr=False)
    at: datetime


def note(member: Member, conversation: str, text: str, *, now: datetime) -> None:
    """Add a note to a conversation that the clinician has in hand. The same words twice in a row are one note, so that
    a form that is sent again does no harm. Raises NotFound, Invalid(field="note"), TooManyNotes."""
    words = text.strip()
    if not words:
        raise Invalid(field="note", reason="required")
    if len(words) > MOST_CHARACTERS:
        raise Invalid(field="note", reason="too_long", maximum=MOST_CHARACTERS)
    if not storable(words):
        raise Invalid(field="note", reason="bad_characters")
    with transaction() as session:
        row = read.find(session, member, conversation)
        talk = lock(session, member, conversation)
        if talk.clinician_id != member.id or talk.closed_at is not None:
            raise NotFound(field=FIELD)
        stored = _of(session, talk.id)
        key = _key(session, row.Booking)
        if stored and stored[-1].member_id == member.id and _text(stored[-1], key) == words:
            return
        if len(stored) >= MOST_NOTES:
            raise TooManyNotes(most=MOST_NOTES)
        public_id = new_id("nte")
        sealed = seal_words(words, key, record_of(public_id))
        session.add(
            ConversationNote(
                public_id=public_id, conversation_id=talk.id, member_id=member.id, body_sealed=sealed, at=now
            )
        )


def notes_of(member: Member, conversation: str, *, now: datetime) -> Sequence[Note]:
    """The notes of a conversation that the clinician has in hand, the oldest first; her look is a line of the audit.
    Raises NotFound."""
    with transaction() as session:
        row = read.find(session, member, conversation)
        if row.Conversation.clinician_id != member.id:
            raise NotFound(field=FIELD)
        read.record_look(session, member, row, now)
        stored = _of(session, row.Conversation.id)
        names = select(Operator.id, Operator.name).where(Operator.id.in_({each.member_id for each in stored}))
        known = {each.id: each.name for each in session.execute(names)}
        key = _key(session, row.Booking)
        return [Note(known[each.member_id], _text(each, key), each.at) for each in stored]


def record_of(note: str) -> str:
    """What the words of a note (public id) are bound to."""
    return f"note:{note}"


def _of(session: Session, conversation_id: int) -> Sequence[ConversationNote]:
    query = select(ConversationNote).where(ConversationNote.conversation_id == conversation_id)
    return session.scalars(query.order_by(ConversationNote.id)).all()


def _key(session: Session, booking: Booking) -> WrappedKey:
    return key_of(session, session.get_one(Beneficiary, booking.beneficiary_id), PROCESS)


def _text(stored: ConversationNote, key: WrappedKey) -> str | None:
    if stored.body_sealed is None:
        return None
    try:
        return open_words(stored.body_sealed, key, record_of(stored.public_id))
    except Unreadable:
        return None
