"""Grades in Roman figures: `Ⅲ度` against `Ⅰ-Ⅱ度`, where the higher grade is the worse."""

from __future__ import annotations

import re

from booking.reports.reading.folding import folded

_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5}
_GRADE = r"(iv|v|i{1,3})\s*(?:度|级|期|°)?"
_ONE = re.compile(_GRADE)
_RANGE = re.compile(rf"{_GRADE}\s*(?:(?:-|~|至|到|或|,|/)\s*{_GRADE})?")


def as_figures(value: str, reference: str) -> tuple[str, str]:
    """Value and reference as delivered, or in plain figures when both are grades and nothing but grades."""
    one, between = _ONE.fullmatch(folded(value)), _RANGE.fullmatch(folded(reference))
    if one is None or between is None:
        return value, reference
    best, worst = _ROMAN[between[1]], _ROMAN[between[2] or between[1]]
    return str(_ROMAN[one[1]]), f"{best}-{worst}"
