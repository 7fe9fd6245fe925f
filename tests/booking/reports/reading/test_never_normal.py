"""Whatever range a laboratory prints and however it writes the number: outside of it is never normal."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from booking.reports.reading.read import delivered, read
from booking.reports.reading.told import Whose
from providers.adapters.checkup_wire import read_item

STEADY = settings(derandomize=True, max_examples=400, deadline=None)
WHOSE = Whose("female", date(1988, 4, 12), date(2026, 6, 1))
numbers = st.decimals(min_value=0, max_value=5000, places=2)
ways = st.sampled_from(
    (
        *("{}-{}", "{}--{}", "{}～{}", "{} — {}", "{}至{}", "[{},{}]", "({} - {})", "≥{}且≤{}"),
        *(
            "参考值：{}-{}",
            "成人：{}~{} mmol/L",
            "女：{}-{} 男：0-9999",
            "(男)0-9999 (女){}-{}",
            "0-9999(男) {}-{}(女)",
        ),
        *("between {} and {}", "介于{}和{}之间", "{}≤GLU≤{}", "{}..{}", "{}⁓{}", "F {}-{} / M 0-9999"),
        *("女：20-59岁 {}-{}；60-79岁 0-9999；男：20-59岁 0-9999", "<60岁：男0-9999 女{}-{}；≥60岁：男0-9999 女0-9999"),
    )
)
spellings = st.sampled_from(
    (
        "{}",
        " {} ",
        "{}mmol/L",
        "{} mmol/L",
        "{} N",
        "{}(正常)",
        "<{}",
        "＞{}",
        "结果：{}",
        "GLU={}",
        "{}（已复查）",
        "{} N (正常)",
    )
)
marks = st.sampled_from(("", "N", "正常", "-", "null", "※", "阴性", "N (正常)", "H L", "复查", "delta", "S"))


@STEADY
@given(low=numbers, width=numbers, value=numbers, way=ways, spelling=spellings, mark=marks)
def test_a_number_outside_a_readable_range_is_never_normal(
    low: object, width: object, value: object, way: str, spelling: str, mark: str
) -> None:
    high = low + width  # type: ignore[operator]
    body = {"itemName": "项目", "result": spelling.format(value), "unit": "mmol/L", "refRange": way.format(low, high)}
    told = read(delivered(asdict(read_item({**body, "mark": mark}))), WHOSE, {})
    if (told.low, told.high) == (None, None):
        assert not told.judged or told.judged_by == "provider_flag", "an unreadable range judges nothing"
        return
    assert (told.low, told.high) == (float(low), float(high))  # type: ignore[arg-type]
    below, above = value < low, value > high  # type: ignore[operator]
    if {"<{}": value < low, "＞{}": above}.get(spelling, below or above):  # type: ignore[operator]
        assert told.judged != "normal"
    assert not (told.judged in ("low", "high") and low <= value <= high and spelling not in ("<{}", "＞{}"))  # type: ignore[operator]


@STEADY
@given(
    low=st.integers(1, 400),
    width=st.integers(0, 400),
    value=st.integers(0, 900_000),
    unit=st.sampled_from(("/uL", "cells/µL", "个/μl", "/mm3")),
    way=st.sampled_from(("{}-{} x10^9/L", "{}～{}×10⁹/L", "{}-{}(10*9/L)", "{} - {} 10^3/uL", "{}-{} K/uL")),
)
def test_a_count_outside_a_range_in_another_unit_of_counts_is_never_normal(
    low: int, width: int, value: int, unit: str, way: str
) -> None:
    high = low + width
    body = {"itemName": "项目", "result": str(value), "unit": unit, "refRange": way.format(low, high), "mark": ""}
    judged = read(delivered(asdict(read_item(body))), WHOSE, {}).judged
    if low <= value / 1000 <= high:
        assert judged in ("normal", "")
    else:
        assert judged in ("low" if value / 1000 < low else "high", "")
