"""What doctors say is read line by line: in order, each number once, and what breaks the contract stops no other."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from providers.adapters.http import NoAnswer
from providers.adapters.open.lines import MOST_CHARACTERS
from providers.adapters.open.numbered import MOST_LINES
from providers.port import ComeBackLater, NotAuthorised, Oversize, ProviderError
from providers.reported import MessagePage, RemoteMessage, RemoteSummary
from tests.providers.open.answering import Hospital
from tests.providers.open.said import OURS, THEIRS, line

PICTURE = {"id": "p 1/2", "sha256": "ab" * 32}
SUMMARY = {"summary": "普通感冒", "advice": "多休息", "next_service": "dental", "next_department": "general"}


def page_of(hospital: Hospital, *lines: Any, after: int = 0, follows: Any = None) -> MessagePage:
    """What a list of these lines is read as."""
    hospital.says(200, {"messages": list(lines), "next": follows})
    return hospital.adapter().said_after(THEIRS, after)


def refused(page: MessagePage) -> list[tuple[str, int | None]]:
    """The reason and the number of each unreadable line."""
    return [(row.reason, row.seq) for row in page.unreadable]


def test_lines_of_all_kinds_are_read(hospital: Hospital) -> None:
    page = page_of(
        hospital,
        line(4),
        line(5, kind="picture", picture=PICTURE),
        line(6, kind="summary", summary=SUMMARY),
        after=3,
        follows=6,
    )
    said_at = datetime(2026, 3, 5, 0, 1, tzinfo=UTC)
    assert page.messages == [
        RemoteMessage("line-4", THEIRS, OURS, 4, "text", "D7", said_at, "第4句"),
        RemoteMessage("line-5", THEIRS, OURS, 5, "picture", "D7", said_at, picture=f"{'ab' * 32}:p 1/2"),
        RemoteMessage(
            *("line-6", THEIRS, OURS, 6, "summary", "D7", said_at),
            summary=RemoteSummary("普通感冒", "多休息", "dental", "general"),
        ),
    ]
    assert page.next == 6 and not page.unreadable
    assert hospital.asked[0].path == f"/consultations/{quote(THEIRS, safe='')}/messages?after=3&limit=200"


def test_nothing_said_yet_is_an_empty_page(hospital: Hospital) -> None:
    assert page_of(hospital) == MessagePage([], None, [])


def test_a_summary_is_worth_more_than_what_it_suggests(hospital: Hospital) -> None:
    odd = {"summary": "好", "next_service": 7, "next_department": "x" * 300}
    [found] = page_of(hospital, line(1, kind="summary", summary=odd)).messages
    assert found.summary == RemoteSummary("好")


@pytest.mark.parametrize(
    ("changes", "reason", "number"),
    [
        ({"seq": 0}, "seq.number", None),
        ({"seq": -1}, "seq.number", None),
        ({"seq": 2**31}, "seq.number", None),
        ({"seq": "2"}, "seq.number", None),
        ({"seq": True}, "seq.number", None),
        ({"seq": 2.0}, "seq.number", None),
        ({"reference": "C2"}, "reference.other", None),
        ({"reference": ""}, "reference.text", 2),
        ({"our_reference": None}, "our_reference.text", 2),
        ({"id": "x" * 256}, "id.length", 2),
        ({"kind": "video"}, "kind.unknown", 2),
        ({"clinician": None}, "clinician.text", 2),
        ({"clinician": " "}, "clinician.text", 2),
        ({"clinician": "x" * 65}, "clinician.length", 2),
        ({"sent_at": ""}, "sent_at.missing", 2),
        ({"sent_at": "2026-03-05T08:00:00"}, "sent_at.zone", 2),
        ({"text": ""}, "text.text", 2),
        ({"text": " \n"}, "text.text", 2),
        ({"text": "x" * (MOST_CHARACTERS + 1)}, "text.length", 2),
        ({"text": "a\0b"}, "text.characters", 2),
        ({"text": "\ud800"}, "text.characters", 2),
        ({"text": {"zh": "你好"}}, "text.text", 2),
        ({"kind": "picture"}, "picture.object", 2),
        ({"kind": "picture", "picture": {**PICTURE, "sha256": "AB" * 32}}, "sha256.format", 2),
        ({"kind": "picture", "picture": {**PICTURE, "id": "x" * 129}}, "id.length", 2),
        ({"kind": "summary"}, "summary.object", 2),
        ({"kind": "summary", "summary": {"summary": " "}}, "summary.text", 2),
        ({"kind": "summary", "summary": {**SUMMARY, "advice": "x" * (MOST_CHARACTERS + 1)}}, "advice.length", 2),
    ],
)
def test_a_line_that_breaks_the_contract_stops_no_other_and_says_which_it_is(
    hospital: Hospital, changes: dict[str, Any], reason: str, number: int | None
) -> None:
    page = page_of(hospital, line(1), {**line(2), **changes}, line(3))
    assert [each.seq for each in page.messages] == [1, 3]
    assert refused(page) == [(reason, number)]


def test_what_is_no_line_at_all_stops_no_other(hospital: Hospital) -> None:
    page = page_of(hospital, None, 7, [line(2)], line(1), "你好")
    assert [each.seq for each in page.messages] == [1] and len(page.unreadable) == 4
    assert all(row.seq is None for row in page.unreadable)


def test_four_thousand_characters_are_read(hospital: Hospital) -> None:
    [found] = page_of(hospital, line(1, text="好" * MOST_CHARACTERS)).messages
    assert len(found.text) == MOST_CHARACTERS


def test_lines_out_of_order_and_twice_are_in_order_and_once(hospital: Hospital) -> None:
    page = page_of(hospital, line(3), line(1), line(2), line(3), line(1))
    assert [each.seq for each in page.messages] == [1, 2, 3] and not page.unreadable


def test_two_lines_under_one_number_leave_the_first_and_pass_no_number_over(hospital: Hospital) -> None:
    page = page_of(hospital, line(1), line(1, text="另一句"), line(2))
    assert [each.text for each in page.messages] == ["第1句", "第2句"]
    assert refused(page) == [("seq.repeated", None)]


def test_a_broken_line_beside_a_good_one_of_its_number_passes_no_number_over(hospital: Hospital) -> None:
    page = page_of(hospital, line(1, text=""), line(1))
    assert [each.seq for each in page.messages] == [1] and refused(page) == [("text.text", None)]


def test_what_was_read_before_is_not_said_again(hospital: Hospital) -> None:
    page = page_of(hospital, line(1), line(2, text=""), line(3), after=2)
    assert [each.seq for each in page.messages] == [3] and not page.unreadable


def test_ten_thousand_lines_are_read_by_pages(hospital: Hospital) -> None:
    every = [line(number) for number in range(1, 10_001)]
    page = page_of(hospital, *every)
    assert [each.seq for each in page.messages] == list(range(1, MOST_LINES + 1)) and page.next == MOST_LINES


@pytest.mark.parametrize("follows", [-1, 0, 3, "9", 2**31, True, [5]])
def test_a_page_that_leads_nowhere_is_an_error(hospital: Hospital, follows: Any) -> None:
    lines = [line(4)] if follows not in (2**31,) else []
    with pytest.raises(ProviderError):
        page_of(hospital, *lines, after=3, follows=follows)


def test_more_is_never_read_from_beyond_what_was_on_the_page(hospital: Hospital) -> None:
    assert page_of(hospital, line(1), line(2), follows=2_000_000).next == 2
    assert page_of(hospital, line(1), line(2, text=""), follows=2).next == 2
    with pytest.raises(ProviderError):
        page_of(hospital, follows=9)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"messages": {}}', b'{"messages": null}', b"{" * 9000])
def test_what_is_no_list_is_an_error(hospital: Hospital, body: bytes) -> None:
    hospital.says(200, body)
    with pytest.raises(ProviderError):
        hospital.adapter().said_after(THEIRS, 0)


def test_an_answer_of_more_than_five_mebibytes_is_not_read(hospital: Hospital) -> None:
    lines = [line(number, text="x" * 4000) for number in range(1, 1400)]
    with pytest.raises(Oversize):
        page_of(hospital, *lines)


def test_a_list_that_is_not_given_is_an_error_that_says_why(hospital: Hospital) -> None:
    adapter = hospital.adapter()
    for status, error in ((302, ProviderError), (404, ProviderError), (401, NotAuthorised), (500, ProviderError)):
        hospital.says(status, {"messages": [], "next": None}, Location=f"{hospital.url}/elsewhere")
        with pytest.raises(error):
            adapter.said_after(THEIRS, 0)
    hospital.says(429, Retry_After="4")
    with pytest.raises(ComeBackLater) as told:
        adapter.said_after(THEIRS, 0)
    assert told.value.retry_after == 4.0
    assert len(hospital.asked) == 5  # no redirect is followed


def test_a_list_that_comes_too_late_is_an_error(hospital: Hospital) -> None:
    hospital.says(200, {"messages": [], "next": None})
    hospital.seconds = 30
    began = time.monotonic()
    with pytest.raises(NoAnswer):
        hospital.adapter(0.5).said_after(THEIRS, 0)
    assert time.monotonic() - began < hospital.seconds / 2


def test_words_stand_in_no_error_and_no_representation(hospital: Hospital) -> None:
    page = page_of(hospital, line(1, text="秘密"), line(2, text="秘密" * 3000))
    assert "秘密" not in repr(page)
    assert refused(page) == [("text.length", 2)] and "秘密" in page.unreadable[0].delivered.decode()
