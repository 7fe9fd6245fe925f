"""Fever of a baby: ages and temperatures in figures or in words, and the limits of the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from booking.consultation.red_flags.occurrences import Occurrence
from booking.consultation.red_flags.reading import SOFT, Reading
from booking.consultation.red_flags.rulebook import FeverLimit

WEEKS, DAYS = 4.345, 30.44
"""In a month."""
NEAR = 4
"""How many units may stand between a baby and its age, or between a fever and its figure."""

Found = Mapping[str, list[Occurrence]]


def fever_at(
    reading: Reading,
    found: Found,
    numerals: Mapping[str, int],
    limits: tuple[FeverLimit, ...],
    age_months: int | None,
) -> Occurrence | None:
    """Where a baby's dangerous fever stands, None if there is none. `found`: what isn't denied, past or supposed.

    The age is the text's, or `age_months`; a dangerous fever for either counts."""
    numbers = list(_numbers(reading, numerals))
    ages = [*_ages(reading, numbers, found)]
    if age_months is not None:
        ages.append(float(age_months))
    if not ages:
        return None
    age = min(ages)
    temperatures = list(_temperatures(reading, numbers, found))
    for limit in limits:
        if age >= limit.below_months:
            continue
        hot = [place for place, celsius in temperatures if celsius >= limit.celsius]
        hot += found.get("fever" if limit.any_fever else "high_fever", [])
        if hot:
            return min(hot)
    return None


def _numbers(reading: Reading, numerals: Mapping[str, int]) -> Iterator[tuple[Occurrence, float]]:
    """Numbers in digits (`39.5`), numerals (`三十九点五`, `两`, `six`)."""
    place, units = 0, reading.units
    while place < len(units):
        end = place + 1
        if units[place][:1].isdigit():
            yield Occurrence(place, end), _value(units[place])
        elif units[place] in numerals:
            while end < len(units) and _goes_on(reading, end, numerals) and end - place < 6:
                end += 1
            yield Occurrence(place, end), _said([numerals[unit] for unit in units[place:end]])
        place = end


def _goes_on(reading: Reading, place: int, numerals: Mapping[str, int]) -> bool:
    """Whether a numeral goes on; `两` always begins one: `老二两个月`."""
    return reading.units[place] in numerals and reading.units[place] != "两" and reading.breaks[place] < SOFT


def _value(digits: str) -> float:
    """The number, 0 for what is none after all (`²`, numbers of other scripts that float can't read)."""
    try:
        return float(digits[:8])
    except ValueError:
        return 0.0


def _said(parts: list[int]) -> float:
    """`三 十 九` is 39, `三 九` too."""
    total = last = 0
    for part in parts:
        if part in (10, 100):
            total, last = total + (last or 1) * part, 0
        else:
            last = last * 10 + part
    return float(total + last)


def _ages(reading: Reading, numbers: list[tuple[Occurrence, float]], found: Found) -> Iterator[float]:
    """Ages of a baby in months."""
    if found.get("newborn"):
        yield 0.0
    if found.get("first_month"):
        yield 1.0
    babies = {occurrence.end for occurrence in found.get("baby", ())}
    barely = {place for start, end in found.get("barely", ()) for place in range(start, end)}
    suffixes = {occurrence.start for occurrence in found.get("age_suffix", ())}
    for name, months in (("months", 1.0), ("weeks", 1 / WEEKS), ("days", 1 / DAYS)):
        ends = dict(reversed(found.get(name, [])))
        for (start, end), value in numbers:
            unit_end = ends.get(end)
            if unit_end is None:
                continue
            before = start
            while before > 0 and start - before < NEAR and before not in babies and before - 1 in barely:
                before -= 1
            if unit_end in suffixes or before in babies or (babies and before < start):
                yield value * months


def _temperatures(
    reading: Reading, numbers: list[tuple[Occurrence, float]], found: Found
) -> Iterator[tuple[Occurrence, float]]:
    """Temperatures in Celsius. A figure counts beside a degree, behind a word for fever, or with its decimal."""
    degrees = {occurrence.start: occurrence.end for occurrence in found.get("degrees", ())}
    counted = {occurrence.start for name in ("months", "weeks", "days", "hours") for occurrence in found.get(name, ())}
    warm = {
        place for name in ("fever", "temperature") for _, end in found.get(name, ()) for place in range(end, end + NEAR)
    }
    values = {place.start: number for place, number in numbers}
    for (start, end), value in numbers:
        exact = reading.units[start].partition(".")[2] != "" and 37 <= value < 43
        if not (end in degrees or start in warm or exact) or end in counted:
            continue
        after = degrees.get(end, end)
        tenths = values.get(after, 0.0) if end in degrees else 0.0
        if 34 <= value <= 43:
            yield Occurrence(start, end), value + (tenths / 10 if value == int(value) and tenths < 10 else 0)
        elif 93 <= value <= 110:
            yield Occurrence(start, end), (value - 32) / 1.8
        elif 340 <= value <= 430:
            yield Occurrence(start, end), value / 10
