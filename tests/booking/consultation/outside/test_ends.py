"""How a consultation ends that doctors of an outside provider answer."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from booking.changes.cancel import cancel
from booking.consultation.assigning.ended import close_ended
from booking.consultation.close import IDLE, close_idle, reopen
from booking.consultation.outside.deliver import end_left
from booking.consultation.outside.ends import end_closed_there
from booking.consultation.read import messages_after
from booking.reports.models import Report, ReportVersion
from marketplace.core.database.db import reading
from providers.port import Confirmed, Refused
from tests.booking.consultation.outside.rooms import (
    at,
    booking_event,
    make_outside,
    open_cases,
    pledge_state,
    said_in,
    state_of,
)
from tests.people import NOON

pytestmark = pytest.mark.usefixtures("db")


def test_a_summary_closes_it_and_stands_in_the_report_box() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.tell(it.line(opened, 1), now=at(10))

    assert it.tell(it.summary(opened, 2, next_service="health_check"), now=at(60)) == "taken"

    assert state_of(opened) == "fulfilled"
    with reading() as session:
        assert session.scalars(select(Report.reference)).all() == [f"{opened.booking}-summary"]
        assert session.scalar(select(func.count()).select_from(ReportVersion)) == 1
    last = messages_after(it.world.principal, opened.conversation, 2, now=at(60))[-1]
    assert last.summary is not None
    assert last.summary.next_service is not None
    assert last.summary.next_service.kind == "health_check"
    assert it.tell(it.summary(opened, 2, next_service="health_check"), now=at(61)) == "known"


def test_a_service_that_we_do_not_know_is_left_out_of_a_summary() -> None:
    it = make_outside()
    opened = it.begin()
    it.tell(it.line(opened, 1))
    assert it.tell(it.summary(opened, 2, next_service="moon_flight")) == "taken"

    last = messages_after(it.world.principal, opened.conversation, 1, now=NOON)[-1]
    assert last.summary is not None
    assert last.summary.next_service is None


def test_a_summary_as_the_first_word_is_an_answer_too() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.tell(it.summary(opened, 1), now=at(20))
    assert (state_of(opened), pledge_state()) == ("fulfilled", "met")


def test_she_opens_it_again_and_what_she_says_goes_out_again() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.work()
    it.tell(it.summary(opened, 1), now=at(20))

    reopen(it.world.principal, opened.conversation, now=at(100))
    it.ask(opened.conversation, "还有一个问题", now=at(101))
    assert it.work(now=at(101)) == ["delivered"]
    it.tell(it.line(opened, 2), now=at(120))
    it.tell(it.summary(opened, 3, summary="补充"), now=at(130))

    assert it.there.posted[-1].text == "还有一个问题"
    assert state_of(opened) == "fulfilled"
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(ReportVersion)) == 2


def test_what_a_doctor_says_after_the_end_waits_and_is_told_and_comes_when_it_is_opened_again() -> None:
    it = make_outside()
    opened = it.begin()
    it.tell(it.summary(opened, 1))
    late = it.line(opened, 2, "请再来复查")
    it.there.lines = [it.summary(opened, 1), late]

    assert it.tell(late, now=at(60)) == "after_end"
    assert it.tell(late, now=at(61)) == "after_end"
    assert [each[2] for each in said_in(opened.conversation)] == ["summary", "line_after_end"]
    assert open_cases() == ["line_after_end"]

    reopen(it.world.principal, opened.conversation, now=at(100))
    it.read(now=at(100))

    assert said_in(opened.conversation)[-1][3] == "请再来复查"
    assert open_cases() == []


def test_what_comes_after_she_cancelled_is_not_shown() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    cancel(it.world.principal, opened.booking, now=at(10))

    assert it.tell(it.line(opened, 1), now=at(20)) == "after_end"

    assert len(said_in(opened.conversation)) == 1
    assert state_of(opened) == "cancelled"
    assert pledge_state() == "cancelled"
    assert open_cases() == ["line_after_end"]


def test_a_cancel_that_is_refused_there_since_a_doctor_answered_closes_it_there() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.work()
    cancel(it.world.principal, opened.booking, now=at(10))
    it.there.answers.append(Refused("too_late"))
    it.work(now=at(11))
    close_ended(now=at(12))
    assert open_cases() == ["cancel_refused"]

    assert [end_left(now=at(13))["told"] for _ in range(2)] == [1, 0]
    it.work(now=at(14))
    end_left(now=at(15))

    assert [each.reason for each in it.there.closed] == ["cancelled"]
    assert state_of(opened) == "cancelled"


def test_what_the_provider_opens_no_more_ends_here_too() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.work()
    it.tell(it.line(opened, 1), now=at(10))
    it.tell(it.summary(opened, 2), now=at(20))
    reopen(it.world.principal, opened.conversation, now=at(30))
    assert end_closed_there(now=at(31)) == {}
    it.ask(opened.conversation, "还是疼", now=at(40))
    it.there.meets = [Refused("closed")]
    assert it.work(now=at(41)) == ["refused"]

    assert end_closed_there(now=at(42)) == {"ended": 1}

    assert state_of(opened) == "fulfilled"
    assert said_in(opened.conversation)[-1][1:3] == ("automatic", "closed_there")
    reopen(it.world.principal, opened.conversation, now=at(50))
    assert end_closed_there(now=at(51)) == {}, "what she says now may be taken"


def test_a_message_that_is_refused_before_any_answer_ends_nothing() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.there.meets = [Refused("closed")]
    it.work()
    assert end_closed_there(now=at(42)) == {}
    assert state_of(opened) == "confirmed"


def test_a_cancel_that_is_taken_there_needs_nothing_more() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    cancel(it.world.principal, opened.booking, now=at(10))
    it.there.answers.append(Confirmed(f"C-{opened.booking}", 2))
    it.work(now=at(11))
    close_ended(now=at(12))
    assert end_left(now=at(13))["told"] == 0
    it.work(now=at(14))
    assert it.there.closed == []


def test_two_days_of_silence_close_it_here_and_there() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.work()
    it.tell(it.line(opened, 1))

    close_idle(now=NOON + IDLE)
    it.work(now=NOON + IDLE)

    assert state_of(opened) == "fulfilled"
    assert [each.reason for each in it.there.closed] == ["idle"]


def test_a_status_that_says_it_has_begun_answers_nothing() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")

    booking_event(it, opened, "in_service", 2)

    assert state_of(opened) == "confirmed"
    assert pledge_state() == "pending"
    assert open_cases() == []


def test_an_end_that_is_told_without_a_summary_comes_after_all_that_was_said() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.work()
    it.there.lines = [it.line(opened, 1), it.line(opened, 2, "再见")]

    booking_event(it, opened, "fulfilled", 3, now=at(5))
    assert state_of(opened) == "confirmed"
    it.read(now=at(5))

    assert state_of(opened) == "fulfilled"
    assert [each[2] for each in said_in(opened.conversation)] == ["text", "text", "text", "closed_there"]


def test_an_end_of_before_does_not_close_what_she_opened_again() -> None:
    it = make_outside()
    opened = it.begin()
    it.tell(it.summary(opened, 1))
    booking_event(it, opened, "fulfilled", 3)
    reopen(it.world.principal, opened.conversation, now=at(100))

    it.read(now=at(100))

    assert state_of(opened) == "in_service"


def test_an_end_without_any_answer_is_told_to_operators_and_she_waits_on() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.work()
    booking_event(it, opened, "fulfilled", 3, now=at(5))
    it.read(now=at(5))

    assert state_of(opened) == "confirmed"
    assert open_cases() == ["ended_without_answer"]


def test_a_provider_that_cancels_gives_the_unit_back() -> None:
    it = make_outside(quantity=1)
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.tell(it.line(opened, 1))

    booking_event(it, opened, "cancelled", 4)

    assert state_of(opened) == "cancelled"
    assert state_of(it.begin()) == "confirmed"


def test_an_end_that_crosses_with_her_words_waits_until_they_are_there() -> None:
    it = make_outside()
    opened = it.begin()
    it.tell(it.line(opened, 1))
    it.ask(opened.conversation, "还有一个问题")
    booking_event(it, opened, "fulfilled", 3, now=at(5))
    it.read(now=at(5))
    assert state_of(opened) == "in_service"

    it.work(now=at(5))
    it.read(now=at(20))

    assert state_of(opened) == "fulfilled"
