"""Interpreting a delivered result: which item it is, its value in our unit, and whether it is outside the normal range.

What the provider delivered is never changed. Its own flag decides, else its own range; our range, by sex and by age on
the day of the service, is used only if the provider gave neither, a source is known for it, and the result came in the
unit of that source: a laboratory that counts in another one has other ranges.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from booking.reports.reading.appearance import look_of
from booking.reports.reading.figures import Figure
from booking.reports.reading.folding import folded
from booking.reports.reading.grades import as_figures
from booking.reports.reading.marks import NOTHING, Mark, mark_of
from booking.reports.reading.qualities import Quality, quality_of
from booking.reports.reading.ranges import Bounds, Reference, reference_of
from booking.reports.reading.titres import as_numbers
from booking.reports.reading.units import ucum
from booking.reports.reading.values import Value, value_of
from booking.reports.reading.vocabulary import Conversion, Found, Item, MappedBy, Range, unit_of, vocabulary
from marketplace.catalog.benefit_kind import age_on

JudgedBy = Literal["provider_flag", "provider_range", "provider_words", "our_range", ""]

FLAGS = ("normal", "low", "high", "abnormal")

_OLD_RANGE = "参考："
"""Before, a range in words was put into the note behind this."""
_NOT_JUDGED_ALONE = re.compile(
    "抗体|血型|疫苗|妊娠|怀孕|孕|hcg|乳酸杆菌|精子|antibod|(?<![a-z])(?:igg|igm|ab|rh|abo)(?![a-z])"
    "|hb[sec] ?ab|anti-hb[sec]|blood (?:group|type)|immun|pregnan|lactobac|flora|sperm|vaccin",
    re.I,
)
"""Of these, a positive result isn't bad news by itself, nor a negative one good news …"""
_UNWANTED = re.compile(
    "丙肝|丙型肝炎|hcv|hepatitis c|hiv|艾滋|人类免疫缺陷|梅毒|syphilis|treponema|tppa|trust|rpr|戊肝.*igm|甲肝.*igm",
    re.I,
)
"""… but for antibodies against these, which nobody should have."""

_PROTECTS = re.compile(
    "乙肝表面抗体|乙型肝炎(?:病毒)?表面抗体|hbs ?ab|anti-hbs|hepatitis b surface antibod"
    "|(?:风疹|麻疹|水痘|腮腺炎|rubella|measles|varicella|mumps).*(?:igg|抗体|antibod)",
    re.I,
)
"""Antibodies that a vaccine gives: more than the cut-off is not bad news."""


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
    """One result as the provider delivered it. `flag`: normal, low, high, abnormal or blank; `code` is the provider's
    own code for the item. `range_text` is a range in words and `mark` the laboratory's mark, as delivered; older
    content has neither."""

    name: str
    value: str
    loinc: str
    unit: str
    low: float | None
    high: float | None
    flag: str
    section: str
    note: str
    code: str = ""
    range_text: str = ""
    mark: str = ""


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
    told = _Told.of(result, whose)
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
    judged, by = _judge(told, found.item if found else None, ours)
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
    return quality if quality in _FINDINGS else ""


_FINDINGS = ("negative", "trace", "positive", "normal")


@dataclass(frozen=True)
class _Told:
    """What the provider's own words say of a result: value, mark and reference."""

    name: str
    look: str
    value: Value
    mark: Mark
    reference: Reference
    unit: str
    number: float | None
    span: tuple[float, float] | None

    @classmethod
    def of(cls, result: Delivered, whose: Whose) -> _Told:
        written, range_text = as_numbers(result.name, result.value, result.range_text)
        written, range_text = as_figures(written, range_text)
        value = value_of(written, result.unit)
        reference = reference_of(range_text, whose.sex, whose.age, result.name)
        if result.low is not None or result.high is not None:
            reference = replace(reference, bounds=Bounds(result.low, result.high), words=frozenset())
        value = _as_expected(written, value, reference)
        figure = value.figure
        if figure is not None and figure.unsure and not _thousands(figure, reference.bounds, range_text):
            figure = None  # `1,234`: without a range that tells nobody knows
        return cls(
            result.name,
            look_of(result.name, result.value, result.range_text),
            value,
            _together(mark_of(result.mark or result.flag), value.mark),
            reference,
            result.unit or (figure.unit if figure else ""),
            figure.number if figure is not None and figure.to is None else None,
            (figure.number, figure.to) if figure is not None and figure.to is not None else None,
        )

    @property
    def comparator(self) -> str:
        figure = self.value.figure
        return figure.comparator if figure is not None and self.number is not None else ""

    @property
    def finding(self) -> str:
        return self.value.quality if self.value.quality in _FINDINGS else ""

    @property
    def low(self) -> float | None:
        return self.reference.bounds.low if self.reference.bounds is not None else None

    @property
    def high(self) -> float | None:
        return self.reference.bounds.high if self.reference.bounds is not None else None

    @property
    def open_question(self) -> bool:
        """Whether positive is not bad by itself, nor negative good: an antibody that protects, a blood group."""
        return bool(_NOT_JUDGED_ALONE.search(self.name)) and not _UNWANTED.search(self.name)

    @property
    def says_reference(self) -> bool:
        """Whether the provider gave a reference, readable or not: then ours is not used."""
        return bool(self.reference.plain) or self.reference.bounds is not None


_LARGE = 100


def _thousands(figure: Figure, bounds: Bounds | None, range_text: str) -> bool:
    """Whether the comma of `1,234` can't be a decimal one: its range is written so too; is in whole hundreds, where
    nobody counts thousandths; or is written without any comma and the other reading would lie outside it as well."""
    if bounds is None or bounds.unsure:
        return bounds is not None
    if re.fullmatch("[^.,]*", folded(range_text)) and max(abs(bounds.low or 0), abs(bounds.high or 0)) >= _LARGE:
        return True
    decimal = replace(figure, number=figure.number / 1000, to=None)
    outside = _side(decimal.number, decimal.comparator, bounds) in ("low", "high")
    return outside and figure.to is None and "," not in folded(range_text)


def _as_expected(text: str, value: Value, reference: Reference) -> Value:
    """A value that can be read in two ways, in the way its reference expects: `+1` is a grade beside words and a number
    beside bounds, `N` is negative beside words, and `-` is no result where a number is expected."""
    grade = quality_of(text)
    if value.figure is not None and grade:
        return replace(value, figure=None) if reference.bounds is None else replace(value, quality="")
    if reference.words and not value.quality and value.figure is None:
        return replace(value, quality=_LETTERS.get(folded(text), ""))
    if grade == "negative" and folded(text) == "-" and reference.bounds is not None:
        return replace(value, quality="", void=True)
    return value


_LETTERS: dict[str, Quality] = {"n": "negative", "p": "positive"}


def _together(mark: Mark, beside: Mark) -> Mark:
    """The provider's mark and the one it wrote beside the value."""
    if beside == NOTHING:
        return mark
    if mark.flag in ("", "abnormal") and beside.flag:
        return replace(beside, critical=mark.critical or beside.critical, doubtful=mark.doubtful)
    return replace(mark, critical=mark.critical or beside.critical)


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


def _judge(told: _Told, item: Item | None, ours: Range | None) -> tuple[str, JudgedBy]:
    """normal, low, high, abnormal or blank, and what says so.

    The provider's mark decides, else its range or words, else ours if it gave none. A mark that the provider's own
    range or words contradict is left unjudged, and so is a result that it marked in a way that we can't read.
    """
    if told.mark.doubtful:
        return "", ""
    judged, by = _by_their_reference(told)
    if item is not None and item.usual and told.finding and not told.says_reference:
        judged, by = ("normal" if told.finding in (*item.usual, "normal") else "abnormal"), "our_range"
    if told.mark.flag and not (told.mark.finding and told.open_question):
        outside = told.reference.bounds is not None and _by_bounds(told, told.reference.bounds) in ("low", "high")
        contradicted = told.mark.flag == "normal" and (outside or (judged not in ("", "normal") and by != "our_range"))
        if contradicted or _on_the_other_side(told):
            return "", ""
        side = judged if told.mark.flag == "abnormal" and by == "provider_range" and judged in ("low", "high") else ""
        return side or told.mark.flag, "provider_flag"
    if told.mark.unknown and judged in ("", "normal"):
        return "", ""
    if judged or told.says_reference or told.value.void:
        return judged, by
    return _by_ours(told, ours)


def _on_the_other_side(told: _Told) -> bool:
    """Whether a mark for high stands at a value in the lower half of the range, or below it; or the reverse."""
    bounds = told.reference.bounds
    if told.mark.flag not in ("low", "high") or told.number is None or told.comparator or bounds is None:
        return False
    if bounds.low is None or bounds.high is None or not _by_bounds(told, bounds):
        return False
    middle = (bounds.low + bounds.high) / 2
    return told.number > middle if told.mark.flag == "low" else told.number < middle


def _by_their_reference(told: _Told) -> tuple[str, JudgedBy]:
    """By the provider's range or by the words it calls usual."""
    quality, usual = told.value.quality, told.reference.words
    if told.value.void or quality == "doubtful":
        return "", ""
    worded = told.look or _by_words(told)
    if told.reference.bounds is None and told.reference.either and not worded:
        return _by_either(told)
    if told.reference.bounds is None:
        return (worded, "provider_words") if worded else ("", "")
    side = _by_bounds(told, told.reference.bounds)
    if side == "high" and not told.reference.bounds.low and _PROTECTS.search(told.name):
        return ("normal", "provider_words") if quality == "positive" else ("", "")
    if not quality or usual:
        return (side, "provider_range") if side else ("", "")
    agree = not side or not worded or (side == "normal") == (worded == "normal")
    return (worded, "provider_words") if worded and agree else ("", "")


def _by_either(told: _Told) -> tuple[str, JudgedBy]:
    """By several ranges of which one is this person's: what all of them say."""
    sides = {_by_bounds(told, bounds) for bounds in told.reference.either}
    if len(sides) > 1 or "" in sides or (len(told.reference.either) == 1 and sides != {"normal"}):
        return "", ""
    return sides.pop(), "provider_range"


def _by_words(told: _Told) -> str:
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


def _by_words_alone(told: _Told) -> str:
    """What a word says without any that are usual: with a bare cut-off (`<1.0`) or with nothing beside it."""
    quality, bounds = told.value.quality, told.reference.bounds
    if quality in ("normal", "abnormal"):
        return "" if quality == "abnormal" and told.open_question else quality
    if quality not in ("negative", "positive", "trace") or (told.reference.plain and bounds is None):
        return ""
    if bounds is None:
        return "" if told.open_question or quality == "trace" else _GOOD_OR_BAD[quality]
    cut_off = bounds.high is not None and not bounds.low
    return _GOOD_OR_BAD[quality] if cut_off and quality != "trace" else ""


_GOOD_OR_BAD = {"negative": "normal", "positive": "abnormal"}


def _by_bounds(told: _Told, bounds: Bounds) -> str:
    if told.span is not None:
        low, high = _side(told.span[0], "", bounds), _side(told.span[1], "", bounds)
        return low if low == high else ""
    if told.number is None or not _same_unit(told, bounds):
        return ""
    if any(_side(told.number, told.comparator, each) == "normal" for each in told.reference.between):
        return ""
    figure = told.value.figure
    if bounds.unsure and not (figure is not None and figure.unsure) and abs(told.number) < 1000:
        return ""
    return _side(told.number, told.comparator, bounds)


def _same_unit(told: _Told, bounds: Bounds) -> bool:
    """False if value and range are known to be in different units, or one may be a share and the other percent."""
    beside = told.value.figure.unit if told.value.figure is not None else ""
    known = {ucum(unit) for unit in (told.unit, beside, bounds.unit) if ucum(unit)}
    if len(known) > 1:
        return False
    share = bounds.high is not None and bounds.high <= 1 and not bounds.unit
    return not (beside == "%" and share and not told.unit.strip("%"))


def _side(value: float, comparator: str, bounds: Bounds) -> str:
    """normal, low or high; blank if the value is only a limit (`<0.5`) that leaves it open, or is the bound itself of a
    range that excludes it."""
    low, high = bounds.low, bounds.high
    if comparator.startswith("<"):
        if low is not None and (value < low or (value == low and comparator == "<")):
            return "low"
        return "normal" if high is not None and value <= high and (low is None or low <= 0) else ""
    if comparator.startswith(">"):
        if high is not None and (value > high or (value == high and comparator == ">")):
            return "high"
        return "normal" if high is None and low is not None and value >= low else ""
    if low is not None and value < low:
        return "low"
    if high is not None and value > high:
        return "high"
    return "" if (value == low and bounds.low_open) or (value == high and bounds.high_open) else "normal"


def _by_ours(told: _Told, ours: Range | None) -> tuple[str, JudgedBy]:
    """By our range, if a source is known for it. Any does for a value beyond both it and the instrument."""
    if ours is None or told.number is None:
        return "", ""
    side = _side(told.number, told.comparator, Bounds(ours.low, ours.high, low_open=ours.open, high_open=ours.open))
    if not ours.source and (not side or side != told.mark.beyond):
        return "", ""
    sure = {"low": ours.low_for_sure, "high": ours.high_for_sure}.get(side)
    if side and sure is not None:
        side = _side(told.number, told.comparator, Bounds(*((sure, None) if side == "low" else (None, sure))))
        side = side if side in ("low", "high") else ""
    return (side, "our_range") if side else ("", "")
