"""How often the list of lines is read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import text

from booking.changes.cancel import cancel
from booking.consultation.close import REOPEN_FOR, reopen
from booking.consultation.open import Opened
from booking.consultation.outside.listen import BEHIND, FURTHEST, MOST_FAILURES, talking
from booking.consultation.outside.outgoing import AWAITED, QUIET
from marketplace.core.database.db import reading, transaction
from providers.port import ComeBackLater, NotAuthorised, ProviderError
from providers.reported import MessagePage
from tests.booking.consultation.outside.rooms import (
    Outside,
    at,
    make_outside,
    open_cases,
    said_in,
    talk_row,
    unreadable,
)
from tests.world import make_world

pytestmark = pytest.mark.usefixtures("db")


def test_a_silent_provider_is_asked_again_and_then_everything_comes_in_order() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.there.broken = ProviderError("time-out")
    for second in range(10, 200, 20):
        with pytest.raises(ProviderError):
            it.read(now=at(second))
    it.there.broken = None
    it.there.lines = [it.line(opened, number, f"第{number}句") for number in (1, 2, 3)]

    it.read(now=at(210))

    assert [each[3] for each in said_in(opened.conversation)] == ["嗓子疼", "第1句", "第2句", "第3句"]


def test_it_is_read_every_ten_seconds_while_she_waits_and_every_minute_otherwise() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.read(now=at(10))
    assert talk_row(opened.conversation).listen_at == at(10) + AWAITED

    it.there.lines = [it.line(opened, 1)]
    it.read(now=at(20))
    assert talk_row(opened.conversation).listen_at == at(20) + QUIET

    it.ask(opened.conversation, "三天了", now=at(25))
    assert talk_row(opened.conversation).listen_at == at(25) + AWAITED


def two_in_talk() -> tuple[Outside, Opened, Opened]:
    """The customer waits for an answer in two consultations; the older one first."""
    it = make_outside(quantity=None)
    older, newer = it.begin(), it.begin()
    for each in (older, newer):
        it.ask(each.conversation, "嗓子疼")
    it.there.lines = [it.line(older, 1, "老问题"), it.line(newer, 1, "新问题")]
    return it, older, newer


def break_list(it: Outside, opened: Opened, problem: Exception) -> Callable[[], list[str]]:
    """The list of one consultation fails from now on; which lists (references) have been asked for since."""
    before, asked = it.there.said_after, list[str]()

    def said_after(reference: str, seq: int) -> MessagePage:
        asked.append(reference)
        if reference == f"C-{opened.booking}":
            raise problem
        return before(reference, seq)

    it.there.said_after = said_after  # type: ignore[method-assign]
    return lambda: asked


def test_one_whose_list_cannot_be_read_keeps_no_other_from_being_read() -> None:
    it, older, newer = two_in_talk()
    break_list(it, older, ProviderError("status 404"))

    assert it.read(now=at(10)) == {"failed": 1, "taken": 1}

    assert [each[3] for each in said_in(newer.conversation)] == ["嗓子疼", "新问题"]
    assert open_cases() == ["list_not_read"]


def test_one_whose_list_breaks_what_reads_it_keeps_no_other_from_being_read() -> None:
    it, older, newer = two_in_talk()
    break_list(it, older, ValueError("no such thing"))

    assert it.read(now=at(10)) == {"broken": 1, "taken": 1}

    assert len(said_in(newer.conversation)) == 2


def test_one_whose_list_cannot_be_read_is_asked_for_with_growing_pauses_until_it_can() -> None:
    it, older, _ = two_in_talk()
    read = it.there.said_after
    break_list(it, older, ProviderError("status 500"))
    now, pauses = at(10), []
    for _ in range(9):
        with suppress(ProviderError):  # nothing else is due
            it.read(now=now)
        due = talk_row(older.conversation).listen_at
        assert due is not None
        pauses.append(due - now)
        now = due

    assert pauses[:4] == [BEHIND, BEHIND, 2 * BEHIND, 4 * BEHIND]
    assert pauses[-1] == FURTHEST == timedelta(minutes=10)

    it.there.said_after = read  # type: ignore[method-assign]
    it.read(now=now)
    assert [each[3] for each in said_in(older.conversation)] == ["嗓子疼", "老问题"]
    assert open_cases() == []


@pytest.mark.parametrize("problem", [ComeBackLater("busy", 30), NotAuthorised("status 403")])
def test_a_provider_that_wants_a_pause_or_another_key_is_asked_no_more_in_this_run(problem: ProviderError) -> None:
    it, older, newer = two_in_talk()
    asked = break_list(it, older, problem)

    with pytest.raises(type(problem)):
        it.read(now=at(10))
    assert asked() == [f"C-{older.booking}"]

    assert it.read(now=at(10) + AWAITED) == {"taken": 1}, "the other one comes first now"
    assert len(said_in(newer.conversation)) == 2
    assert open_cases() == []


def test_where_nothing_can_be_read_it_is_the_provider_and_no_case_of_each() -> None:
    it = make_outside(quantity=None)
    all_of_them = [it.begin() for _ in range(MOST_FAILURES + 1)]
    for each in all_of_them:
        it.ask(each.conversation, "嗓子疼")
    it.there.broken = ProviderError("time-out")
    asked = break_list(it, all_of_them[0], it.there.broken)

    with pytest.raises(ProviderError):
        it.read(now=at(10))

    assert asked() == [f"C-{each.booking}" for each in all_of_them[:MOST_FAILURES]]
    assert open_cases() == []


def test_a_roster_that_cannot_be_read_keeps_no_other_from_being_read() -> None:
    it, older, newer = two_in_talk()
    it.there.lines = [it.line(older, 1, clinician="d-9"), it.line(newer, 1)]

    def roster() -> list[object]:
        raise ProviderError("status 500")

    it.there.clinicians = roster  # type: ignore[assignment,method-assign]
    assert it.read(now=at(10)) == {"unknown_clinician": 1, "taken": 1}
    assert len(said_in(newer.conversation)) == 2
    assert open_cases() == ["clinician_unknown"]


def test_what_an_event_makes_due_while_it_is_read_is_read_again() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    before = it.there.said_after

    def meanwhile(reference: str, seq: int):  # type: ignore[no-untyped-def]
        page = before(reference, seq)
        it.tell(it.line(opened, 2), now=at(11))
        return page

    it.there.said_after = meanwhile  # type: ignore[method-assign]
    it.read(now=at(10))

    assert talk_row(opened.conversation).listen_at == at(11)


def test_what_a_doctor_says_after_the_end_is_found_in_the_list_and_told_once() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.tell(it.summary(opened, 1), now=at(5))
    it.there.lines = [it.summary(opened, 1), it.line(opened, 2, "请再来复查"), it.line(opened, 3)]

    assert it.read(now=at(10)) == {"after_end": 1}
    assert talk_row(opened.conversation).listen_at == at(10) + QUIET
    with transaction() as session:
        session.execute(text("UPDATE discrepancy SET closed_at = opened_at, resolution = 'explained'"))
    assert it.read(now=at(10) + QUIET) == {"after_end": 1}
    assert [each[2] for each in said_in(opened.conversation)] == ["text", "summary", "line_after_end"]
    assert open_cases() == ["line_after_end"]

    reopen(it.world.principal, opened.conversation, now=at(100))
    it.read(now=at(100))
    assert said_in(opened.conversation)[-2][3] == "请再来复查"


def test_what_cannot_be_read_after_the_end_is_told_once_and_stands_there_when_it_is_opened_again() -> None:
    it = make_outside()
    opened = it.begin()
    it.tell(it.summary(opened, 1))
    it.there.lines = [it.summary(opened, 1), unreadable(f"C-{opened.booking}", 2), it.line(opened, 3)]
    assert [it.read(now=at(60 * each)) for each in (1, 2)] == [{"after_end": 1}] * 2
    assert [each[2] for each in said_in(opened.conversation)] == ["summary", "line_after_end"]

    reopen(it.world.principal, opened.conversation, now=at(130))
    it.read(now=at(130))
    kinds = [each[2] for each in said_in(opened.conversation)]
    assert kinds == ["summary", "line_after_end", "reopened", "line_unreadable", "text"]
    assert open_cases() == ["unreadable_row"]


def test_one_that_ended_comes_after_those_that_run() -> None:
    it, ended, running = two_in_talk()
    it.tell(it.summary(ended, 1), now=at(1))
    it.there.lines = [it.summary(ended, 1), it.line(running, 1)]
    asked = break_list(it, ended, ProviderError("status 410"))
    it.read(now=at(10))
    assert asked() == [f"C-{running.booking}", f"C-{ended.booking}"]


def test_nobody_reads_on_once_it_cannot_be_opened_again() -> None:
    it = make_outside()
    opened, last = it.begin(), at(0) + REOPEN_FOR - timedelta(seconds=1)
    it.tell(it.summary(opened, 1))
    it.there.lines = [it.summary(opened, 1)]

    assert it.read(now=last) == {"known": 1}
    assert talk_row(opened.conversation).listen_at is None


@pytest.mark.parametrize("ended", ["long_ago", "cancelled"])
def test_one_that_can_never_be_opened_again_is_not_read(ended: str) -> None:
    it = make_outside()
    opened = it.begin()
    if ended == "cancelled":
        cancel(it.world.principal, opened.booking, now=at(1))
    else:
        it.tell(it.summary(opened, 1))
    it.there.lines = [it.line(opened, 2)]

    assert it.read(now=at(0) + (QUIET if ended == "cancelled" else REOPEN_FOR)) == {}


def test_who_offers_no_consultation_and_is_in_none_is_asked_nothing() -> None:
    it, checks = make_outside(), make_world(phone="13800000029")
    with reading() as session:
        assert talking(session, now=at(0)) == {it.world.provider.id}
    opened = it.begin()
    with transaction() as session:
        session.execute(text("UPDATE offer SET kind = 'health_check'"))
    with reading() as session:
        assert talking(session, now=at(0)) == {it.world.provider.id}, "one goes on that was begun before"
    it.tell(it.summary(opened, 1))
    with reading() as session:
        assert talking(session, now=at(1)) == {it.world.provider.id}, "it may be opened again"
        assert talking(session, now=at(0) + REOPEN_FOR) == frozenset()
    assert checks.provider.id != it.world.provider.id
