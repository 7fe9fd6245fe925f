"""Cursors of lists."""

from __future__ import annotations

import base64
import json

import pytest

from marketplace.core.errors import Invalid
from marketplace.core.paging import check_limit, decode_cursor, encode_cursor


def test_a_cursor_gives_back_what_it_was_made_of() -> None:
    values = [3, "医院", None]
    assert decode_cursor(encode_cursor(values), (int, str, (str, type(None)))) == values


def _cursor_of(raw: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(raw).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "!!!!",
        "医院",
        "\ud800",
        "A" * 1_000_000,
        _cursor_of({"a": 1}),
        _cursor_of([1]),
        _cursor_of([1, 2]),
        _cursor_of([True, "a"]),
        _cursor_of([2**63, "a"]),
        _cursor_of([1, "a\0"]),
        _cursor_of([1, "\ud800"]),
        _cursor_of([1.5, "a"]),
        base64.urlsafe_b64encode(b"[" * 1400).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_what_is_no_cursor_is_refused_by_name(cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        decode_cursor(cursor, (int, str))
    assert refused.value.at == "cursor"


@pytest.mark.parametrize("limit", [0, -1, 101, 2**63])
def test_a_limit_out_of_range_is_refused_by_name(limit: int) -> None:
    with pytest.raises(Invalid) as refused:
        check_limit(limit)
    assert refused.value.at == "limit"


def test_limits_in_range_are_kept() -> None:
    assert [check_limit(limit) for limit in (1, 100)] == [1, 100]
