"""What a reference range in words says for a person: the bounds that are hers, or the words that are usual.

Its words are read in range_words.py, bounds of every spelling in bounds.py, whom each range is for in
labelled_ranges.py, and which one is this person's in whose_range.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from booking.reports.reading.bounds import Bounds
from booking.reports.reading.folding import folded
from booking.reports.reading.labelled_ranges import labelled_ranges
from booking.reports.reading.qualities import Quality, quality_of
from booking.reports.reading.statements import statement_of
from booking.reports.reading.units import ucum
from booking.reports.reading.whose_range import aimed_at, by_risk, chosen, either

_COUNT = re.compile(
    r"(?:[x*]\s*)?10\s*[\^~e*]{0,2}\s*(?:3|6|9|12)\s*/\s*(?:ul|l|mm3)\b|(?<![0-9a-z^])(?:cells)?/(?:ul|mm3)\b"
)
_CLEAR = re.compile(
    r"(?:x|\*)?\s*10\s*[\^~e*]{0,2}\s*(?:3|6|9|12)\s*/\s*(?:ul|ml|l|mm3)\b|"
    r"(?:/|个/)(?:\[?hpf?\]?|lpf?|hp视野|高倍视野)|[次个拍]/[a-z分\u4e00-\u9fff]{1,3}|"
    r"\(?(?:the )?99th percentile(?: url)?\)?|\(?第99百分位数?(?:值)?\)?"
)
_FROM_NONE = re.compile(r"0\s*[:=(]?\s*(?:none|no [a-z ]{3,20}|无[\u4e00-\u9fff]{0,6})\)?\s*[;,](?=.*[0-9])")
"""Bands that begin with none at all: `0: none; 1-99: mild; 100-399: moderate`."""
_BANDS_OF_RISK = re.compile(r"\blow\b.*[;,].*\bhigh\b")
_AVERAGE = {"average", "average risk", "中等", "一般", "intermediate"}
_OR = re.compile(r"\s*(?:或者|或|及|和|/|~|,|;|\bor\b|\bto\b|至|(?<=[a-z])-(?=[a-z]))\s*")
_BOUND = re.compile("[<>≤≥0-9]")
_HEAD = re.compile(r"^(?:参考值|参考范围|正常值|ref(?:erence)?(?: range)?)\s*[:：]?\s*")


@dataclass(frozen=True)
class Reference:
    """What a delivered range text says for a person: bounds, or the words that are usual (`words`), or neither: then
    it is shown as delivered and nothing is judged. `either` are bounds of which one is this person's, but nobody knows
    which (smokers, phases of a cycle); a single one is hers only as long as she is as most people are (not pregnant).
    `between` are bounds that a text of several calls neither good nor bad (average). `plain` is the folded text."""

    plain: str = ""
    bounds: Bounds | None = None
    words: frozenset[Quality] = field(default_factory=frozenset)
    either: tuple[Bounds, ...] = ()
    between: tuple[Bounds, ...] = ()


def reference_of(text: str, sex: str, age: int, name: str) -> Reference:
    """What a range text says for a person of that sex and age (years). `name` is the result's: `空腹` applies to a
    result that is called so."""
    plain = folded(text)
    words = _usual_words(plain)
    if words:
        return Reference(plain, None, words)
    if _FROM_NONE.match(plain):
        return Reference(plain, Bounds(None, 0.0))
    plain = _of_a_risk(plain, folded(name))
    ranges = aimed_at(by_risk(labelled_ranges(_CLEAR.sub(" ", plain)), plain), folded(name))
    counts = {ucum(found[0]) for found in _COUNT.finditer(plain)} - {""}
    if len(counts) == 1:
        ranges = [replace(each, bounds=replace(each.bounds, unit=next(iter(counts)))) for each in ranges]
    between = tuple(each.bounds for each in ranges if each.only and set(each.only) <= _AVERAGE)
    hers = chosen(ranges, sex, age, folded(name))
    return Reference(plain, hers, either=() if hers else either(ranges, sex, age), between=between)


def _usual_words(plain: str) -> frozenset[Quality]:
    """The qualities that are usual by a text like `阴性或弱阳性`; empty if it is anything else."""
    bare = _HEAD.sub("", plain)
    whole = quality_of(bare) or ("negative" if statement_of(bare) == "negative" and not _BOUND.search(bare) else "")
    if whole:
        return frozenset((whole,))
    if re.search("[0-9]", bare):
        return frozenset()
    found = [quality_of(part) for part in _OR.split(bare)] if len(bare) <= 40 else []
    return frozenset(found) if len(found) > 1 and all(found) else frozenset()


def _of_a_risk(plain: str, name: str) -> str:
    """The bands of a risk with its low one as the good one, and the intermediate one as none that is."""
    if not re.search("risk|风险", name) or not _BANDS_OF_RISK.search(plain):
        return plain
    return re.sub(r"\bintermediate\b", "borderline", re.sub(r"\blow\b(?! ?-?risk)", "low risk", plain))
