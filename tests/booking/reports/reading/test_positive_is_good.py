"""Positive is not bad by itself: a protecting antibody or a blood group gets no verdict, an infection does."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date

import pytest

from booking.reports.reading.read import delivered, read
from booking.reports.reading.told import Whose
from providers.adapters.checkup_wire import read_item

WHOSE = Whose("female", date(1988, 4, 12), date(2026, 6, 1))


def judged(name: str, value: str, reference: str, mark: str) -> str:
    body = {"itemName": name, "result": value, "unit": "", "refRange": reference, "mark": mark}
    return read(delivered(asdict(read_item(body))), WHOSE, {}).judged


@pytest.mark.parametrize(
    ("name", "value", "reference", "mark"),
    [
        ("HBsAb", "Positive", "", "POS"),
        ("乙肝表面抗体", "阳性", "", "阳性"),
        ("乙肝表面抗体", "阴性", "", "阴性"),
        ("HBsAb", "320", "<10", ""),
        ("HBsAb", "320", "<10", "POS"),
        ("Rh", "Positive", "", "POS"),
        ("风疹病毒IgG", "阳性", "", "阳性"),
        ("Measles IgG", "POS", "", "RR"),
    ],
)
def test_no_verdict_comes_from_it(name: str, value: str, reference: str, mark: str) -> None:
    assert judged(name, value, reference, mark) == ""


@pytest.mark.parametrize(
    ("name", "value", "reference", "mark", "verdict"),
    [
        ("HCV抗体", "阳性", "", "POS", "abnormal"),
        ("乙肝表面抗原", "阳性", "", "POS", "abnormal"),
        ("HIV抗体", "阴性", "", "NEG", "normal"),
        ("尿蛋白", "2+", "阴性", "++", "abnormal"),
        ("HBsAb", "阳性", "", "A", "abnormal"),
        ("TPOAb", "120", "0-34", "POS", "high"),
    ],
)
def test_elsewhere_the_mark_says_it(name: str, value: str, reference: str, mark: str, verdict: str) -> None:
    assert judged(name, value, reference, mark) == verdict
