"""Any text: no error, no wait, and nothing around an alarm takes it away."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.consultation.red_flags.find import found
from booking.consultation.red_flags.rulebook import rulebook
from tests.booking.consultation.red_flags.test_phrasings import ALARMS, HARMLESS, codes

STEADY = settings(derandomize=True, max_examples=150, deadline=None)
PIECES = sorted({word for each in (*ALARMS, *({"text": text} for text in HARMLESS)) for word in each["text"].split()})
AROUND = [
    "您好医生。",
    "想顺便问一下预约的时间。",
    "Hello doctor.\n",
    "上周买的套餐还没用。",
    "谢谢！",
    "Thank you for your help.",
    "我今年五十六岁，住在苏州。",
    "没有发烧。",
    "No cough.",
]
HOSTILE = [
    "胸",
    "痛",
    "胸痛",
    "没有",
    "没有胸痛",
    "胸痛没有",
    "不",
    "no chest pain or ",
    "no ",
    "chest ",
    "pain ",
    "血很多",
    "没有血很多",
    "如果",
    "十年前",
    "以前胸痛，当时",
    "现在",
    "。",
    "，",
    "...",
    "痛。",
    "a",
    "a ",
    "aaaa ",
    "1.",
    "1 ",
    "三",
    "三个月",
    "38度",
    "宝宝",
    "三个月宝宝三十八度没发烧",
    "手机",
    "手机没",
    "喝",
    "喝了农",
    "吃 药 ",
    "头摔",
    "没有头摔",
    "没有怀孕",
    "没有怀孕没有血",
    "\u200b",
    "😭",
    "\ud800",
    "́",
    "chesst",
    "bleediing ",
    "、",
    "or ",
    "喘",
    "喘不",
    "not able not able ",
    "𠀀",
    "ﷺ",
]


@given(st.text(max_size=300))
@STEADY
def test_no_text_is_an_error(text: str) -> None:
    for sign in found(text, age_months=1):
        assert 0 <= sign.start < sign.end <= len(text)


@given(st.lists(st.sampled_from([*PIECES, *HOSTILE]), max_size=40))
@STEADY
def test_no_mixture_of_what_people_write_is_an_error(pieces: list[str]) -> None:
    text = "".join(pieces)
    for sign in found(text, age_months=1):
        assert 0 <= sign.start < sign.end <= len(text)


@given(
    st.sampled_from(ALARMS),
    st.lists(st.sampled_from(AROUND), max_size=5),
    st.lists(st.sampled_from(AROUND), max_size=5),
)
@STEADY
def test_nothing_harmless_around_an_alarm_takes_it_away(
    phrasing: dict[str, Any], before: list[str], after: list[str]
) -> None:
    text = "".join(before) + phrasing["text"] + "。" + "".join(after)
    assert codes(text) >= set(phrasing["signs"])


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_work_grows_with_the_length_only(piece: str) -> None:
    short, long = _filled(piece, 1000), _filled(piece, 4000)
    assert _lines_run(long) < 5 * _lines_run(short) + 2000


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_text_of_that_length_is_much_work(piece: str) -> None:
    assert _lines_run(_filled(piece, 4000)) < 800_000


def _filled(piece: str, length: int) -> str:
    return (piece * (length // len(piece) + 1))[:length]


def _lines_run(text: str) -> int:
    """How many lines of ours a search runs: the same on every machine."""
    rulebook()
    count = 0

    def line(frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        nonlocal count
        count += event == "line"
        return line

    def call(frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        return line if "red_flags" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        found(text, age_months=1)
    finally:
        sys.settrace(before)
    return count
