"""What escorts do is read line by line: in order, each number once, and what breaks the contract stops no other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args
from urllib.parse import quote

import pytest

from booking.escort.evidence import told
from booking.escort.evidence.kinds import KINDS as DEEDS
from booking.escort.workers import profile
from providers.adapters.http import NoAnswer
from providers.adapters.open import deeds
from providers.adapters.open.numbered import MOST_LINES
from providers.escorting import Escorts, escorting_adapter
from providers.port import ComeBackLater, NotAuthorised, Oversize, ProviderError
from providers.registry import ADAPTERS, capabilities, escorting
from providers.reported import EscortCost, EscortLine, EscortLineKind, EscortPage, RemoteEscort
from tests.providers.open.answering import Hospital
from tests.providers.open.done import COST, PICTURE, WORKER, deed
from tests.providers.open.said import OURS, THEIRS

AT = datetime(2026, 3, 5, 0, 1, tzinfo=UTC)
PAPER = f"{'ab' * 32}:p 1/2"


def page_of(hospital: Hospital, *lines: Any, after: int = 0, follows: Any = None) -> EscortPage:
    """What a list of these lines is read as."""
    hospital.says(200, {"lines": list(lines), "next": follows})
    return escorting_adapter(hospital.adapter()).escort_lines_after(THEIRS, after)


def refused(page: EscortPage) -> list[tuple[str, int | None]]:
    """The reason and the number of each unreadable line."""
    return [(row.reason, row.seq) for row in page.unreadable]


def read(seq: int, kind: EscortLineKind, **more: Any) -> EscortLine:
    """What a line of `deed` is read as."""
    return EscortLine(f"line-{seq}", THEIRS, OURS, seq, kind, "E7", AT, **more)


def test_lines_of_all_kinds_are_read(hospital: Hospital) -> None:
    full = {**WORKER, "staff_number": "HZ 0427", "qualification_zh": "护理专业", "qualification_en": "Nurse"}
    page = page_of(
        hospital,
        deed(4, "assigned", worker=full),
        deed(5, "arrived", position="within", accuracy_m=15),
        deed(6, "met", code="4711"),
        deed(7, "paper"),
        deed(8, "cost", picture=PICTURE, words="自费"),
        deed(9, "note"),
        deed(10, "handed_over"),
        deed(11, "released"),
        after=3,
        follows=11,
    )
    assert page.lines == [
        read(
            *(4, "assigned"),
            worker=RemoteEscort("E7", "何静", "female", "HZ 0427", "护理专业", "Nurse"),
            safe_word="青山",
        ),
        read(5, "arrived", position="within", accuracy_m=15),
        read(6, "met", code="4711"),
        read(7, "paper", picture=PAPER),
        read(8, "cost", cost=EscortCost(2_350, "CNY", "挂号费"), picture=PAPER, words="自费"),
        read(9, "note", words="第9条"),
        read(10, "handed_over", words="已送到家人手中"),
        read(11, "released", cause="ill"),
    ]
    assert page.next == 11 and not page.unreadable
    assert hospital.asked[0].path == f"/escorts/{quote(THEIRS, safe='')}/lines?after=3&limit=200"


@pytest.mark.parametrize("kind", get_args(EscortLineKind))
def test_a_line_has_what_its_kind_names_and_nothing_else_of_it_is_taken_in(hospital: Hospital, kind: str) -> None:
    everything = {
        "worker": WORKER,
        "safe_word": "青山",
        "cause": "late",
        "position": "away",
        "accuracy_m": 30,
        "code": "4711",
        "words": "在三楼",
        "cost": COST,
        "picture": PICTURE,
    }
    [line] = page_of(hospital, {**deed(1, kind), **everything}).lines
    has = {name for name in everything if getattr(line, name) not in (None, "")}
    assert has == {
        "assigned": {"worker", "safe_word"},
        "released": {"cause"},
        "arrived": {"position", "accuracy_m", "code"},
        "met": {"position", "accuracy_m", "code"},
        "note": {"words"},
        "handed_over": {"words"},
        "paper": {"picture"},
        "cost": {"cost", "words", "picture"},
    }.get(kind, set())


@pytest.mark.parametrize("word", ["青山", "向阳花开", "Ox", "Butterfly"])
def test_safe_words_that_can_be_said_are_read(hospital: Hospital, word: str) -> None:
    [line] = page_of(hospital, deed(1, "assigned", safe_word=word)).lines
    assert line.safe_word == word


@pytest.mark.parametrize(
    "word", ["山", "山山山山山", "A", "A" * 21, "Ox 2", "Ox青", "12", "青山\n", "Ox\n", "😀😀", " "]
)
def test_other_safe_words_are_not(hospital: Hospital, word: str) -> None:
    page = page_of(hospital, deed(1, "assigned", safe_word=word))
    assert not page.lines and refused(page) == [("safe_word.format", 1)]


@pytest.mark.parametrize(
    ("changes", "reason", "number"),
    [
        ({"seq": 0}, "seq.number", None),
        ({"seq": 2**31}, "seq.number", None),
        ({"seq": "2"}, "seq.number", None),
        ({"seq": True}, "seq.number", None),
        ({"reference": "C2"}, "reference.other", None),
        ({"reference": None}, "reference.text", 2),
        ({"our_reference": None}, "our_reference.text", 2),
        ({"id": "x" * 256}, "id.length", 2),
        ({"id": ""}, "id.text", 2),
        ({"kind": "signed"}, "kind.unknown", 2),
        ({"escort": None}, "escort.text", 2),
        ({"escort": " "}, "escort.text", 2),
        ({"escort": "x" * 65}, "escort.length", 2),
        ({"at": None}, "at.missing", 2),
        ({"at": "2026-03-05T08:00:00"}, "at.zone", 2),
        ({"at": "2026-03-05T08:00:00+23:00"}, "at.no_zone", 2),
        ({"at": "0026-03-05T08:00:00Z"}, "at.year", 2),
        ({"position": "near", "accuracy_m": 3}, "position.unknown", 2),
        ({"position": "within"}, "accuracy_m.number", 2),
        ({"position": "away", "accuracy_m": -1}, "accuracy_m.number", 2),
        ({"position": "not_checkable", "accuracy_m": 1.5}, "accuracy_m.number", 2),
        ({"code": "471"}, "code.format", 2),
        ({"code": "47110"}, "code.format", 2),
        ({"code": "4711\n"}, "code.format", 2),
        ({"code": "４７１１"}, "code.format", 2),
        ({"code": 4711}, "code.text", 2),
        ({"kind": "assigned"}, "worker.object", 2),
        ({"kind": "assigned", "worker": WORKER}, "safe_word.text", 2),
        ({"kind": "assigned", "worker": {**WORKER, "code": "E8"}, "safe_word": "青山"}, "code.other", 2),
        ({"kind": "assigned", "worker": {**WORKER, "name": " "}, "safe_word": "青山"}, "name.text", 2),
        ({"kind": "assigned", "worker": {**WORKER, "name": "静" * 41}, "safe_word": "青山"}, "name.length", 2),
        ({"kind": "assigned", "worker": {**WORKER, "sex": "other"}, "safe_word": "青山"}, "sex.unknown", 2),
        (
            {"kind": "assigned", "worker": {**WORKER, "staff_number": "1" * 21}, "safe_word": "青山"},
            "staff_number.length",
            2,
        ),
        (
            {"kind": "assigned", "worker": {**WORKER, "qualification_zh": "静" * 41}, "safe_word": "青山"},
            "qualification_zh.length",
            2,
        ),
        ({"kind": "released"}, "cause.text", 2),
        ({"kind": "released", "cause": "desk"}, "cause.unknown", 2),
        ({"kind": "note"}, "words.text", 2),
        ({"kind": "note", "words": " \n"}, "words.text", 2),
        ({"kind": "note", "words": "x" * 1_001}, "words.length", 2),
        ({"kind": "note", "words": "a\0b"}, "words.characters", 2),
        ({"kind": "note", "words": "\ud800"}, "words.characters", 2),
        ({"kind": "handed_over"}, "words.text", 2),
        ({"kind": "paper"}, "picture.object", 2),
        ({"kind": "paper", "picture": {**PICTURE, "sha256": "AB" * 32}}, "sha256.format", 2),
        ({"kind": "paper", "picture": {**PICTURE, "id": "x" * 129}}, "id.length", 2),
        ({"kind": "cost"}, "cost.object", 2),
        ({"kind": "cost", "cost": {**COST, "amount": -1}}, "amount.number", 2),
        ({"kind": "cost", "cost": {**COST, "amount": 23.5}}, "amount.number", 2),
        ({"kind": "cost", "cost": {**COST, "amount": "23"}}, "amount.number", 2),
        ({"kind": "cost", "cost": {**COST, "amount": True}}, "amount.number", 2),
        ({"kind": "cost", "cost": {**COST, "amount": deeds.LARGEST_SUM + 1}}, "amount.number", 2),
        ({"kind": "cost", "cost": {**COST, "currency": "RMB "}}, "currency.format", 2),
        ({"kind": "cost", "cost": {**COST, "currency": "cny"}}, "currency.format", 2),
        ({"kind": "cost", "cost": {**COST, "purpose": ""}}, "purpose.text", 2),
        ({"kind": "cost", "cost": {**COST, "purpose": "x" * 101}}, "purpose.length", 2),
        ({"kind": "cost", "cost": COST, "picture": {"id": "p"}}, "sha256.text", 2),
        ({"kind": "cost", "cost": COST, "words": "x" * 1_001}, "words.length", 2),
    ],
)
def test_a_line_that_breaks_the_contract_stops_no_other_and_says_which_it_is(
    hospital: Hospital, changes: dict[str, Any], reason: str, number: int | None
) -> None:
    page = page_of(hospital, deed(1), {**deed(2), **changes}, deed(3))
    assert [each.seq for each in page.lines] == [1, 3]
    assert refused(page) == [(reason, number)]


def test_what_is_no_line_at_all_stops_no_other(hospital: Hospital) -> None:
    page = page_of(hospital, None, 7, [deed(2)], deed(1), "met")
    assert [each.seq for each in page.lines] == [1] and len(page.unreadable) == 4
    assert all(row.seq is None for row in page.unreadable)


def test_sums_of_nothing_and_the_largest_are_read(hospital: Hospital) -> None:
    page = page_of(
        hospital,
        deed(1, "cost", cost={**COST, "amount": 0}),
        deed(2, "cost", cost={**COST, "amount": deeds.LARGEST_SUM, "currency": "JPY"}),
    )
    assert [each.cost and each.cost.amount for each in page.lines] == [0, deeds.LARGEST_SUM]


def test_a_position_that_cannot_be_checked_needs_no_accuracy(hospital: Hospital) -> None:
    page = page_of(
        hospital,
        deed(1, "arrived", position="not_checkable"),
        deed(2, "arrived", position="not_checkable", accuracy_m=900),
        deed(3, "arrived", accuracy_m=5),
    )
    found = [(each.position, each.accuracy_m) for each in page.lines]
    assert found == [("not_checkable", None), ("not_checkable", 900), (None, None)]


def test_lines_out_of_order_and_twice_are_in_order_and_once(hospital: Hospital) -> None:
    page = page_of(hospital, deed(3), deed(1), deed(2), deed(3), deed(1))
    assert [each.seq for each in page.lines] == [1, 2, 3] and not page.unreadable


def test_two_lines_under_one_number_leave_the_first_and_pass_no_number_over(hospital: Hospital) -> None:
    page = page_of(hospital, deed(1, "note"), deed(1, "note", words="另一条"), deed(2))
    assert [each.words for each in page.lines] == ["第1条", ""]
    assert refused(page) == [("seq.repeated", None)]


def test_what_was_read_before_is_not_read_again(hospital: Hospital) -> None:
    page = page_of(hospital, deed(1), deed(2, at=""), deed(3), after=2)
    assert [each.seq for each in page.lines] == [3] and not page.unreadable


def test_many_lines_are_read_by_pages(hospital: Hospital) -> None:
    page = page_of(hospital, *(deed(number) for number in range(1, 1_001)))
    assert [each.seq for each in page.lines] == list(range(1, MOST_LINES + 1)) and page.next == MOST_LINES


def test_a_page_that_leads_nowhere_is_an_error(hospital: Hospital) -> None:
    with pytest.raises(ProviderError):
        page_of(hospital, deed(1), after=1, follows=1)


def test_nothing_done_yet_is_an_empty_page(hospital: Hospital) -> None:
    assert page_of(hospital) == EscortPage([], None, [])


def test_an_answer_that_is_no_page_is_an_error(hospital: Hospital) -> None:
    adapter = hospital.adapter()
    for status, body, error in (
        (200, {"messages": []}, ProviderError),
        (200, {"lines": {}}, ProviderError),
        (404, {"code": "unknown_booking"}, ProviderError),
        (401, {}, NotAuthorised),
    ):
        hospital.says(status, body)
        with pytest.raises(error):
            adapter.escort_lines_after(THEIRS, 0)
    hospital.says(429, {}, Retry_After="7")
    with pytest.raises(ComeBackLater) as later:
        adapter.escort_lines_after(THEIRS, 0)
    assert later.value.retry_after == 7
    hospital.says(200, b"[" + b" " * (6 * 1024 * 1024) + b"]")
    with pytest.raises((Oversize, NoAnswer)):
        adapter.escort_lines_after(THEIRS, 0)


def test_what_is_read_fits_what_is_stored() -> None:
    assert (deeds.MOST_CHARACTERS, deeds.MOST_CHARACTERS_FOR) == (told.MOST_CHARACTERS, told.MOST_CHARACTERS_FOR)
    assert told.LARGEST_SUM == deeds.LARGEST_SUM
    assert (deeds.LONGEST_NAME, deeds.LONGEST_STAFF_NUMBER) == (profile.LONGEST_NAME, profile.LONGEST_NUMBER)
    assert profile.LONGEST_QUALIFICATION == deeds.LONGEST_QUALIFICATION
    assert f"^{told.CODE}$" == deeds.CODE and told.CURRENCY == deeds.CURRENCY
    assert {*deeds.KINDS} - {"assigned", "released"} == {*DEEDS} - {"signed"}


def test_this_protocol_alone_sends_escorts() -> None:
    assert escorting() == ["open_protocol"] and not capabilities("fhir").escorts
    for code, adapter in ADAPTERS.items():
        assert issubclass(adapter, Escorts) == (code == "open_protocol")
    with pytest.raises(TypeError):
        escorting_adapter(object())
