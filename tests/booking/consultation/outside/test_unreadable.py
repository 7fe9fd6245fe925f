"""What cannot be read of a doctor's lines is said so, and stops nothing for long."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from booking.consultation.outside.outgoing import AWAITED
from booking.consultation.read import messages_after
from booking.discrepancies import Discrepancy
from marketplace.core.database.db import reading
from providers.port import ProviderError
from providers.reported import MessagePage
from tests.booking.consultation.outside.rooms import (
    at,
    booking_event,
    make_outside,
    open_cases,
    pledge_state,
    said_in,
    state_of,
    talk_row,
    unreadable,
)
from tests.people import NOON
from tests.pictures import make_picture

pytestmark = pytest.mark.usefixtures("db")


def test_a_line_that_cannot_be_read_is_said_so_in_its_place_and_stops_none_after_it() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    reference = f"C-{opened.booking}"
    it.there.lines = [it.line(opened, 1), unreadable(reference, 2), it.line(opened, 3, "多久了？")]

    it.read(now=NOON + AWAITED)

    assert [each[1:3] for each in said_in(opened.conversation)] == [
        ("customer", "text"),
        ("clinician", "text"),
        ("automatic", "line_unreadable"),
        ("clinician", "text"),
    ]
    assert open_cases() == ["unreadable_row"]
    with reading() as session:
        case = session.scalars(select(Discrepancy)).one()
    assert case.facts["feed"] == "consultations"


def test_one_without_a_number_passes_nothing_over_and_an_unreadable_one_answers_nothing() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    reference = f"C-{opened.booking}"
    it.there.lines = [unreadable(reference, 1)]
    it.read(now=NOON + AWAITED)
    assert pledge_state() == "pending"
    assert state_of(opened) == "confirmed"

    it.there.said_after = lambda reference, seq: MessagePage([], None, [unreadable(reference, None)])  # type: ignore[method-assign]
    it.read(now=NOON + AWAITED + AWAITED)
    assert talk_row(opened.conversation).their_seq == 1


def test_a_gap_in_the_list_is_waited_for_and_told_to_operators() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.there.lines = [it.line(opened, 2, "第2句")]
    it.read(now=at(10))
    assert open_cases() == ["line_missing"]

    it.there.lines.append(it.line(opened, 1, "第1句"))
    it.read(now=at(20))

    assert [each[3] for each in said_in(opened.conversation)] == ["嗓子疼", "第1句", "第2句"]
    assert open_cases() == []


def test_a_gap_before_a_line_that_cannot_be_read_is_a_gap_and_nothing_ends_over_it() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.work()
    it.there.lines = [it.line(opened, 1, "第1句"), unreadable(f"C-{opened.booking}", 3)]
    booking_event(it, opened, "fulfilled", 3, now=at(10))

    it.read(now=at(10))
    assert open_cases() == ["unreadable_row", "line_missing"]
    assert state_of(opened) == "in_service"

    it.there.lines.append(it.line(opened, 2, "第2句"))
    it.read(now=at(20))
    assert [each[2:] for each in said_in(opened.conversation)][1:] == [
        ("text", "第1句"),
        ("text", "第2句"),
        ("line_unreadable", None),
        ("closed_there", None),
    ]
    assert state_of(opened) == "fulfilled"
    assert open_cases() == ["unreadable_row"]


def test_a_missing_line_that_comes_and_cannot_be_read_is_missing_no_more() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.there.lines = [it.line(opened, 2)]
    it.read(now=at(10))
    it.there.lines.append(unreadable(f"C-{opened.booking}", 1))
    it.read(now=at(20))

    assert [each[2] for each in said_in(opened.conversation)] == ["text", "line_unreadable", "text"]
    assert open_cases() == ["unreadable_row"]


def test_a_picture_is_fetched_by_the_worker_and_written_anew() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    line = it.line(opened, 1, "", kind="picture", picture="abc:pic-1")
    it.there.lines, it.there.pictures = [line, it.line(opened, 2)], {"abc:pic-1": make_picture()}

    assert it.tell(line, now=at(1)) == "fetch"
    it.read(now=at(1))

    shown = messages_after(it.world.principal, opened.conversation, 1, now=at(1))
    assert [each.kind for each in shown] == ["picture", "text"]
    assert shown[0].picture is not None
    assert it.tell(line, now=at(2)) == "known"


@pytest.mark.parametrize("content", [b"<html>", b""])
def test_a_picture_that_is_none_is_passed_over(content: bytes) -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    line = it.line(opened, 1, "", kind="picture", picture="abc:pic-1")
    it.there.lines, it.there.pictures = [line, it.line(opened, 2)], {"abc:pic-1": content}

    it.read(now=at(10))

    assert [each[2] for each in said_in(opened.conversation)] == ["text", "line_unreadable", "text"]
    assert open_cases() == ["unreadable_row"]


def test_a_picture_that_does_not_come_holds_up_two_minutes_and_no_other_consultation() -> None:
    it = make_outside(quantity=None)
    opened, other = it.begin(), it.begin()
    for each in (opened, other):
        it.ask(each.conversation, "嗓子疼")
    it.there.lines = [
        it.line(opened, 1, "", kind="picture", picture="abc:pic-1"),
        it.line(opened, 2),
        it.line(other, 1),
    ]

    def never(message: object) -> None:
        raise ProviderError("status 404")

    it.there.fetch_picture = never  # type: ignore[assignment,method-assign]
    it.read(now=at(10))
    assert len(said_in(other.conversation)) == 2
    assert open_cases() == ["picture_not_fetched"]
    it.read(now=at(100))
    assert len(said_in(opened.conversation)) == 1
    it.read(now=at(131))

    assert [each[2] for each in said_in(opened.conversation)] == ["text", "line_unreadable", "text"]
    assert open_cases() == ["unreadable_row"]
