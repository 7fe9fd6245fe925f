"""Reading a conversation: on either side, from the last number on, and nobody else's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from booking.consultation.models import ConversationRead
from booking.consultation.read import (
    SHOWN,
    SITTING,
    TYPING_SHOWN,
    TYPING_WRITTEN,
    conversation_of,
    conversations,
    conversations_of,
    mark_read,
    messages_after,
    messages_before,
    typing,
)
from booking.consultation.say import EMERGENCY, Said, customer_says
from booking.live.models import LiveEvent
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from tests.booking.consultation.rooms import Practice, make_practice
from tests.people import NOON
from vip.principal import Principal, Somebody

pytestmark = pytest.mark.usefixtures("db")
MINUTE = timedelta(minutes=1)


def talk(practice: Practice, *, number: int = 4) -> str:
    """Words of both sides, in turns: the customer's first."""
    conversation = practice.open().conversation
    for turn in range(number):
        speak = practice.answer if turn % 2 else practice.ask
        speak(conversation, f"words {turn + 1}", now=NOON + turn * MINUTE)
    return conversation


def said(who: Somebody, conversation: str, after: int = 0, **how: Any) -> list[tuple[int, str, str | None]]:
    return [(it.seq, it.author, it.text) for it in messages_after(who, conversation, after, now=NOON, **how)]


def looks(booking: str) -> list[tuple[str, str]]:
    with reading() as session:
        found = session.scalars(select(AuditLine).where(AuditLine.action == SHOWN, AuditLine.subject == booking))
        return [(it.actor_kind, it.actor) for it in found]


def test_both_sides_resume_from_the_last_number_they_have() -> None:
    practice = make_practice()
    conversation = talk(practice)

    assert said(practice.world.principal, conversation) == [
        (1, "customer", "words 1"),
        (2, "clinician", "words 2"),
        (3, "customer", "words 3"),
        (4, "clinician", "words 4"),
    ]
    assert said(practice.clinician, conversation, 2) == [(3, "customer", "words 3"), (4, "clinician", "words 4")]
    assert said(practice.clinician, conversation, 1, limit=1) == [(2, "clinician", "words 2")]
    assert said(practice.world.principal, conversation, 4) == []


def test_a_long_conversation_is_read_backwards_page_by_page_and_each_page_in_order() -> None:
    practice = make_practice()
    conversation = talk(practice, number=5)
    me = practice.world.principal

    def numbers(who: Somebody, before: int | None, limit: int) -> list[int]:
        return [it.seq for it in messages_before(who, conversation, before, limit, now=NOON)]

    for who in (me, practice.clinician):
        assert numbers(who, None, 2) == [4, 5]
        assert numbers(who, 4, 2) == [2, 3]
        assert numbers(who, 2, 2) == [1]
        assert numbers(who, 1, 2) == []
    assert numbers(me, None, 10**9) == [1, 2, 3, 4, 5]
    assert numbers(me, None, 0) == [5], "one at least"


def test_a_look_at_earlier_messages_is_a_look() -> None:
    practice = make_practice()
    opened = practice.open()
    practice.ask(opened.conversation, "嗓子疼")
    messages_before(practice.clinician, opened.conversation, now=NOON)
    assert looks(opened.booking) == [("provider", practice.clinician.public_id)]


def test_a_message_says_who_the_clinician_is_and_what_a_device_sent_itself() -> None:
    practice = make_practice()
    conversation = practice.open().conversation
    practice.ask(conversation, "嗓子疼", key="message-1")
    practice.answer(conversation, "多久了？", key="message-2")
    mine, theirs = messages_after(practice.world.principal, conversation, 0, now=NOON)

    assert (mine.mine, mine.client_message_id, mine.clinician) == (True, "message-1", None)
    assert (theirs.mine, theirs.client_message_id) == (False, "")
    assert theirs.clinician is not None
    assert (theirs.clinician.id, theirs.clinician.name) == (practice.clinician.public_id, "何医生")


def test_what_is_not_hers_is_absent_for_everybody_else() -> None:
    practice, other = make_practice(), make_practice(phone="13800000022")
    conversation = talk(practice)
    front_desk = replace(practice.clinician, role="front_desk")
    operator = Principal("operator", 1, "opr_1", practice.world.principal.insurer_id, 0, "Asia/Shanghai", "admin")

    for who in (other.world.principal, other.clinician, front_desk, operator):
        for look in (
            lambda who=who: conversation_of(who, conversation, NOON),
            lambda who=who: messages_after(who, conversation, 0, now=NOON),
            lambda who=who: messages_before(who, conversation, now=NOON),
            lambda who=who: mark_read(who, conversation, 1, NOON),
            lambda who=who: typing(who, conversation, NOON),
        ):
            with pytest.raises(NotFound):
                look()
    assert conversations_of(other.world.principal) == []
    with reading() as session:
        assert session.scalars(select(ConversationRead)).all() == []


def test_a_consultation_about_somebody_who_was_erased_is_shown_to_nobody() -> None:
    practice = make_practice()
    conversation = talk(practice)
    with transaction() as session:
        session.execute(text("UPDATE beneficiary SET erased_at = now()"))

    assert conversations_of(practice.world.principal) == []
    for who in (practice.world.principal, practice.clinician):
        with pytest.raises(NotFound):
            conversation_of(who, conversation, NOON)


def test_a_card_tells_how_it_stands_and_what_is_unread() -> None:
    practice = make_practice()
    opened = practice.open(department="dermatology")
    waiting = conversation_of(practice.world.principal, opened.conversation, NOON)
    practice.ask(opened.conversation, "嗓子疼")
    practice.answer(opened.conversation, "多久了？")
    practice.answer(opened.conversation, "发烧吗？")
    hers, doctors = (
        conversation_of(who, opened.conversation, NOON) for who in (practice.world.principal, practice.clinician)
    )

    assert (waiting.state, waiting.clinician, waiting.last_seq, waiting.unread) == ("waiting", None, 0, 0)
    assert (waiting.booking_id, waiting.department_name.zh) == (opened.booking, "皮肤科")
    assert (hers.state, hers.last_seq, hers.unread, doctors.unread) == ("open", 3, 2, 1)
    assert hers.clinician is not None and hers.clinician.name == "何医生"
    assert hers.reopen_until is None


def test_a_read_mark_goes_forward_alone_and_no_further_than_the_newest_message() -> None:
    practice = make_practice()
    conversation = talk(practice)
    me = practice.world.principal

    assert [mark_read(me, conversation, seq, NOON) for seq in (2, 1, 0, 3, 2)] == [2, 2, 2, 3, 3]
    assert mark_read(me, conversation, 2**60, NOON) == 4
    assert mark_read(practice.clinician, conversation, 3, NOON) == 3
    hers, doctors = (conversation_of(who, conversation, NOON) for who in (me, practice.clinician))
    assert (hers.read_seq, hers.others_read, hers.unread) == (4, 3, 0)
    assert (doctors.read_seq, doctors.others_read, doctors.unread) == (3, 4, 0)


def test_streams_are_told_of_a_read_mark_only_where_it_moved() -> None:
    practice = make_practice()
    conversation = talk(practice)
    me = practice.world.principal

    def told() -> int:
        with reading() as session:
            return len(session.scalars(select(LiveEvent).where(LiveEvent.kind == "read")).all())

    mark_read(me, conversation, 0, NOON)
    assert told() == 0, "nothing was read"
    for expected, seq in ((1, 2), (1, 2), (1, 1), (1, 0), (2, 4), (2, 2**60)):
        mark_read(me, conversation, seq, NOON)
        assert told() == expected


def test_an_automatic_line_is_unread_for_the_customer_and_not_for_the_clinician() -> None:
    practice = make_practice()
    conversation = practice.open().conversation
    practice.ask(conversation, "胸口压着疼")

    assert conversation_of(practice.world.principal, conversation, NOON).unread == 1
    assert conversation_of(practice.clinician, conversation, NOON).unread == 1


def test_a_sign_of_an_emergency_flags_the_conversation_and_is_answered_by_one_automatic_line() -> None:
    practice = make_practice()
    conversation = practice.open().conversation
    practice.ask(conversation, "嗓子疼")
    assert not conversation_of(practice.world.principal, conversation, NOON).flagged
    for _try in range(2):
        customer_says(practice.world.principal, conversation, Said("message-9", "胸口压着疼"), now=NOON)

    found = messages_after(practice.world.principal, conversation, 1, now=NOON)
    assert [(it.seq, it.author, it.kind, it.text) for it in found] == [
        (2, "customer", "text", "胸口压着疼"),
        (3, "automatic", EMERGENCY, None),
    ]
    view = conversation_of(practice.clinician, conversation, NOON)
    assert view.flagged and view.first_answer_at is None, "an automatic line answers nothing"


def test_typing_is_written_once_in_three_seconds_and_shown_to_the_other_side_for_a_while() -> None:
    practice = make_practice()
    conversation = talk(practice)
    me, doctor = practice.world.principal, practice.clinician

    def at(seconds: float) -> bool:
        return typing(me, conversation, NOON + timedelta(seconds=seconds))

    assert [at(0), at(1), at(2.9), at(TYPING_WRITTEN.total_seconds()), at(4)] == [True, False, False, True, False]
    assert conversation_of(doctor, conversation, NOON + timedelta(seconds=4)).typing
    assert not conversation_of(me, conversation, NOON + timedelta(seconds=4)).typing
    assert not conversation_of(doctor, conversation, NOON + timedelta(seconds=3) + TYPING_SHOWN).typing


def test_each_sitting_of_a_clinician_is_one_line_of_the_audit_and_the_customers_is_none() -> None:
    practice = make_practice()
    opened = practice.open()
    practice.ask(opened.conversation, "嗓子疼")
    messages_after(practice.world.principal, opened.conversation, 0, now=NOON)
    assert looks(opened.booking) == []
    line = ("provider", practice.clinician.public_id)

    messages_after(practice.clinician, opened.conversation, 0, now=NOON)
    conversation_of(practice.clinician, opened.conversation, NOON + MINUTE)
    messages_after(practice.clinician, opened.conversation, 1, now=NOON + SITTING - MINUTE)
    assert looks(opened.booking) == [line]
    messages_after(practice.clinician, opened.conversation, 1, now=NOON + SITTING)
    assert looks(opened.booking) == [line] * 2


def test_what_a_destroyed_key_sealed_is_no_text_and_no_error() -> None:
    practice = make_practice()
    conversation = talk(practice, number=1)
    with transaction() as session:
        session.execute(
            text("UPDATE person_key SET wrapped_key = NULL, destroyed_at = now() WHERE retention = 'medical'")
        )

    assert said(practice.world.principal, conversation) == [(1, "customer", None)]


def test_the_list_goes_on_page_by_page_and_shows_the_newest_first() -> None:
    practice = make_practice(quantity=3)
    made = [practice.open(now=NOON + turn * MINUTE).conversation for turn in range(3)]
    first = conversations(practice.world.principal, cursor=None, limit=2)
    rest = conversations(practice.world.principal, cursor=first.next, limit=2)

    assert [it.id for it in (*first.items, *rest.items)] == made[::-1]
    assert rest.next is None
