"""Two numbers in one cell, and risks of one in so many: both are compared the right way round, or not at all."""

from __future__ import annotations

import pytest

from booking.reports.reading.pairs import pair_of
from booking.reports.reading.risks import risk_of


@pytest.mark.parametrize(
    ("value", "reference", "verdict"),
    [
        ("118/76", "<140/90", "normal"),
        ("118/92 mmHg", "<140/90", "high"),
        ("140/80", "<140/90", "high"),
        ("150/95", "90-139/60-89", "high"),
        ("85/55", "90/60-139/89", "low"),
        ("85/95", "90-139/60-89", "abnormal"),
        ("150/95", "<140", ""),
        ("150", "<140/90", ""),
        ("150/95/70", "<140/90", ""),
    ],
)
def test_a_pair_is_normal_only_if_both_numbers_are(value: str, reference: str, verdict: str) -> None:
    assert pair_of("血压", value, reference) == verdict


@pytest.mark.parametrize(
    ("value", "reference", "verdict"),
    [
        ("1/126", "<1/270", "abnormal"),
        ("1:2500", "<1:270", "normal"),
        ("1 in 1,200", "<1 in 270", "normal"),
        ("<1:10000", "<1:270", "normal"),
        (">1:50", "<1:270", "abnormal"),
        ("<1:100", "<1:270", ""),
        (">1:1000", "<1:270", ""),
        ("1:100", ">1:270", ""),
        ("1:100", "阴性", ""),
        ("高风险 1/126", "低风险 <1/270", "abnormal"),
        ("低风险 1/126", "低风险 <1/270", ""),
        ("低风险", "低风险", "normal"),
        ("Screen positive", "Screen negative", "abnormal"),
        ("低风险，建议复查", "低风险", ""),
    ],
)
def test_the_smaller_second_number_is_the_greater_risk(value: str, reference: str, verdict: str) -> None:
    assert risk_of("21-三体风险", value, reference)[0] == verdict


def test_a_ratio_of_something_else_is_no_risk() -> None:
    assert risk_of("白蛋白/球蛋白", "1:2", "<1:3") == ("", False)
