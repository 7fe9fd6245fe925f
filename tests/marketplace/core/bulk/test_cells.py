"""What stands in a cell, as what it should be, or why it can't be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from marketplace.core.bulk.cells import Cells, Column, LineError, Mark, masked
from marketplace.core.text import Text

COLUMNS = (
    Column("key", Text("标识", "Key"), Text("", ""), "K-1", exact=True),
    Column("words", Text("说明", "Words"), Text("", ""), "x", required=False),
    Column(
        "kind", Text("种类", "Kind"), Text("", ""), "甲", choices={"a": Text("甲", "First"), "b": Text("乙", "Second")}
    ),
    Column("day", Text("日期", "Day"), Text("", ""), "2026-02-28", required=False),
    Column("sure", Text("是否", "Sure"), Text("", ""), "是"),
    Column("number", Text("数目", "Number"), Text("", ""), "3"),
)


def read(column: str, text: str, how: Callable[[Cells], Any], mark: Mark | None = None) -> tuple[Any, list[LineError]]:
    cells = Cells(COLUMNS, {column: text}, {column: mark} if mark else {})
    return how(cells), cells.errors


def text_of(column: str) -> Callable[[Cells], str]:
    return lambda cells: cells.text(column, longest=12)


GOOD: dict[str, tuple[str, str, Callable[[Cells], Any], Mark | None, Any]] = {
    "blanks around it": ("words", "  a\u3000 b\n", text_of("words"), None, "a b"),
    "zero-width characters": ("words", "\u200bab\ufeff", text_of("words"), None, "ab"),
    "full width where each digit counts": ("key", "Ｋ－００１", text_of("key"), None, "K-001"),
    "full width elsewhere stays": ("words", "（甲）", text_of("words"), None, "（甲）"),
    "a short number where zeros don't count": ("words", "13800000001", text_of("words"), "number", "13800000001"),
    "nothing where nothing is needed": ("words", "", text_of("words"), None, ""),
    "a choice by its word": ("kind", "B", lambda cells: cells.choice("kind"), None, "b"),
    "a choice in Chinese": ("kind", " 甲 ", lambda cells: cells.choice("kind"), None, "a"),
    "a choice in English": ("kind", "second", lambda cells: cells.choice("kind"), None, "b"),
    "yes": ("sure", "是", lambda cells: cells.yes_or_no("sure"), None, True),
    "no": ("sure", "No", lambda cells: cells.yes_or_no("sure"), None, False),
    "a number with a comma": ("number", "1,200", lambda cells: cells.whole("number"), None, 1200),
    "a full-width number": ("number", "１２", lambda cells: cells.whole("number"), None, 12),
    "no day": ("day", "", lambda cells: cells.day_or_none("day"), None, None),
    **{
        f"the day {text}": ("day", text, lambda cells: cells.day("day"), None, date(2026, 2, 28))
        for text in ("2026-02-28", "2026/2/28", "2026.2.28", "20260228", "2026年2月28日", "２０２６－０２－２８")
    },
}

BAD: dict[str, tuple[str, str, Callable[[Cells], Any], Mark | None, str]] = {
    "nothing": ("key", " \u200b", text_of("key"), None, "missing"),
    "too long": ("words", "x" * 13, text_of("words"), None, "too_long"),
    "a number where zeros count": ("key", "7", text_of("key"), "number", "stored_as_number"),
    "a number of more digits than a spreadsheet keeps": (
        "words",
        "1101011990030700",
        lambda cells: cells.text("words"),
        "number",
        "stored_as_number",
    ),
    "a formula without its value": ("words", "", text_of("words"), "formula", "formula_without_value"),
    "an error of the spreadsheet": ("words", "", text_of("words"), "error", "spreadsheet_error"),
    "no choice": ("kind", "丙", lambda cells: cells.choice("kind"), None, "not_a_choice"),
    "a blank choice": ("kind", "", lambda cells: cells.choice("kind"), None, "missing"),
    "perhaps": ("sure", "maybe", lambda cells: cells.yes_or_no("sure"), None, "not_yes_or_no"),
    "half": ("number", "1.5", lambda cells: cells.whole("number"), None, "not_a_whole_number"),
    "too few": ("number", "-1", lambda cells: cells.whole("number"), None, "too_small"),
    "too many": ("number", "11", lambda cells: cells.whole("number", most=10), None, "too_large"),
    "no such day": ("day", "2026/2/30", lambda cells: cells.day("day"), None, "no_such_day"),
    "a day that may be two": ("day", "01/02/2026", lambda cells: cells.day("day"), None, "not_a_date"),
    "a day with a time": ("day", "2026-02-28 10:00", lambda cells: cells.day("day"), None, "not_a_date"),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_people_write_is_understood(name: str) -> None:
    column, text, how, mark, wanted = GOOD[name]
    assert read(column, text, how, mark) == (wanted, [])


@pytest.mark.parametrize("name", BAD)
def test_what_can_not_be_meant_is_refused_for_what_it_is(name: str) -> None:
    column, text, how, mark, reason = BAD[name]
    _value, errors = read(column, text, how, mark)
    assert [(error.column, error.reason) for error in errors] == [(column, reason)]


def test_each_column_has_one_error_and_facts_are_no_contents() -> None:
    cells = Cells(COLUMNS, {"number": "x" * 900, "day": "soon"})
    cells.whole("number")
    cells.day("day")
    cells.need(["key", "words"])
    assert [(error.column, error.reason, dict(error.facts)) for error in cells.errors] == [
        ("number", "too_long", {"most": 500}),
        ("day", "not_a_date", {}),
        ("key", "missing", {}),
        ("words", "missing", {}),
    ]


def test_a_personal_value_is_shown_so_that_only_its_owner_finds_it() -> None:
    assert [masked(text) for text in ("", "沈", "沈静宜", "13800000001")] == ["", "沈***", "沈***", "1***01"]
