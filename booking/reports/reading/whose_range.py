"""Which range of a text is a person's, by sex and age; and which could be, where nobody told us what else decides."""

from __future__ import annotations

import re
from dataclasses import replace

from booking.reports.reading.bounds import Bounds
from booking.reports.reading.labelled_ranges import LabelledRange

_AS_MOST_ARE = {
    "未孕",
    "非孕",
    "未妊娠",
    "非妊娠",
    "非妊娠期",
    "非孕期",
    "non-pregnant",
    "nonpregnant",
    "not",
    "pregnant",
}
_AIMS = frozenset(
    {
        "target",
        "goal",
        "therapeutic",
        "on",
        "warfarin",
        "recommended",
        "level",
        "levels",
        "治疗",
        "治疗窗",
        "治疗范围",
        "有效",
    }
    | {
        "治疗浓度",
        "治疗目标",
        "有效浓度",
        "有效血药浓度",
        "治疗有效浓度",
        "目标",
        "目标值",
        "目标范围",
        "控制目标",
        "推荐",
    }
)
_THINS_BLOOD = re.compile("(?<![a-z])inr(?![a-z])|国际标准化|凝血酶原|prothrombin")
_TREATED = re.compile("warfarin|华法林|抗凝|anticoag")
"""Whose blood isn't thinned has an INR far below what the treatment aims at, and nobody told us whether it is."""


def chosen(ranges: list[LabelledRange], sex: str, age: int, name: str) -> Bounds | None:
    """The one range that is for a person of that sex and age (years): the most closely labelled; None if there is none,
    or two differ. A condition holds if the result's `name`, folded, says it."""
    if _by_condition(ranges):
        return None
    if _both_ways(ranges):
        return None
    if any(each.good for each in ranges):
        ranges = [each for each in ranges if each.good]
    suiting = [
        each
        for each in ranges
        if each.sex in ("", sex)
        and each.from_age <= age <= each.to_age
        and each.good is not False
        and all(word in name for word in each.only)
    ]
    if not suiting:
        return None
    closest = max(each.labels for each in suiting)
    found = {each.bounds for each in suiting if each.labels == closest}
    if len(found) > 1 and all(each.good for each in suiting):
        return _widest(list(found))
    return found.pop() if len(found) == 1 else None


def either(ranges: list[LabelledRange], sex: str, age: int) -> tuple[Bounds, ...]:
    """The bounds of which one is this person's, but nobody told us which. A single one only if it asks no more than not
    to be pregnant; none where words call some of them bad."""
    could = [
        each for each in ranges if each.sex in ("", sex) and (each.from_age <= age <= each.to_age or each.menopause)
    ]
    if len(could) == 1:
        could = [each for each in could if _as_most_are(each.only)]
    elif not _by_condition(could) and any(each.good is False for each in could):
        return ()
    return tuple({each.bounds: None for each in could})


def aimed_at(ranges: list[LabelledRange], name: str) -> list[LabelledRange]:
    """Ranges with the only one as the good one if a treatment aims at it, perhaps with one that is called toxic beside
    it; else as they are. `name` is the result's, folded."""
    aims = [each for each in ranges if each.only and set(each.only) <= _AIMS and each.good is None]
    if _THINS_BLOOD.search(name) and not _TREATED.search(name):
        return ranges
    if len(aims) != 1 or any(each.good is not False for each in ranges if each is not aims[0]):
        return ranges
    return [replace(each, only=(), good=True) if each is aims[0] else each for each in ranges]


def by_risk(ranges: list[LabelledRange], plain: str) -> list[LabelledRange]:
    """Ranges with the groups of risk as conditions if the text gives each group an aim of its own, as in
    `中低危<3.4；高危<2.6`: nobody told us the group, and the words are not categories of the value, since all bounds
    are at one side. Else as they are."""
    sides = {(each.bounds.low is None, each.bounds.high is None) for each in ranges}
    groups = len(re.findall("危(?!急)", plain))
    if len(ranges) < 2 or groups != len(ranges) or sides not in ({(True, False)}, {(False, True)}):
        return ranges
    return [replace(each, good=None, only=(*each.only, "危")) for each in ranges]


def _as_most_are(conditions: tuple[str, ...]) -> bool:
    """Whether conditions only say that she is not pregnant."""
    said = set(conditions)
    return bool(said) and said <= _AS_MOST_ARE and ("pregnant" not in said or "not" in said)


def _by_condition(ranges: list[LabelledRange]) -> bool:
    """Whether the words beside bounds are not categories of the value but people that each is for, as in
    `低危<3.4；高危<2.6`: then a good range and a bad one end at the same side."""
    sides = [
        {(each.bounds.low is None, each.bounds.high is None) for each in ranges if each.good is good}
        & {(True, False), (False, True)}
        for good in (True, False)
    ]
    return bool(sides[0] & sides[1])


def _both_ways(ranges: list[LabelledRange]) -> bool:
    """Whether a text without a good range has bounds below which and bounds above which: one of the two is what it
    warns of."""
    ways = {(each.bounds.low is None, each.bounds.high is None) for each in ranges if each.good is not False}
    return not any(each.good for each in ranges) and {(True, False), (False, True)} <= ways


def _widest(good: list[Bounds]) -> Bounds | None:
    """The one of several good ranges that holds the others, as in `理想<2.6；合适<3.4`; None if there is none."""
    if all(each.low is None and each.high is not None for each in good):
        return max(good, key=lambda each: each.high or 0)
    if all(each.high is None and each.low is not None for each in good):
        return min(good, key=lambda each: each.low or 0)
    return None
