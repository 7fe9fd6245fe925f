"""A long conversation, written at once."""

from __future__ import annotations

from booking.consultation.access import booking_of
from booking.consultation.models import Conversation
from booking.consultation.say import Said, append
from marketplace.core.database.db import transaction
from tests.booking.consultation.rooms import Practice
from tests.people import NOON


def make_long(practice: Practice, number: int) -> str:
    """A conversation of so many messages, both sides in turns, the customer first: `words 1`, `words 2` … Its id."""
    opened = practice.open().conversation
    practice.ask(opened, "words 1")
    practice.answer(opened, "words 2")
    with transaction() as session:
        booking_id = booking_of(session, practice.world.principal, opened)
        row = session.query(Conversation).filter_by(booking_id=booking_id).with_for_update().one()
        for turn in range(3, number + 1):
            said = Said(f"message-{turn}", f"words {turn}")
            if turn % 2:
                append(session, row, said, author="customer", now=NOON)
            else:
                append(session, row, said, author="clinician", now=NOON, member_id=practice.clinician.id)
    return opened
