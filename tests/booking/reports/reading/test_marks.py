"""A mark in several words says all of them: that it is critical is never lost, and contradicting words say nothing."""

from __future__ import annotations

import pytest

from booking.reports.reading.marks import mark_of


@pytest.mark.parametrize(
    "text",
    [
        *("L (critical)", "↑(危急值)", "H,C", "H - Critical", "危急值！", "危", "CRIT HIGH", "HH (called)"),
        *("危急值（已通知）", "critical result, called to ward", "H!", "High Panic"),
    ],
)
def test_a_critical_mark_stays_critical_in_whatever_words(text: str) -> None:
    mark = mark_of(text)
    assert mark.critical or mark.critical_outside
    assert mark.flag != "normal"


@pytest.mark.parametrize("text", ["非危急值", "not critical", "no critical", "已解除危急值，未危急", "H", "↑"])
def test_what_denies_it_or_does_not_say_so_is_not_critical(text: str) -> None:
    assert not mark_of(text).critical


@pytest.mark.parametrize("text", ["H L", "N (H)", "正常 偏高", "Normal, High"])
def test_words_that_contradict_each_other_are_no_mark(text: str) -> None:
    mark = mark_of(text)
    assert (mark.flag, mark.unknown) == ("", True)


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        *(("HU", "high"), ("LU", "low"), ("HX", "high"), ("LX", "low"), ("A", "abnormal"), ("N", "normal")),
        *(("S", "normal"), ("R", "abnormal"), ("POS", "abnormal"), ("NEG", "normal"), ("DET", "abnormal")),
        *(("ND", "normal"), ("RR", "abnormal"), ("NR", "normal"), ("WR", "abnormal"), ("LL", "low"), ("HH", "high")),
        *(("U", ""), ("D", ""), ("B", ""), ("W", ""), ("MS", ""), ("VS", ""), ("SDD", ""), ("I", ""), ("IE", "")),
        *(("IND", ""), ("E", ""), ("EQV", ""), ("NULL", "")),
    ],
)
def test_the_codes_of_hl7_say_what_their_tables_say(text: str, flag: str) -> None:
    assert mark_of(text).flag == flag


@pytest.mark.parametrize("text", ["IND", "E", "I", "EQV", "可疑", "灰区"])
def test_a_doubtful_result_stays_doubtful(text: str) -> None:
    assert mark_of(text).doubtful or mark_of(text).unknown
