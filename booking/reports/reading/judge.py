"""Whether a result is normal, low, high or abnormal, and what says so: the provider, or our range if it gave none."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from booking.reports.reading.bounds import Bounds
from booking.reports.reading.figures import is_unit
from booking.reports.reading.folding import folded
from booking.reports.reading.marks import NOTHING
from booking.reports.reading.told import Told, side
from booking.reports.reading.units import per_litre, ucum
from booking.reports.reading.vocabulary import Item, Range

JudgedBy = Literal["provider_flag", "provider_range", "provider_words", "our_range", ""]

_PROTECTS = re.compile(
    "乙肝表面抗体|乙型肝炎(?:病毒)?表面抗体|hbs ?ab|anti-hbs|hepatitis b surface antibod"
    "|(?!.*(?:igm|iga(?![a-z])))(?:"
    "(?:风疹|麻疹|水痘|带状疱疹|腮腺炎|破伤风|白喉|百日咳|狂犬|脊髓灰质炎|脊灰|乙脑|黄热|rubella|rubeola|measles|varicella|vzv|zoster|mumps|tetanus"
    "|diphtheria|pertussis|rabies|polio|yellow fever).*(?:igg|抗体|antibod|(?<![a-z])ab(?![a-z])|immun|titer|titre)"
    "|(?:甲肝|甲型肝炎|hepatitis a(?![a-z])|hav).*(?:igg|总抗体|total))",
    re.I,
)
"""Antibodies that a vaccine gives: more than the cut-off is not bad news."""


def judge(told: Told, item: Item | None, ours: Range | None) -> tuple[str, JudgedBy]:
    """normal, low, high, abnormal or blank, and what says so.

    The provider's mark decides, else its range or words, else ours if it gave none. A mark that the provider's own
    range or words contradict is left unjudged, and so is a result that it marked in a way that we can't read.
    """
    if told.mark.doubtful or _says_the_opposite(told):
        return "", ""
    judged, by = _by_their_reference(told)
    if told.mark.dash and judged in ("low", "high"):
        told = replace(told, mark=NOTHING)  # here it says low, or nothing: no laboratory calls this normal
    if item is not None and item.usual and told.finding and not told.says_reference:
        judged, by = ("normal" if told.finding in (*item.usual, "normal") else "abnormal"), "our_range"
    if told.mark.flag and not (told.mark.finding and told.open_question):
        outside = told.reference.bounds is not None and _by_bounds(told, told.reference.bounds) in ("low", "high")
        contradicted = told.mark.flag == "normal" and (outside or (judged not in ("", "normal") and by != "our_range"))
        if contradicted or _contradicted(told, judged):
            return "", ""
        where = judged if told.mark.flag == "abnormal" and by == "provider_range" and judged in ("low", "high") else ""
        return where or told.mark.flag, "provider_flag"
    if (told.mark.unknown or told.mark.critical_outside) and judged in ("", "normal"):
        return "", ""
    if judged or told.says_reference or told.value.void:
        return judged, by
    return _by_ours(told, ours)


def _says_the_opposite(told: Told) -> bool:
    """Whether the mark says what was found, and the word it stands beside says the opposite."""
    opposite = "negative" if told.mark.flag == "abnormal" else "positive"
    return told.mark.finding and not told.mark.dash and told.value.quality == opposite


_NEAR = 0.15
"""How near a bound, as a part of the range's width, a value inside can be that is marked beyond it: it was rounded, or
the laboratory's own range is a little narrower than the one it prints."""


def _contradicted(told: Told, judged: str) -> bool:
    """Whether a mark for high or low stands well inside the range or at its other side, or any mark at the word that is
    usual."""
    bounds = told.reference.bounds
    if told.mark.flag not in ("low", "high", "abnormal") or told.mark.finding:
        return False
    if told.mark.critical and told.mark.flag == "abnormal":
        return False
    if told.number is None or bounds is None:
        return judged == "normal" and bool(told.reference.words) and told.value.quality == "negative"
    if told.comparator or told.mark.flag == "abnormal" or not (where := _by_bounds(told, bounds)):
        return False
    if where != "normal":
        return told.mark.flag != where
    return _far(told.number, bounds, told.mark.flag)


def _far(number: float, bounds: Bounds, end: str) -> bool:
    """Whether a number inside a range is far from one end of it; true if it has none."""
    low, high = bounds.low, bounds.high
    if (low if end == "low" else high) is None:
        return True
    if low is None or high is None:
        edge = low if low is not None else high or 0.0
        return abs(number - edge) > _NEAR * abs(edge)
    return (number - low if end == "low" else high - number) > _NEAR * (high - low)


def _by_their_reference(told: Told) -> tuple[str, JudgedBy]:
    """By the provider's range or by the words it calls usual."""
    quality, usual = told.value.quality, told.reference.words
    if told.value.void or quality == "doubtful":
        return "", ""
    worded = told.look or _by_words(told)
    if told.look and not quality and (told.number is None or told.reference.bounds is None):
        return told.look, "provider_range" if told.look_by_number else "provider_words"
    if told.reference.bounds is None and told.reference.either and not worded:
        return _by_either(told)
    if told.reference.bounds is None:
        return (worded, "provider_words") if worded else ("", "")
    where = _by_bounds(told, told.reference.bounds)
    if where == "high" and not told.reference.bounds.low and _PROTECTS.search(told.name):
        return ("normal", "provider_words") if quality == "positive" else ("", "")
    if not quality or usual:
        return (where, "provider_range") if where else ("", "")
    agree = not where or not worded or (where == "normal") == (worded == "normal")
    return (worded, "provider_words") if worded and agree else ("", "")


def _by_either(told: Told) -> tuple[str, JudgedBy]:
    """By several ranges of which one is this person's: what all of them say."""
    sides = {_by_bounds(told, bounds) for bounds in told.reference.either}
    if len(sides) > 1 or "" in sides or (len(told.reference.either) == 1 and sides != {"normal"}):
        return "", ""
    return sides.pop(), "provider_range"


def _by_words(told: Told) -> str:
    """What a result in words is by the words that the provider calls usual, or by its own where it gave no others."""
    quality, usual = told.value.quality, told.reference.words
    if not usual:
        return _by_words_alone(told)
    if not quality:
        return ""
    if quality == "positive" and _PROTECTS.search(told.name):
        return "normal"
    return (
        "normal"
        if quality == "normal" or quality in usual or (quality == "negative" and "normal" in usual)
        else "abnormal"
    )


def _by_words_alone(told: Told) -> str:
    """What a word says without any that are usual: with a bare cut-off (`<1.0`) or with nothing beside it."""
    quality, bounds = told.value.quality, told.reference.bounds
    if quality in ("normal", "abnormal"):
        return "" if quality == "abnormal" and told.open_question else quality
    if quality not in ("negative", "positive", "trace") or (told.reference.plain and bounds is None):
        return ""
    if bounds is None:
        unclear = told.open_question or quality == "trace" or (told.there_or_not and not told.sought)
        return "" if unclear else _GOOD_OR_BAD[quality]
    cut_off = bounds.high is not None and not bounds.low
    return _GOOD_OR_BAD[quality] if cut_off and quality != "trace" else ""


_GOOD_OR_BAD = {"negative": "normal", "positive": "abnormal"}


def _by_bounds(told: Told, bounds: Bounds) -> str:
    if told.span is not None and _same_unit(told, bounds):
        low, high = side(told.span[0], "", bounds), side(told.span[1], "", bounds)
        return low if low == high else ""
    if told.number is None or not _same_unit(told, bounds):
        return ""
    if any(side(told.number, told.comparator, each) == "normal" for each in told.reference.between):
        return ""
    figure = told.value.figure
    if bounds.unsure and not (figure is not None and figure.unsure) and abs(told.number) < 1000:
        return ""
    return side(told.number * _times(told, bounds), told.comparator, bounds)


_ANOTHER_COUNT = 50


def _times(told: Told, bounds: Bounds) -> float:
    """What a count is multiplied by to be in the unit of its range: 450/uL is 0.45 of `10^9/L`."""
    its, theirs = per_litre(told.unit), per_litre(bounds.unit)
    return its / theirs if its and theirs else 1.0


def _same_unit(told: Told, bounds: Bounds) -> bool:
    """False if value and range are known to be in different units, or one may be a share and the other percent."""
    beside = told.value.figure.unit if told.value.figure is not None else ""
    if beside and not is_unit(beside) and not _only_unit(told, beside):
        return False
    theirs = per_litre(bounds.unit)
    if theirs and not told.unit and bounds.high and told.number and told.number > _ANOTHER_COUNT * bounds.high:
        return False
    units = (told.unit, beside, "" if theirs and per_litre(told.unit) else bounds.unit)
    if len({per_litre(unit) or ucum(unit) for unit in units if ucum(unit)}) > 1:
        return False
    return not _share_against_percent(told, beside, bounds)


def _only_unit(told: Told, beside: str) -> bool:
    """Whether a unit that we don't know is the only one named with a value and its range."""
    named = re.sub(r"[^a-z/]", " ", told.reference.plain.replace(beside, " ")).split()
    return not named and folded(told.unit) in ("", beside)


def _share_against_percent(told: Told, beside: str, bounds: Bounds) -> bool:
    """Whether one of value and range may be a share (0.42) and the other percent (36-50)."""
    low, high, number = bounds.low or 0, bounds.high or 0, told.number or 0
    if high and high <= 1 and not bounds.unit and beside == "%" and not told.unit.strip("%"):
        return True
    if "%" in (beside, told.unit) and not bounds.unit:
        return 0 < low < high <= 1 < number and low / 4 <= number / 100 <= high * 4
    return bounds.unit == "%" and not beside and told.unit in ("", "1") and 0 < number <= 1 < low


def _by_ours(told: Told, ours: Range | None) -> tuple[str, JudgedBy]:
    """By our range, if a source is known for it. Any does for a value beyond both it and the instrument."""
    if ours is None or told.number is None:
        return "", ""
    if ours.open and not told.comparator and told.number in (ours.low, ours.high):
        return "", ""
    where = side(told.number, told.comparator, Bounds(ours.low, ours.high))
    if not ours.source and (not where or where != told.mark.beyond):
        return "", ""
    sure = {"low": ours.low_for_sure, "high": ours.high_for_sure}.get(where)
    if where and sure is not None:
        where = side(told.number, told.comparator, Bounds(*((sure, None) if where == "low" else (None, sure))))
        where = where if where in ("low", "high") else ""
    return (where, "our_range") if where else ("", "")
