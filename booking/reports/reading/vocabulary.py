"""The vocabulary of result items: names, unit, normal range and meaning of each.

`data/report-items.json` holds it. LOINC codes are Regenstrief's (loinc.org). A range whose source is named there (a
health standard or guideline, for adults) judges a result in its unit if the provider delivered no range. Those without
a source are what laboratories usually print: they are shown, and judge nothing. None is medical advice.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from booking.reports.reading.units import ucum
from marketplace.core.config import ROOT
from marketplace.core.once import once
from marketplace.core.text import Text

FILE = ROOT / "data" / "report-items.json"

Form = Literal["number", "words", "text"]
MappedBy = Literal["loinc", "code", "name"]


class Range(NamedTuple):
    """A normal range in the item's unit for a sex (`any`, male, female) from an age to below another, in years.

    `source` is the code of its source, blank for what laboratories usually print. `open`: its bounds are outside of it
    (`<5.2`). Between a bound and `low_for_sure` or `high_for_sure` methods or guidelines differ: nobody can tell.
    """

    sex: str
    from_age: int
    to_age: int | None
    low: float | None
    high: float | None
    source: str = ""
    open: bool = False
    low_for_sure: float | None = None
    high_for_sure: float | None = None

    def suits(self, sex: str, age: int) -> bool:
        """Whether it applies to a person of that sex and age (years)."""
        return self.sex in ("any", sex) and self.from_age <= age and (self.to_age is None or age < self.to_age)


class Conversion(NamedTuple):
    """value in the item's unit = value × times + plus."""

    times: float
    plus: float = 0.0

    def to(self, value: float) -> float:
        """From the other unit to the item's."""
        return value * self.times + self.plus

    def back(self, value: float) -> float:
        """From the item's unit to the other one."""
        return (value - self.plus) / self.times


@dataclass(frozen=True)
class Variant:
    """A way of measuring or expressing an item. Results of a variant that is `apart` compare only with each other."""

    code: str
    name: Text
    loinc: tuple[str, ...]
    aliases: tuple[str, ...]
    apart: bool
    units: Mapping[str, Conversion]


@dataclass(frozen=True)
class Item:
    """One item. `form`: number (in `unit`, UCUM, shown with `digits` decimals), words (negative, trace …; `usual` are
    the normal ones) or text. `packages` are the codes of the package parts that include it. `meaning` says what it
    measures; `high` and `low` what a value outside the range can mean, None if nothing is said. `by_unit` maps what a
    delivered unit can hold (`FEU`) to the item that the result is then."""

    code: str
    group: str
    name: Text
    form: Form
    loinc: tuple[str, ...]
    aliases: tuple[str, ...]
    unit: str
    digits: int
    units: Mapping[str, Conversion]
    specimen: str
    variants: tuple[Variant, ...]
    ranges: tuple[Range, ...]
    usual: tuple[str, ...]
    packages: tuple[str, ...]
    meaning: Text
    high: Text | None
    low: Text | None
    by_unit: Mapping[str, str]

    def variant(self, code: str) -> Variant | None:
        """The variant of that code."""
        return next((variant for variant in self.variants if variant.code == code), None)

    def conversion(self, unit: str, variant: str = "") -> Conversion | None:
        """The conversion from `unit` (UCUM) to the item's unit, None if there is none."""
        known = self.variant(variant)
        if known is not None and unit in known.units:
            return known.units[unit]
        return Conversion(1.0) if unit == self.unit else self.units.get(unit)

    def range_for(self, sex: str, age: int) -> Range | None:
        """The normal range for a person of that sex and age (years), None if there is none."""
        return next((known for known in self.ranges if known.suits(sex, age)), None)


class Found(NamedTuple):
    """The item of a delivered result, the variant's code (blank: none), and how it was found."""

    item: Item
    variant: str
    by: MappedBy


class Vocabulary:
    """All items, by code, LOINC code and folded name."""

    def __init__(self, groups: Mapping[str, Text], items: Sequence[Item]) -> None:
        self.groups = groups
        self.items = {item.code: item for item in items}
        self._loinc: dict[str, tuple[Item, str]] = {}
        self._names: dict[tuple[str, str], tuple[Item, str]] = {}
        for item in items:
            for code, variant in _with_variants(item, "loinc"):
                self._loinc[code] = (item, variant)
            for name, variant in _with_variants(item, "aliases"):
                self._names[(item.specimen, fold(name))] = (item, variant)

    def find(
        self,
        *,
        loinc: str = "",
        code: str = "",
        name: str = "",
        section: str = "",
        unit: str = "",
        codes: Mapping[str, str] = {},
    ) -> Found | None:
        """The item of a delivered result: by LOINC, else by the provider's own `code` (`codes` maps those to ours),
        else by name; None if it is not in the vocabulary. Its `unit` decides where one substance is two items."""
        found = self._named(loinc, code, name, section, codes)
        if found is None:
            return None
        told = f"{unit} {name}".upper()
        other = next((item for part, item in found.item.by_unit.items() if part in told), None)
        return found if other is None else Found(self.items[other], "", found.by)

    def _named(self, loinc: str, code: str, name: str, section: str, codes: Mapping[str, str]) -> Found | None:
        if loinc in self._loinc:
            item, variant = self._loinc[loinc]
            return Found(item, variant or self._variant_of(item, name), "loinc")
        if code and (known := self.items.get(codes.get(code, ""))) is not None:
            return Found(known, self._variant_of(known, name), "code")
        for folded in spellings(name):
            for specimen, prefix in _scopes(section, name):
                hit = self._names.get((specimen, prefix + folded)) or self._names.get((specimen, folded))
                if hit is not None:
                    return Found(*hit, "name")
        return None

    @staticmethod
    def _variant_of(item: Item, name: str) -> str:
        folded = spellings(name)
        for variant in item.variants:
            if any(fold(alias) in folded for alias in variant.aliases):
                return variant.code
        return ""


_SPECIMENS = (
    (re.compile(r"^尿|尿常规|尿液|尿沉渣|urin", re.I), "urine", "尿"),
    (re.compile(r"[便粪]|stool", re.I), "stool", "便"),
)
_NOT_URINE = re.compile(r"尿素|尿酸")


def _scopes(section: str, name: str) -> Iterator[tuple[str, str]]:
    """Where to look a name up: in a urine section `葡萄糖` is the urine's. A name that says its specimen needs none."""
    for pattern, specimen, prefix in _SPECIMENS:
        if pattern.search(_NOT_URINE.sub("", section)):
            yield specimen, prefix
            return
    yield "blood", ""
    if name.strip().startswith(("尿", "便", "粪", "大便")) or re.search("urin|stool|feca", name, re.I):
        yield "urine", ""
        yield "stool", ""


LONGEST_NAME = 120
"""No item has a longer name; a longer one is shown as delivered."""
_MARKS = re.compile(r"^[*★☆▲△◆◇●○#•\s]+|[*★☆▲△↑↓\s]+$")
_ENDINGS = re.compile(r"(测定|检测|检查|定量|定性|试验)$")
_ABBREVIATED = re.compile(r"^([\u3400-\u9fff].*?)\s+[A-Za-z][\w.-]*$")
_BRACKETS = re.compile(r"[(（\[【]([^()（）\[\]【】]*)[)）\]】]")


def fold(name: str) -> str:
    """One spelling of the same name: without blanks, hyphens and brackets, in small letters and plain figures."""
    plain = unicodedata.normalize("NFKC", name).casefold().replace("γ", "r").replace("ɣ", "r").replace("ɑ", "a")
    return re.sub(r"[\s\-‐-―_()\[\]【】·.、,:：'’/+]", "", plain.replace("α", "a").replace("β", "b"))


def spellings(name: str) -> list[str]:
    """The folded names under which a delivered name is looked up: as delivered, without its bracket, what the bracket
    holds, without an abbreviation after a blank, and each without `测定` and its like at the end."""
    bare = _MARKS.sub("", name[:LONGEST_NAME])
    inside = _BRACKETS.findall(bare)
    outside = _BRACKETS.sub("", bare)
    tried: list[str] = []
    han_alone = _ABBREVIATED.sub(r"\1", outside)
    for text in (bare, outside, *inside, han_alone):
        for folded in (fold(text), _ENDINGS.sub("", fold(text))):
            if folded and folded not in tried:
                tried.append(folded)
    return tried


def _with_variants(item: Item, part: Literal["loinc", "aliases"]) -> Iterator[tuple[str, str]]:
    if part == "aliases":
        yield item.name.zh, ""
        yield item.name.en, ""
    for own in getattr(item, part):
        yield own, ""
    for variant in item.variants:
        for own in getattr(variant, part):
            yield own, variant.code


@once
def vocabulary() -> Vocabulary:
    """The project's vocabulary, read once."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    groups = {group["code"]: Text.of(group) for group in document["groups"]}
    return Vocabulary(groups, [_item(entry) for entry in document["items"]])


def _item(entry: Mapping[str, Any]) -> Item:
    return Item(
        code=entry["code"],
        group=entry["group"],
        name=Text.of(entry),
        form=entry["form"],
        loinc=tuple(entry["loinc"]),
        aliases=tuple(entry["aliases"]),
        unit=entry.get("unit", ""),
        digits=entry.get("digits", 0),
        units=_units(entry.get("units", {})),
        specimen=entry.get("specimen", "blood"),
        variants=tuple(_variant(variant) for variant in entry.get("variants", ())),
        ranges=tuple(map(_range, entry.get("ranges", ()))),
        usual=tuple(entry.get("usual", ())),
        packages=tuple(entry["packages"]),
        meaning=_words(entry["tells"]) or Text("", ""),
        high=_words(entry.get("high")),
        low=_words(entry.get("low")),
        by_unit=entry.get("by_unit", {}),
    )


def _range(entry: Mapping[str, Any]) -> Range:
    return Range(
        entry["sex"],
        entry["from"],
        entry["to"],
        entry["low"],
        entry["high"],
        entry.get("source", ""),
        entry.get("open", False),
        entry.get("low_for_sure"),
        entry.get("high_for_sure"),
    )


def _variant(entry: Mapping[str, Any]) -> Variant:
    return Variant(
        entry["code"],
        Text.of(entry),
        tuple(entry["loinc"]),
        tuple(entry["aliases"]),
        bool(entry.get("apart", False)),
        _units(entry.get("units", {})),
    )


def _units(entry: Mapping[str, Any]) -> dict[str, Conversion]:
    return {unit: Conversion(*(how if isinstance(how, list) else (how,))) for unit, how in entry.items()}


def _words(entry: Mapping[str, str] | None) -> Text | None:
    return None if entry is None else Text.of(entry)


def unit_of(item: Item, delivered: str) -> str:
    """The UCUM unit of a delivered spelling for that item; an item that is a mere ratio needs none."""
    if not delivered.strip() and item.unit in ("1", "[pH]"):
        return item.unit
    return ucum(delivered)
