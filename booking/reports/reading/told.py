"""What a provider told of one result, in its own words: value, mark and reference."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date

from booking.reports.reading.appearance import look_of
from booking.reports.reading.bounds import Bounds
from booking.reports.reading.figures import Figure
from booking.reports.reading.folding import folded
from booking.reports.reading.grades import grade_of
from booking.reports.reading.marks import NOTHING, Mark, mark_of
from booking.reports.reading.pairs import pair_of
from booking.reports.reading.qualities import Quality, only_there_or_not, quality_of
from booking.reports.reading.ranges import Reference, reference_of
from booking.reports.reading.risks import risk_of
from booking.reports.reading.statements import SOUGHT, statement_of
from booking.reports.reading.titres import as_numbers
from booking.reports.reading.values import Value, value_of, without_label
from marketplace.catalog.benefit_kind import age_on

_NOT_JUDGED_ALONE = re.compile(
    "抗体|血型|疫苗|妊娠|怀孕|孕|hcg|乳酸杆菌|精子|antibod|(?<![a-z])(?:igg|igm|ab|rh|abo)(?![a-z])"
    "|hb[sec] ?ab|anti-hb[sec]|blood (?:group|type)|immun|pregnan|lactobac|flora|sperm|vaccin"
    "|乳杆菌|胎|卵泡|fetal|foetal|embryo|heartbeat|reflex|反射|follicle",
    re.I,
)
"""Of these, a positive result isn't bad news by itself, nor a negative one good news …"""
_OF_THE_PAST = re.compile("史$|史[(:]|病史|主诉|问诊|用药|histor(?:y|ies)|medications?|complaint")
"""What the person told: an illness there was once, or that a relative has, is no finding of this check."""
_UNWANTED = re.compile(
    "丙肝|丙型肝炎|hcv|hepatitis c|hiv|艾滋|人类免疫缺陷|梅毒|syphilis|treponema|tppa|trust|rpr|戊肝.*igm|甲肝.*igm",
    re.I,
)
"""… but for antibodies against these, which nobody should have."""


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


FINDINGS = ("negative", "trace", "positive", "normal")


@dataclass(frozen=True)
class Told:
    """What the provider's own words say of a result: value, mark and reference."""

    name: str
    look: str
    look_by_number: bool
    value: Value
    there_or_not: bool
    mark: Mark
    reference: Reference
    unit: str
    number: float | None
    span: tuple[float, float] | None

    @classmethod
    def of(cls, result: Delivered, whose: Whose) -> Told:
        written, range_text = as_numbers(result.name, without_label(result.name, result.value), result.range_text)
        written, range_text = _to_one(written, range_text)
        value = value_of(written, result.unit)
        if _OF_THE_PAST.search(folded(result.name)) and not range_text.strip():
            value = replace(value, quality="")
        reference = reference_of(range_text, whose.sex, whose.age, result.name)
        if result.low is not None or result.high is not None:
            reference = replace(reference, bounds=Bounds(result.low, result.high), words=frozenset())
        pair, grade = pair_of(result.name, written, range_text), grade_of(result.name, written, range_text)
        if pair or grade:
            reference = replace(reference, bounds=None)
        elif _NOTHING.fullmatch(reference.plain) and _NONE_EXPECTED.search(folded(result.name)):
            reference = replace(reference, bounds=Bounds(None, 0.0))
        value = _as_stated(written, _as_expected(written, value, reference, result.unit), reference, result.name)
        figure = value.figure
        if figure is not None and figure.unsure and not _thousands(figure, reference.bounds, range_text):
            figure = None  # `1,234`: without a range that tells nobody knows
        risk, by_number = risk_of(result.name, written, range_text)
        return cls(
            result.name,
            pair or risk or grade or look_of(result.name, result.value, result.range_text),
            bool(pair) or by_number,
            value,
            only_there_or_not(written),
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
        return self.value.quality if self.value.quality in FINDINGS else ""

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
    def sought(self) -> bool:
        """Whether it is something that a laboratory looks for and that nobody should have."""
        return bool(SOUGHT.search(folded(self.name)))

    @property
    def says_reference(self) -> bool:
        """Whether the provider gave a reference, readable or not: then ours is not used."""
        return bool(self.reference.plain) or self.reference.bounds is not None


_NOTHING = re.compile("0(?:\\.0+)? ?%?")
_NONE_EXPECTED = re.compile(
    "原始|幼稚|早幼粒|blast|promyelocyt|有核红|nucleated red|nrbc|疟|malaria|parasit|钙化积分|calcium score|agatston"
)
"""A bare `0` as a range is an empty field, but for cells and germs of which nobody has any."""
_RATIO = re.compile(r"[0-9.]+\s*:\s*1(?![0-9.])")


def _to_one(value: str, reference: str) -> tuple[str, str]:
    """Value and reference without the `:1` that both end with: `1.5:1` against `1.2-2.4:1`."""
    if not _RATIO.fullmatch(folded(value)) or not _RATIO.search(folded(reference)):
        return value, reference
    return tuple(re.sub(r"\s*:\s*1(?![0-9.])", "", folded(text)) for text in (value, reference))  # type: ignore[return-value]


_LARGE = 100


def _thousands(figure: Figure, bounds: Bounds | None, range_text: str) -> bool:
    """Whether the comma of `1,234` can't be a decimal one: its range is written so too; is in whole hundreds, where
    nobody counts thousandths; or is written without any comma and the other reading would lie outside it as well."""
    if bounds is None or bounds.unsure:
        return bounds is not None
    if re.fullmatch("[^.,]*", folded(range_text)) and max(abs(bounds.low or 0), abs(bounds.high or 0)) >= _LARGE:
        return True
    decimal = replace(figure, number=figure.number / 1000, to=None)
    outside = side(decimal.number, decimal.comparator, bounds) in ("low", "high")
    return outside and figure.to is None and "," not in folded(range_text)


def _as_stated(text: str, value: Value, reference: Reference, name: str) -> Value:
    """A value that states something of a subject (`16型阳性`), beside words that are usual or beside nothing at all."""
    if value.quality or value.figure is not None or value.void or (reference.plain and not reference.words):
        return value
    said = statement_of(text)
    if not reference.words and not SOUGHT.search(f"{folded(name)} {folded(text)}"):
        return value
    return replace(value, quality=said) if said else value


_PER_FIELD = re.compile("(?:个|cells?)?/\\[?(?:hpf?|lpf?)]?(?:视野)?")


def _counted(figure: Figure, unit: str) -> Quality:
    """What a count in a field of view says where none is usual."""
    if figure.number == 0 and figure.to is None and not figure.comparator:
        return "negative"
    if not _PER_FIELD.fullmatch(figure.unit or folded(unit)) or figure.comparator.startswith("<"):
        return ""
    return "positive" if figure.number > 0 else ""


def _as_expected(text: str, value: Value, reference: Reference, unit: str) -> Value:
    """A value that can be read in two ways, in the way its reference expects: `+1` is a grade beside words and a number
    beside bounds, `N` is negative beside words, and `-` is no result where a number is expected."""
    grade = quality_of(text)
    if reference.words and value.figure is not None and (signed := re.match(r"(\+{1,4})\s", folded(text))):
        return replace(value, quality=quality_of(signed[1]))
    if value.figure is not None and not value.quality and reference.words == {"negative"}:
        return replace(value, quality=_counted(value.figure, unit))
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


def side(value: float, comparator: str, bounds: Bounds) -> str:
    """normal, low or high; blank if the value is only a limit (`<0.5`) that leaves it open. A bound itself is outside a
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
    if value == low and bounds.low_open:
        return "low"
    return "high" if value == high and bounds.high_open else "normal"
