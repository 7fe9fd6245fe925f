"""Interpreting a delivered result: which item it is, its value in our unit, and whether it is outside the normal range.

What the provider delivered is never changed. Its own flag decides, else its own range; our range, by sex and by age on
the day of the service, is used only if the provider gave neither.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from booking.reports.reading.vocabulary import Found, Item, MappedBy, unit_of, vocabulary
from marketplace.catalog.benefit_kind import age_on

JudgedBy = Literal["provider_flag", "provider_range", "our_range", ""]

FLAGS = ("normal", "low", "high", "abnormal")

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
_MARKED = re.compile(r"^\s*([<>≤≥]=?|＜|＞)?\s*([+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?)\s*([↑↓]*)\s*$", re.ASCII)
_WORDS = (
    ("negative", re.compile(r"^\(?-\)?$|^−$|阴性|未检出|未见|^neg|not detected|^none$", re.I)),
    ("trace", re.compile(r"±|\+-|\+/-|弱阳|微量|trace", re.I)),
    ("positive", re.compile(r"阳性|检出|^\(?[1-4]?\+{1,4}\)?[1-4]?$|^pos|detected", re.I)),
    ("normal", re.compile(r"^正常$|^normal$|未见异常|未见明显异常", re.I)),
)


@dataclass(frozen=True)
class Whose:
    """What ranges depend on: the person's sex and birth date, and the day of the service."""

    sex: str
    birth_date: date
    day: date

    @property
    def age(self) -> int:
        """Completed years on the day of the service."""
        return age_on(self.birth_date, self.day)


@dataclass(frozen=True)
class Delivered:
    """One result as the provider delivered it. `flag`: normal, low, high, abnormal or blank; `number` is the
    value if it is a plain number, else None; `code` is the provider's own code for the item."""

    name: str
    value: str
    number: float | None
    loinc: str
    unit: str
    low: float | None
    high: float | None
    flag: str
    section: str
    note: str
    code: str = ""


@dataclass(frozen=True)
class Reading(Delivered):
    """A delivered result with our interpretation.

    `item` is the vocabulary's code (blank: not in it), found by `mapped_by`: loinc, code or name. `variant` is the way
    it was measured. `our_value` is the value in `our_unit` (UCUM), None if it cannot be converted; `converted` is true
    if the delivered unit is another. `bound` is `<` or `>` if the value is only a limit. `our_low` and `our_high` are
    our normal range in `our_unit`. `judged` is normal, low, high, abnormal or blank (unknown), `judged_by` the source
    of that. `finding` is negative, trace, positive or normal for a result in words, else blank.
    """

    item: str = ""
    group: str = ""
    variant: str = ""
    mapped_by: MappedBy | Literal[""] = ""
    our_value: float | None = None
    our_unit: str = ""
    converted: bool = False
    bound: str = ""
    our_low: float | None = None
    our_high: float | None = None
    judged: str = ""
    judged_by: JudgedBy = ""
    finding: str = ""

    @property
    def to_look_at(self) -> bool:
        """Whether it is outside the normal range, or otherwise abnormal."""
        return self.judged not in ("", "normal")


def delivered(raw: Mapping[str, Any]) -> Delivered:
    """One result of a version's stored content."""
    known = {name: raw[name] for name in Delivered.__dataclass_fields__ if name in raw}
    return Delivered(**known, number=float(raw["value"]) if _NUMBER.fullmatch(raw["value"]) else None)


def read(result: Delivered, whose: Whose, codes: Mapping[str, str]) -> Reading:
    """Interpret one result. `codes` maps the provider's own codes to the vocabulary's."""
    found = vocabulary().find(
        loinc=result.loinc, code=result.code, name=result.name, section=result.section, codes=codes
    )
    values: dict[str, Any] = {}
    bound, number, arrow = _figure(result.value)
    values["finding"] = finding(result.value) if number is None else ""
    if found is not None:
        values |= {"item": found.item.code, "group": found.item.group}
        values |= {"variant": found.variant, "mapped_by": found.by}
        if found.item.form == "number":
            values |= _in_our_unit(found, result.unit, number, bound) | _our_range(found.item, whose)
    judged, by = _judge(result, found.item if found else None, number, arrow, bound, values)
    return Reading(**vars(result), **values, judged=judged, judged_by=by)


def read_all(content: Mapping[str, Any], whose: Whose, codes: Mapping[str, str]) -> list[Reading]:
    """All results of a version's content, those to look at first, then as delivered."""
    results = [read(delivered(raw), whose, codes) for raw in content["items"]]
    return sorted(results, key=lambda result: not result.to_look_at)


def finding(value: str) -> str:
    """The meaning of a value in words: negative, trace, positive or normal; blank for anything else."""
    text = value.strip()
    return next((word for word, pattern in _WORDS if pattern.search(text)), "") if len(text) <= 40 else ""


def _figure(value: str) -> tuple[str, float | None, str]:
    """(bound, number, arrow): `<0.5` is a bound, `5.9↑` carries the laboratory's own mark."""
    marked = _MARKED.match(value)
    if marked is None:
        return "", None, ""
    sign, number, arrow = marked.groups()
    bound = "" if not sign else "<" if sign[0] in "<≤＜" else ">"
    return bound, float(number), {"↑": "high", "↓": "low"}.get(arrow[:1], "")


def _in_our_unit(found: Found, spelling: str, number: float | None, bound: str) -> dict[str, Any]:
    unit = unit_of(found.item, spelling)
    conversion = found.item.conversion(unit, found.variant) if unit else None
    values: dict[str, Any] = {"our_unit": found.item.unit, "bound": bound}
    if conversion is not None and number is not None:
        values |= {"our_value": conversion.to(number), "converted": unit != found.item.unit}
    return values


def _our_range(item: Item, whose: Whose) -> dict[str, Any]:
    known = item.range_for(whose.sex, whose.age)
    return {} if known is None else {"our_low": known.low, "our_high": known.high}


def _judge(
    result: Delivered, item: Item | None, number: float | None, arrow: str, bound: str, ours: Mapping[str, Any]
) -> tuple[str, JudgedBy]:
    flag = result.flag or arrow
    if flag:
        return (flag if flag in FLAGS else "abnormal"), "provider_flag"
    if number is not None and (result.low is not None or result.high is not None):
        side = _side(number, bound, result.low, result.high)
        return (side, "provider_range") if side else ("", "")
    low, high, value = ours.get("our_low"), ours.get("our_high"), ours.get("our_value")
    if value is not None and (low is not None or high is not None):
        side = _side(value, bound, low, high)
        return (side, "our_range") if side else ("", "")
    if item is not None and item.form == "words" and ours.get("finding"):
        found = ours["finding"]
        return ("normal" if found in (*item.usual, "normal") else "abnormal"), "our_range"
    return "", ""


def _side(value: float, bound: str, low: float | None, high: float | None) -> str:
    """normal, low or high; blank if the value is only a limit (`<0.5`) that leaves it open."""
    if bound == "<":
        return "low" if low is not None and value <= low else "normal" if high is not None and value <= high else ""
    if bound == ">":
        return "high" if high is not None and value >= high else "normal" if low is not None and value >= low else ""
    return "low" if low is not None and value < low else "high" if high is not None and value > high else "normal"


def count_to_look_at(items: Sequence[Mapping[str, Any]], whose: Whose, codes: Mapping[str, str]) -> int:
    """How many results of a delivered content are to be looked at."""
    return sum(read(delivered(raw), whose, codes).to_look_at for raw in items)
