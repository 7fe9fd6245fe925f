"""The rule of coverage once more, in plain Python and from the other end: part by part instead of line by line.

It shares no code with the product's: what the two find must be equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Place:
    """A site as the rule sees it."""

    id: int
    province: str
    city: str
    district: str
    tier: str | None


@dataclass(frozen=True)
class Line:
    """A line in the order in which it was written."""

    kind: str
    province: str
    city: str
    counts_from: date
    level: str | None
    district: str | None = None
    tier: str | None = None
    site: int | None = None
    insurer: int | None = None


def level(lines: Iterable[Line], place: Place, kind: str, day: date, insurer: int | None) -> str:
    """What holds for a place: each part that it belongs to is asked in turn, the narrowest first."""
    of_kind = [
        line for line in lines if line.kind == kind and (line.province, line.city) == (place.province, place.city)
    ]
    tier = place.tier or "unknown"
    parts = [(None, None, place.id), (place.district, tier, None), (place.district, None, None), (None, tier, None)]
    for part in [*parts, (None, None, None)]:
        for whose in (insurer, None) if insurer is not None else (None,):
            last: Line | None = None
            for line in of_kind:
                if (line.district, line.tier, line.site) == part and line.insurer == whose and line.counts_from <= day:
                    last = line if last is None or line.counts_from >= last.counts_from else last
            if last is not None and last.level is not None:
                return last.level
    return "not_covered"


def cities(
    lines: Iterable[Line], places: Iterable[Place], kind: str, day: date, insurer: int | None
) -> dict[tuple[str, str], Counter[str]]:
    """How many places of each city have which level."""
    known = list(lines)
    found: dict[tuple[str, str], Counter[str]] = {}
    for place in places:
        found.setdefault((place.province, place.city), Counter())[level(known, place, kind, day, insurer)] += 1
    return found
