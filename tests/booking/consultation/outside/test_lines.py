"""What doctors of an outside provider say stands here once, in their order, whichever way it comes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from booking.consultation.outside.outgoing import AWAITED
from booking.consultation.read import conversation_of, messages_after
from marketplace.core.database.db import transaction
from tests.booking.consultation.outside.rooms import (
    at,
    make_outside,
    open_cases,
    pledge_state,
    said_in,
    state_of,
    talk_row,
)
from tests.people import NOON

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


def test_the_first_line_of_a_verified_doctor_keeps_the_pledge_and_puts_it_in_service() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")

    assert it.tell(it.line(opened, 1), now=at(30)) == "taken"

    assert state_of(opened) == "in_service"
    assert pledge_state() == "met"
    row = talk_row(opened.conversation)
    assert (row.their_seq, row.first_answer_at) == (1, at(30))
    shown = messages_after(it.world.principal, opened.conversation, 1, now=at(30))
    assert [(each.author, each.text, each.clinician.name) for each in shown if each.clinician] == [
        ("clinician", "请多喝水", "何医生")
    ]
    card = conversation_of(it.world.principal, opened.conversation, at(30))
    assert card.clinician is not None
    assert card.clinician.name == "何医生"


def test_the_moment_is_ours_and_never_theirs() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")

    it.tell(it.line(opened, 1, sent_at=at(10)), now=at(91))

    assert pledge_state() == "breached"
    assert talk_row(opened.conversation).first_answer_at == at(91)


def test_the_list_brings_what_no_event_brought() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.there.lines = [it.line(opened, 1, "您好"), it.line(opened, 2, "多久了？")]

    assert it.read(now=NOON) == {}
    assert it.read(now=NOON + AWAITED) == {"taken": 1}

    assert [each[3] for each in said_in(opened.conversation)] == ["嗓子疼", "您好", "多久了？"]


def test_an_event_about_a_later_line_makes_the_list_be_read_at_once() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.there.lines = [it.line(opened, number, f"第{number}句") for number in (1, 2, 3)]

    assert it.tell(it.there.lines[2], now=at(1)) == "ahead"  # type: ignore[arg-type]
    assert len(said_in(opened.conversation)) == 1
    it.read(now=at(1))
    assert it.tell(it.there.lines[1], now=at(2)) == "known"  # type: ignore[arg-type]

    assert [each[3] for each in said_in(opened.conversation)] == ["嗓子疼", "第1句", "第2句", "第3句"]


def test_a_long_list_is_read_page_by_page() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.there.page = 2
    it.there.lines = [it.line(opened, number, f"第{number}句") for number in range(1, 8)]

    it.read(now=NOON + AWAITED)

    assert talk_row(opened.conversation).their_seq == 7


def test_without_the_guard_the_constraint_still_takes_a_line_once() -> None:
    it = make_outside()
    opened = it.begin()
    it.tell(it.line(opened, 1))
    with transaction() as session:
        session.execute(text("UPDATE conversation SET their_seq = 0"))

    with pytest.raises(IntegrityError, match="conversation_line"):
        it.tell(it.line(opened, 1, "另一句话"))

    assert len(said_in(opened.conversation)) == 1


def test_other_words_under_a_known_number_change_nothing_and_are_told_to_operators() -> None:
    it = make_outside()
    opened = it.begin()
    it.tell(it.line(opened, 1, "请多喝水"))

    assert it.tell(it.line(opened, 1, "请多喝水")) == "known"
    assert it.tell(it.line(opened, 1, "请少喝水")) == "differs"

    assert [each[3] for each in said_in(opened.conversation)] == ["请多喝水"]
    assert open_cases() == ["line_differs"]


def test_the_same_name_under_another_number_is_passed_over() -> None:
    it = make_outside()
    opened = it.begin()
    it.tell(it.line(opened, 1))

    assert it.tell(it.line(opened, 2, id="m-1")) == "passed"
    assert it.tell(it.line(opened, 3)) == "taken"

    assert [each[2] for each in said_in(opened.conversation)] == ["text", "line_unreadable", "text"]


def test_another_providers_event_about_it_is_as_if_it_were_not_there() -> None:
    it, other = make_outside(), make_outside(phone="13800000029")
    opened = it.begin()
    line = it.line(opened, 1)

    assert it.tell(line, provider=other.world.provider.id) == "unmatched"
    assert it.tell(replace(line, reference="C-nobody's")) == "unmatched"
    assert it.tell(replace(line, our_reference="bkg_another")) == "unmatched"

    assert said_in(opened.conversation) == []
    assert open_cases() == []


def test_an_event_that_comes_twice_is_one() -> None:
    it = make_outside()
    opened = it.begin()
    assert it.tell(it.line(opened, 1), event="evt-1") == "taken"
    assert it.tell(it.line(opened, 1), event="evt-1") == "duplicate"
