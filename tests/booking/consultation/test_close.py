"""Closing a consultation, opening it again, and what is closed by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from booking.consultation.close import (
    IDLE,
    IDLE_CLOSED,
    REOPEN_FOR,
    REOPENED,
    SILENT,
    Closed,
    NotAnswered,
    ReopeningOver,
    close,
    close_idle,
    reopen,
)
from booking.consultation.read import conversation_of, messages_after
from booking.consultation.say import ConversationClosed
from booking.consultation.summary import NextService, Summary
from booking.reports.box import report, reports
from booking.reports.chase import mark_overdue
from booking.reports.delete import delete_report
from booking.states import BookingState
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from tests.booking.consultation.rooms import Practice, make_practice
from tests.people import NOON, counters
from tests.world import booking_row

pytestmark = pytest.mark.usefixtures("db")

SUMMARY = Summary("急性咽炎", "多喝水，三天不好转请复诊。", NextService("health_check"))
HOUR = timedelta(hours=1)


def answered(practice: Practice, *, now: datetime = NOON) -> tuple[str, str]:
    """A consultation with a question and an answer: the booking and the conversation."""
    opened = practice.open(now=now)
    practice.ask(opened.conversation, "嗓子疼", now=now)
    practice.answer(opened.conversation, "多久了？", now=now)
    return opened.booking, opened.conversation


def closed(practice: Practice, conversation: str, summary: Summary = SUMMARY, *, now: datetime = NOON) -> Closed:
    return close(practice.clinician, conversation, summary, now=now)


def entries(booking: str) -> list[str]:
    query = text(
        "SELECT e.entry FROM entitlement_entry e JOIN booking b ON b.id = e.booking_id"
        " WHERE b.public_id = :booking ORDER BY e.id"
    )
    with reading() as session:
        return list(session.scalars(query, {"booking": booking}))


def kinds(practice: Practice, conversation: str) -> list[tuple[str, str]]:
    return [(it.author, it.kind) for it in messages_after(practice.world.principal, conversation, 0, now=NOON)]


def test_closing_fulfils_the_booking_and_puts_the_summary_into_the_report_box() -> None:
    practice = make_practice()
    booking, conversation = answered(practice)
    done = closed(practice, conversation)

    row = booking_row(booking)
    assert (row.state, row.report_state) == (BookingState.FULFILLED, "ready")
    assert entries(booking) == ["reserve", "use"]
    [card] = reports(practice.world.principal, cursor=None, limit=9, now=NOON).items
    assert card.id == done.report
    shown = report(practice.world.principal, card.id, now=NOON)
    assert shown.conclusion == "急性咽炎\n\n建议\n多喝水，三天不好转请复诊。\n\n建议的下一步\n体检"
    assert (shown.state, shown.newest, shown.papers) == ("ready", 1, [])
    last = messages_after(practice.world.principal, conversation, 2, now=NOON)[-1]
    assert (last.kind, last.text, last.summary) == ("summary", None, SUMMARY)
    view = conversation_of(practice.world.principal, conversation, NOON)
    assert (view.state, view.closed_at, view.reopen_until) == ("closed", NOON, NOON + REOPEN_FOR)


def test_nothing_is_added_to_a_closed_conversation() -> None:
    practice = make_practice()
    _booking, conversation = answered(practice)
    first = practice.ask(conversation, "三天", key="message-1")
    closed(practice, conversation)

    for speak in (practice.ask, practice.answer):
        with pytest.raises(ConversationClosed) as refused:
            speak(conversation, "还有")
        assert refused.value.facts["closed_at"] == NOON
    again = practice.ask(conversation, "三天", key="message-1")
    assert (again.seq, again.replayed) == (first.seq, True), "what was said before is answered as before"
    assert kinds(practice, conversation)[-1] == ("clinician", "summary")


def test_closing_twice_by_one_summary_is_once_and_by_another_is_refused() -> None:
    practice = make_practice()
    booking, conversation = answered(practice)
    first = closed(practice, conversation)
    again = closed(practice, conversation, now=NOON + HOUR)

    assert (again.at, again.report, again.replayed) == (first.at, first.report, True)
    with pytest.raises(ConversationClosed):
        closed(practice, conversation, Summary("别的"))
    assert entries(booking) == ["reserve", "use"]
    assert report(practice.world.principal, first.report or "", now=NOON).newest == 1


def test_nobody_closes_what_was_not_answered_or_is_another_providers() -> None:
    practice, other = make_practice(), make_practice(phone="13800000022")
    opened = practice.open()
    practice.ask(opened.conversation, "嗓子疼")

    with pytest.raises(NotAnswered):
        closed(practice, opened.conversation)
    with pytest.raises(NotFound):
        closed(other, opened.conversation)
    assert booking_row(opened.booking).state is BookingState.AWAITING_PROVIDER


@pytest.mark.parametrize(
    ("summary", "field"),
    [
        (Summary(" "), "summary"),
        (Summary("好" * 4_001), "summary"),
        (Summary("好", "a\0b"), "advice"),
        (Summary("好", next_service=NextService("massage")), "next_service"),
        (Summary("好", next_service=NextService("health_check", "Derma tology")), "next_service"),
    ],
)
def test_a_summary_that_can_not_be_is_refused(summary: Summary, field: str) -> None:
    practice = make_practice()
    _booking, conversation = answered(practice)
    with pytest.raises(Invalid) as refused:
        closed(practice, conversation, summary)
    assert refused.value.at == field


def test_opened_again_within_a_day_it_goes_on_and_its_unit_is_used_once() -> None:
    practice = make_practice()
    booking, conversation = answered(practice)
    before = closed(practice, conversation)
    reopen(practice.world.principal, conversation, now=NOON + 23 * HOUR)
    reopen(practice.world.principal, conversation, now=NOON + 23 * HOUR)

    assert booking_row(booking).state is BookingState.IN_SERVICE
    assert kinds(practice, conversation)[-1] == ("automatic", REOPENED)
    practice.ask(conversation, "又发烧了", now=NOON + 23 * HOUR)
    corrected = Summary("急性扁桃体炎", "请到医院就诊。")
    after = closed(practice, conversation, corrected, now=NOON + 24 * HOUR)
    assert after.report == before.report
    assert entries(booking) == ["reserve", "use"]
    assert counters(practice.world.entitlement.id)["used"] == 1
    shown = report(practice.world.principal, after.report or "", now=NOON)
    assert (shown.newest, shown.state, shown.conclusion[:6]) == (2, "corrected", "急性扁桃体炎")
    assert report(practice.world.principal, after.report or "", now=NOON, version=1).conclusion.startswith("急性咽炎")


def test_after_a_day_it_stays_closed() -> None:
    practice = make_practice()
    booking, conversation = answered(practice)
    closed(practice, conversation)

    with pytest.raises(ReopeningOver):
        reopen(practice.world.principal, conversation, now=NOON + REOPEN_FOR)
    assert booking_row(booking).state is BookingState.FULFILLED
    reopen(practice.world.principal, conversation, now=NOON + REOPEN_FOR - timedelta(seconds=1))


def test_nobody_reopens_what_is_anothers_or_about_somebody_who_left_the_family() -> None:
    practice, other = make_practice(), make_practice(phone="13800000022")
    _booking, conversation = answered(practice)
    closed(practice, conversation)
    with pytest.raises(NotFound):
        reopen(other.world.principal, conversation, now=NOON)
    with transaction() as session:
        session.execute(text("UPDATE beneficiary SET removed_at = now()"))
    with pytest.raises(ReopeningOver):
        reopen(practice.world.principal, conversation, now=NOON)


def test_without_consent_the_summary_stays_in_the_conversation_and_nobody_is_asked_for_a_report() -> None:
    practice = make_practice()
    booking, conversation = answered(practice)
    with transaction() as session:  # an adult of the family who has not agreed
        session.execute(text("UPDATE beneficiary SET relation = 'father'"))
    done = closed(practice, conversation)

    assert done.report is None
    row = booking_row(booking)
    assert (row.state, row.report_state, row.report_due_at) == (BookingState.FULFILLED, "none", None)
    assert kinds(practice, conversation)[-1] == ("clinician", "summary")
    assert mark_overdue(now=NOON + timedelta(days=30)) == 0


def test_a_report_that_the_customer_deleted_does_not_come_back() -> None:
    practice = make_practice()
    booking, conversation = answered(practice)
    first = closed(practice, conversation)
    delete_report(practice.world.principal, first.report or "", now=NOON)
    reopen(practice.world.principal, conversation, now=NOON + HOUR)

    assert closed(practice, conversation, Summary("再次小结"), now=NOON + HOUR).report is None
    assert reports(practice.world.principal, cursor=None, limit=9, now=NOON).items == []
    assert booking_row(booking).report_state == "none"


def test_a_closing_that_is_repeated_names_the_report_only_while_it_holds_that_summary() -> None:
    practice = make_practice()
    _booking, conversation = answered(practice)
    first = closed(practice, conversation)
    assert first.report is not None and closed(practice, conversation).report == first.report
    reopen(practice.world.principal, conversation, now=NOON + HOUR)
    with transaction() as session:  # who agrees no more: the report of before stays, and this summary is not in it
        session.execute(text("UPDATE beneficiary SET relation = 'father'"))
    second = [closed(practice, conversation, Summary("再次小结"), now=NOON + HOUR) for _try in range(2)]
    assert [(it.report, it.replayed) for it in second] == [(None, False), (None, True)]


def test_a_closing_that_is_repeated_does_not_name_a_report_that_was_deleted() -> None:
    practice = make_practice()
    _booking, conversation = answered(practice)
    first = closed(practice, conversation)
    delete_report(practice.world.principal, first.report or "", now=NOON)
    assert closed(practice, conversation).report is None


def test_what_the_customer_does_not_go_on_with_is_closed_by_itself_after_two_days() -> None:
    practice = make_practice(quantity=3)
    booking, quiet = answered(practice)
    _booking, asking = answered(practice)
    practice.ask(asking, "三天了", now=NOON + HOUR)
    waiting = practice.open().conversation
    practice.ask(waiting, "头疼")

    assert close_idle(now=NOON + IDLE - HOUR) == {}
    assert close_idle(now=NOON + IDLE) == {"closed": 1}
    assert close_idle(now=NOON + 2 * IDLE) == {}
    assert kinds(practice, quiet)[-1] == ("automatic", IDLE_CLOSED)
    row = booking_row(booking)
    assert (row.state, row.cause, row.report_state) == (BookingState.FULFILLED, "idle", "none")
    assert entries(booking) == ["reserve", "use"]
    states = [conversation_of(practice.world.principal, it, NOON).state for it in (quiet, asking, waiting)]
    assert states == ["closed", "open", "waiting"]


def test_what_was_opened_again_and_not_gone_on_with_is_closed_as_well() -> None:
    practice = make_practice()
    booking, conversation = answered(practice)
    closed(practice, conversation)
    reopen(practice.world.principal, conversation, now=NOON + HOUR)

    assert close_idle(now=NOON + IDLE) == {}
    assert close_idle(now=NOON + HOUR + IDLE) == {"closed": 1}
    row = booking_row(booking)
    assert (row.state, row.report_state) == (BookingState.FULFILLED, "ready"), "the first summary stays"
    assert entries(booking) == ["reserve", "use"]


@pytest.mark.parametrize("words", ["谢谢", "我胸口疼，喘不上气"])
def test_a_last_word_of_the_customers_keeps_nothing_open_for_ever(words: str) -> None:
    practice = make_practice()
    booking, conversation = answered(practice)
    practice.ask(conversation, words, now=NOON + HOUR)

    assert close_idle(now=NOON + SILENT) == {}
    assert close_idle(now=NOON + HOUR + SILENT) == {"closed": 1}
    assert booking_row(booking).state is BookingState.FULFILLED
