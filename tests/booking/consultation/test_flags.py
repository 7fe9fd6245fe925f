"""Signs of an emergency are seen before any queue, on the form and in each message of the customer."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from booking.consultation.flags import months
from booking.consultation.models import Conversation, ConversationMessage
from booking.consultation.read import conversation_of, messages_after
from marketplace.core.database.db import reading, transaction
from tests.booking.consultation.rooms import Practice, make_practice
from tests.people import NOON
from vip.models import Beneficiary

pytestmark = pytest.mark.usefixtures("db")


def said(practice: Practice, conversation: str) -> list[tuple[str, str, tuple[str, ...]]]:
    lines = messages_after(practice.world.principal, conversation, 0, now=NOON)
    return [(it.author, it.kind, it.signs) for it in lines]


def test_words_with_a_sign_are_followed_by_a_line_that_names_it() -> None:
    practice = make_practice()
    conversation = practice.open().conversation
    practice.ask(conversation, "胸口疼得厉害，喘不上气", key="message-1")
    practice.ask(conversation, "胸口疼得厉害，喘不上气", key="message-1")

    assert said(practice, conversation) == [
        ("customer", "text", ()),
        ("automatic", "emergency", ("chest_pain", "breathing")),
    ]
    view = conversation_of(practice.world.principal, conversation, NOON)
    assert (view.flagged, view.signs) == (True, ("chest_pain", "breathing"))
    assert conversation_of(practice.clinician, conversation, NOON).signs == view.signs, "the clinician sees it"


def test_what_is_denied_raises_no_flag() -> None:
    practice = make_practice()
    conversation = practice.open().conversation
    practice.ask(conversation, "没有胸痛，就是嗓子有点干")

    assert said(practice, conversation) == [("customer", "text", ())]
    assert conversation_of(practice.world.principal, conversation, NOON).signs == ()


def test_the_form_is_looked_at_before_anybody_reads_it() -> None:
    practice = make_practice()
    opened = practice.open(details={"symptoms": "半边脸麻，说话不清楚", "since": "today"})

    assert said(practice, opened.conversation) == [("automatic", "emergency", ("stroke",))]


def test_what_is_chosen_on_the_form_denies_nothing_that_is_written_on_it() -> None:
    practice = make_practice()
    details = {"symptoms": "Crushing chest pain what should I do?", "pregnancy": "no"}
    opened = practice.open(details=details)

    assert said(practice, opened.conversation) == [("automatic", "emergency", ("chest_pain",))]


@pytest.mark.parametrize(("chosen", "signs"), [("pregnant", ("pregnancy_bleeding",)), ("no", ())])
def test_who_said_on_the_form_that_she_is_pregnant_need_not_say_it_again(chosen: str, signs: tuple[str, ...]) -> None:
    practice = make_practice()
    conversation = practice.open(details={"pregnancy": chosen}).conversation
    practice.ask(conversation, "从早上开始有点出血")

    assert conversation_of(practice.world.principal, conversation, NOON).signs == signs


def test_a_sentence_that_is_written_in_pieces_is_read_as_one() -> None:
    practice = make_practice()
    conversation = practice.open().conversation
    practice.ask(conversation, "大夫我胸口")
    practice.ask(conversation, "好痛", now=NOON + timedelta(seconds=20))
    assert said(practice, conversation)[2:] == [("automatic", "emergency", ("chest_pain",))]
    practice.ask(conversation, "怎么办", now=NOON + timedelta(seconds=30))
    assert len(said(practice, conversation)) == 4, "what was found is not told again"


def test_pieces_of_different_times_are_no_sentence() -> None:
    practice = make_practice()
    conversation = practice.open().conversation
    practice.ask(conversation, "大夫我胸口")
    practice.ask(conversation, "好痛", now=NOON + timedelta(minutes=3))
    assert conversation_of(practice.world.principal, conversation, NOON).signs == ()


def test_lines_of_one_message_are_read_as_a_sentence_and_each_by_itself() -> None:
    practice = make_practice()
    broken, listed = practice.open().conversation, practice.open().conversation
    practice.ask(broken, "大夫我胸口\n好痛")
    practice.ask(listed, "发烧：无\n胸痛")
    for conversation in (broken, listed):
        assert conversation_of(practice.world.principal, conversation, NOON).signs == ("chest_pain",)


def test_a_flagged_conversation_keeps_the_moment_of_its_first_sign() -> None:
    practice = make_practice()
    conversation = practice.open().conversation
    practice.ask(conversation, "我不想活了")
    practice.ask(conversation, "喘不上气", now=NOON + timedelta(minutes=1))

    with reading() as session:
        assert session.scalars(select(Conversation.flagged_at)).all() == [NOON]


def test_a_babys_fever_counts_by_the_babys_age() -> None:
    practice = make_practice()
    with transaction() as session:
        session.execute(update(Beneficiary).values(birth_date=(NOON - timedelta(days=50)).date()))
    conversation = practice.open().conversation
    practice.ask(conversation, "发烧38.5度")

    assert said(practice, conversation)[1:] == [("automatic", "emergency", ("infant_fever",))]


def test_what_a_clinician_says_raises_no_flag() -> None:
    practice = make_practice()
    conversation = practice.open().conversation
    practice.ask(conversation, "嗓子疼")
    practice.answer(conversation, "如果胸口疼、喘不上气，请马上打120")

    with reading() as session:
        said = select(ConversationMessage.author).order_by(ConversationMessage.seq)
        assert session.scalars(said).all() == ["customer", "clinician"]


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2026, 1, 31), date(2026, 2, 28), 0),
        (date(2026, 1, 31), date(2026, 3, 31), 2),
        (date(2025, 12, 2), date(2026, 3, 1), 2),
        (date(2025, 12, 1), date(2026, 3, 1), 3),
    ],
)
def test_months_are_counted_when_they_are_complete(born: date, day: date, age: int) -> None:
    assert months(born, day) == age
