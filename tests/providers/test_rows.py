"""Rows are read one by one: what cannot be read is handed on, and nothing else is lost with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from providers.adapters import fields
from providers.adapters.changes_by_time import Window, next_window
from providers.adapters.http import NoAnswer, Reply
from providers.adapters.rows import read_rows, readable
from providers.port import ProviderError
from providers.reported import MOST_DELIVERED, UnreadableRow

START = datetime(2026, 3, 1)  # noqa: DTZ001 - the provider's wall clock


def named(row: Any) -> tuple[str | None, str | None]:
    return readable(row, "reference"), readable(row, "our_reference")


def read(*rows: Any) -> tuple[list[str], list[UnreadableRow]]:
    return read_rows(rows, lambda row: fields.reference(row, "reference"), named)


def test_rows_keep_their_order_and_bad_ones_fall_out() -> None:
    found, unreadable = read({"reference": "A"}, None, {"reference": 7, "our_reference": "B"}, {"reference": "C"})
    assert found == ["A", "C"]
    assert [(row.reason, row.reference, row.our_reference) for row in unreadable] == [
        ("row.object", None, None),
        ("reference.text", None, "B"),
    ]
    assert [row.nameless for row in unreadable] == [True, False]


def test_a_reader_that_breaks_loses_its_row_alone() -> None:
    found, unreadable = read_rows([{"reference": "A", "by": 0}, {"by": 1}], lambda row: 1 / row["by"], named)
    assert (found, [(row.reason, row.reference) for row in unreadable]) == ([1.0], [("row.unexpected", "A")])


def test_what_was_delivered_is_canonical_and_cut() -> None:
    row = {"b": 1, "a": "沈\ud800\0", "c": float("inf")}
    _, (one,) = read(row)
    assert one.delivered == b'{"a":"\xe6\xb2\x88\\ud800\\u0000","b":1,"c":Infinity}'
    assert read(dict(reversed(row.items())))[1][0].digest == one.digest
    long = [read({"text": "沈" * MOST_DELIVERED + end})[1][0] for end in "12"]
    assert all(MOST_DELIVERED - 3 < len(each.delivered) <= MOST_DELIVERED for each in long)
    assert long[0].delivered.decode() == long[1].delivered.decode()
    assert long[0].digest != long[1].digest


def test_a_number_of_thousands_of_digits_spoils_no_document() -> None:
    rows = Reply(200, "application/json", b'{"rows": [' + b"9" * 5000 + b', {"reference": "A"}]}').json()["rows"]
    assert read(*rows)[0] == ["A"]
    with pytest.raises(NoAnswer):
        Reply(200, "application/json", b"[1]").json()


def at(*minutes: float | None) -> list[Any]:
    return [
        None if minute is None else {"t": (START + timedelta(minutes=minute)).strftime("%Y-%m-%d %H:%M:%S")}
        for minute in minutes
    ]


def after(rows: list[Any], size: int) -> Window | str:
    now = START + timedelta(days=1)
    return next_window(Window(START, 1, None, now), rows, "t", size, now, {"overlap_seconds": "0"})


@pytest.mark.parametrize("bad", [None, {"t": None}, {"t": "2199-01-01 00:00:00"}, {"t": "1999-01-01 00:00:00"}])
@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_row_with_a_bad_time_does_not_say_where_to_go_on(bad: Any, place: int) -> None:
    rows = at(1, 2, 3)
    rows.insert(place, bad)
    following = after(rows, 4)
    assert isinstance(following, Window)
    assert (following.start, following.page) == (START + timedelta(minutes=3), 1)


def test_a_time_out_of_order_in_the_midst_does_not_say_where_to_go_on() -> None:
    following = after(at(1, 2, 900, 3, 4), 5)
    assert isinstance(following, Window)
    assert following.start == START + timedelta(minutes=4)


@pytest.mark.parametrize("rows", [at(5, 4, 3, 2, 1), [None] * 5])
def test_a_full_page_without_any_order_says_nothing(rows: list[Any]) -> None:
    with pytest.raises(ProviderError):
        after(rows, 5)


def test_one_bad_row_alone_ends_the_pull() -> None:
    assert after([None], 5) == "2026-03-02 00:00:00"
