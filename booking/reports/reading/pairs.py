"""Two numbers in one cell: blood pressure (`150/95` against `<140/90`, `90-139/60-89`, `90/60-139/89`) and eyesight."""

from __future__ import annotations

import re
from typing import Literal

from booking.reports.reading.folding import folded

_UNIT = r"\s*(?:mmhg|毫米汞柱|kpa)?"
_NUMBER = r"[0-9]{2,3}(?:\.[0-9])?"
_VALUE = re.compile(rf"({_NUMBER})\s*/\s*({_NUMBER}){_UNIT}")
_BELOW = re.compile(rf"([<≤])\s*({_NUMBER})\s*/\s*[<≤]?\s*({_NUMBER}){_UNIT}")
_EACH = re.compile(rf"({_NUMBER})\s*[-~]\s*({_NUMBER})\s*/\s*({_NUMBER})\s*[-~]\s*({_NUMBER}){_UNIT}")
_ENDS = re.compile(rf"({_NUMBER})\s*/\s*({_NUMBER})\s*[-~]\s*({_NUMBER})\s*/\s*({_NUMBER}){_UNIT}")

_SIGHT = re.compile("视力|acuity|vision|eyesight")
_FRACTION = re.compile("(20|6)/([0-9]{1,3})")

Verdict = Literal["normal", "low", "high", "abnormal", ""]


def pair_of(name: str, value: str, reference: str) -> Verdict:
    """What a pair is beside the bounds of both numbers; blank if either isn't such a pair."""
    if _SIGHT.search(folded(name)):
        return _sight(folded(value), folded(reference))
    pair = _VALUE.fullmatch(folded(value))
    bounds = _bounds(folded(reference).strip("()[]"))
    if pair is None or bounds is None:
        return ""
    sides = {_side(float(number), *each) for number, each in zip(pair.groups(), bounds, strict=True)}
    if {"low", "high"} <= sides:
        return "abnormal"
    return next((side for side in ("high", "low") if side in sides), "normal")


def _sight(value: str, usual: str) -> Verdict:
    """Eyesight as a fraction (20/60, 6/12): what one sees at 20 feet, a good eye sees at 60."""
    sees, should = _FRACTION.fullmatch(value), _FRACTION.fullmatch(usual)
    if sees is None or should is None or sees[1] != should[1]:
        return ""
    return "abnormal" if int(sees[2]) > int(should[2]) else "normal"


def _bounds(usual: str) -> list[tuple[float | None, float, bool]] | None:
    if below := _BELOW.fullmatch(usual):
        return [(None, float(below[2]), below[1] == "<"), (None, float(below[3]), below[1] == "<")]
    if each := _EACH.fullmatch(usual):
        return [(float(each[1]), float(each[2]), False), (float(each[3]), float(each[4]), False)]
    if ends := _ENDS.fullmatch(usual):
        return [(float(ends[1]), float(ends[3]), False), (float(ends[2]), float(ends[4]), False)]
    return None


def _side(number: float, low: float | None, high: float, open_: bool) -> Verdict:
    if low is not None and number < low:
        return "low"
    if number > high:
        return "high"
    return "high" if open_ and number == high else "normal"
