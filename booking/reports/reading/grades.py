"""Grades and classes, of which the higher is the worse: `Ⅲ度` against `Ⅰ-Ⅱ度`, `Class 4 (22.4)` against `Class 0`."""

from __future__ import annotations

import re
from typing import Literal

from booking.reports.reading.folding import folded

_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6}
_STEP = r"(vi|iv|v|i{1,3}|[0-6])"
_NAMED = r"(?:度|级|期|类|°)"
_TO = r"\s*(?:-|~|至|到|或|,|/|to|or)\s*"
_AMOUNT = r"(?:\s*[(\[:][^()\[\]]{0,24}[)\]]?)?"
_CALLED = rf"(?:class|grade|stage)\s*{_STEP}(?:{_TO}(?:class|grade|stage)?\s*{_STEP})?"
_BEHIND = rf"{_STEP}\s*{_NAMED}(?:{_TO}{_STEP}\s*{_NAMED})?|{_STEP}{_TO}{_STEP}\s*{_NAMED}"
_BARE = rf"(vi|iv|v|i{{1,3}})(?:{_TO}(vi|iv|v|i{{1,3}}))?"
_MORE_IS_BETTER = re.compile("肌力|握力|力量|平衡|power|strength|balance|视力")
_GRADE = re.compile(rf"(?:<|≤)?\s*(?:{_CALLED}|{_BEHIND}|{_BARE}){_AMOUNT}")


def grade_of(name: str, value: str, reference: str) -> Literal["normal", "abnormal", ""]:
    """normal or abnormal if value and reference are grades and nothing else but the amount in brackets behind one."""
    told, usual = _steps(value), _steps(reference)
    if len(told) != 1 or not usual or _MORE_IS_BETTER.search(folded(name)):
        return ""
    return "normal" if told[0] <= max(usual) else "abnormal"


def _steps(text: str) -> list[int]:
    found = _GRADE.fullmatch(re.sub("^巴氏(?:分级)?[: ]?", "", folded(text)))
    steps = [step for step in found.groups() if step] if found else []
    return [_ROMAN[step] if step in _ROMAN else int(step) for step in steps]
