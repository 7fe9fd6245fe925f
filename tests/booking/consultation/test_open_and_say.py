"""A consultation from the question to the first answer."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from booking.consultation.models import Conversation, ConversationMessage
from booking.consultation.say import MessageIdReused
from booking.models import Booking, BookingHistory, ProviderTask, SlotClaim
from booking.states import BookingState
from marketplace.core.database.db import reading
from marketplace.core.errors import Invalid
from tests.booking.consultation.rooms import make_practice
from vip.entitlements.ledger import EntitlementExhausted

pytestmark = pytest.mark.usefixtures("db")


def test_a_consultation_begins_without_a_slot_and_reserves_its_unit() -> None:
    opened = make_practice().open()

    with reading() as session:
        booking = session.scalars(select(Booking).where(Booking.public_id == opened.booking)).one()
        assert booking.state is BookingState.AWAITING_PROVIDER
        assert booking.version == 1
        assert session.scalars(select(SlotClaim).where(SlotClaim.booking_id == booking.id)).all() == []
        assert session.scalars(select(ProviderTask.command).where(ProviderTask.booking_id == booking.id)).all() == [
            "reserve"
        ]
        lines = session.scalars(select(BookingHistory).where(BookingHistory.booking_id == booking.id)).all()
        assert [(it.version, it.from_state, it.to_state) for it in lines] == [(1, None, "awaiting_provider")]
        entries = session.scalars(
            text("SELECT entry FROM entitlement_entry WHERE booking_id = :id"), {"id": booking.id}
        ).all()
        assert entries == ["reserve"]


def test_the_same_key_opens_one_consultation() -> None:
    practice = make_practice()

    first, second = practice.open(key="a-key-of-hers"), practice.open(key="a-key-of-hers")

    assert (second.booking, second.conversation) == (first.booking, first.conversation)
    assert second.replayed


def test_without_a_unit_nothing_is_opened() -> None:
    practice = make_practice(quantity=1)
    practice.open()

    with pytest.raises(EntitlementExhausted):
        practice.open()

    with reading() as session:
        assert len(session.scalars(select(Conversation)).all()) == 1


def test_the_first_answer_of_a_clinician_puts_the_booking_in_service() -> None:
    practice = make_practice()
    opened = practice.open()
    asked = practice.ask(opened.conversation, "嗓子疼")
    answered = practice.answer(opened.conversation, "多久了？")

    assert (asked.seq, answered.seq) == (1, 2)
    with reading() as session:
        booking = session.scalars(select(Booking).where(Booking.public_id == opened.booking)).one()
        assert booking.state is BookingState.IN_SERVICE


def test_a_message_that_is_sent_again_is_the_same_message_and_no_other() -> None:
    practice = make_practice()
    conversation = practice.open().conversation
    first = practice.ask(conversation, "嗓子疼", key="message-1")
    again = practice.ask(conversation, "嗓子疼", key="message-1")

    assert (again.public_id, again.seq, again.replayed) == (first.public_id, 1, True)
    with pytest.raises(MessageIdReused):
        practice.ask(conversation, "头疼", key="message-1")
    with reading() as session:
        sealed = session.scalars(select(ConversationMessage.body_sealed)).all()
    assert len(sealed) == 1
    assert "嗓子疼".encode() not in (sealed[0] or b"")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("", "required"),
        (" \n", "required"),
        ("\u200b\u2060", "required"),
        ("x" * 4_001, "too_long"),
        ("a\0b", "bad_characters"),
        ("\ud800", "bad_characters"),
    ],
)
def test_words_that_say_nothing_or_can_not_be_stored_begin_nothing(words: str, reason: str) -> None:
    practice = make_practice()
    opened = practice.open()
    with pytest.raises(Invalid) as refused:
        practice.ask(opened.conversation, words)
    assert (refused.value.at, refused.value.facts["reason"]) == ("text", reason)
    with reading() as session:
        assert session.scalars(select(Conversation.first_message_at)).one() is None
