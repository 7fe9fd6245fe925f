"""Interpreting a delivered result: which item it is, its value in our unit, and whether it is outside the normal range.

What the provider delivered is never changed. Its own flag decides, else its own range; our range, by sex and by age on
the day of the service, is used only if the provider gave neither, a source is known for it, and the result came in the
unit of that source: a laboratory that counts in another one has other ranges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from booking.reports.reading.judge import JudgedBy, judge
from booking.reports.reading.qualities import quality_of
from booking.reports.reading.told import FINDINGS, Delivered, Told, Whose
from booking.reports.reading.vocabulary import Conversion, Found, MappedBy, Range, unit_of, vocabulary

_OLD_RANGE = "参考："
"""Before, a range in words was put into the note behind this."""


@dataclass(frozen=True)
class Reading(Delivered):
    """A delivered result with our interpretation.

    `item` is the vocabulary's code (blank: not in it), found by `mapped_by`: loinc, code or name. `variant` is the way
    it was measured. `our_value` is the value in `our_unit` (UCUM), None if it cannot be converted; `converted` is true
    if the delivered unit is another. `bound` is `<` or `>` if the value is only a limit. `our_low` and `our_high` are
    our normal range in `our_unit`. `judged` is normal, low, high, abnormal or blank (unknown), `judged_by` the source
    of that. `finding` is negative, trace, positive or normal for a result in words, else blank.

    `number` is the value's number, None if it is none, `comparator` `<`, `<=`, `>` or `>=` before it. `low`, `high` and
    `flag` are what the provider's own words and marks say of this person. `critical`: the laboratory's mark asks for a
    doctor at once.
    """

    number: float | None = None
    comparator: str = ""
    critical: bool = False

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
    """One result of a version's stored content.

    In older content a `normal` beside a range can be an adapter's guess where the provider had marked nothing: such a
    result is judged by that range.
    """
    known = {name: raw[name] for name in Delivered.__dataclass_fields__ if name in raw}
    if "mark" not in raw and known.get("flag") == "normal":
        told = raw["note"].partition(_OLD_RANGE)[2] if _OLD_RANGE in raw["note"] else ""
        if told or raw["low"] is not None or raw["high"] is not None:
            known |= {"flag": "", "range_text": told}
    return Delivered(**known)


def read(result: Delivered, whose: Whose, codes: Mapping[str, str]) -> Reading:
    """Interpret one result. `codes` maps the provider's own codes to the vocabulary's."""
    told = Told.of(result, whose)
    unit = result.unit or told.unit
    found = vocabulary().find(
        loinc=result.loinc, code=result.code, name=result.name, section=result.section, unit=unit, codes=codes
    )
    ours: Range | None = None
    values: dict[str, Any] = {"number": told.number, "comparator": told.comparator, "bound": told.comparator[:1]}
    values |= {"finding": told.finding, "critical": told.mark.critical}
    if found is not None:
        values |= {"item": found.item.code, "group": found.item.group}
        values |= {"variant": found.variant, "mapped_by": found.by}
        if found.item.form == "number":
            values |= _in_our_unit(found, unit, told.number)
            ours = found.item.range_for(whose.sex, whose.age)
            values |= {} if ours is None else {"our_low": ours.low, "our_high": ours.high}
            ours = ours if _as_in_its_source(found, unit) else None
    judged, by = judge(told, found.item if found else None, ours)
    if told.mark.critical_outside and judged in ("low", "high"):
        values["critical"] = True
    as_told = replace(result, low=told.low, high=told.high, flag=told.mark.flag)
    return Reading(**vars(as_told), **values, judged=judged, judged_by=by)


def read_all(content: Mapping[str, Any], whose: Whose, codes: Mapping[str, str]) -> list[Reading]:
    """All results of a version's content: critical ones first, then those to look at, then as delivered."""
    results = [read(delivered(raw), whose, codes) for raw in content["items"]]
    return sorted(results, key=lambda result: (not result.critical, not result.to_look_at))


def finding(value: str) -> str:
    """The meaning of a value in words: negative, trace, positive or normal; blank for anything else."""
    quality = quality_of(value)
    return quality if quality in FINDINGS else ""


def _in_our_unit(found: Found, spelling: str, number: float | None) -> dict[str, Any]:
    unit = unit_of(found.item, spelling)
    conversion = found.item.conversion(unit, found.variant) if unit else None
    values: dict[str, Any] = {"our_unit": found.item.unit}
    if conversion is not None and number is not None:
        values |= {"our_value": conversion.to(number), "converted": unit != found.item.unit}
    return values


def _as_in_its_source(found: Found, spelling: str) -> bool:
    """Whether a figure is in the item's unit, perhaps under another name: `10*3/uL` counts as `10*9/L` does."""
    unit = unit_of(found.item, spelling)
    return bool(unit) and found.item.conversion(unit, found.variant) == Conversion(1.0)
