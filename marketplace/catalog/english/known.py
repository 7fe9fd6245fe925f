"""The hospitals whose English name is known: `data/english-hospitals.csv`.

A line has the hospital's city, its name, what else it is called in Chinese, the English name it gives itself, other
names and abbreviations people type, and where the English name stands.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from marketplace.core.config import ROOT

FILE = ROOT / "data" / "english-hospitals.csv"


@dataclass(frozen=True)
class Known:
    """A hospital of the list: `also` are its other Chinese names, `typed` other English names and abbreviations."""

    city: str
    name: str
    also: tuple[str, ...]
    english: str
    typed: tuple[str, ...]


def known_as(names: Iterable[str], city: str) -> Known | None:
    """The hospital of the list that has one of these names in that city, the first name deciding; None if none has."""
    by_name = _by_name()
    return next((by_name[city, name] for name in names if (city, name) in by_name), None)


def known_hospital(name: str, city: str = "") -> str:
    """The English name a hospital gives itself; blank if that is not known. Without its city only by a full name."""
    found = known_as([name], city) if city else _by_full_name().get(name)
    return found.english if found else ""


@cache
def _by_name() -> dict[tuple[str, str], Known]:
    found: dict[tuple[str, str], Known] = {}
    for known in hospitals():
        found[known.city, known.name] = known
    for known in hospitals():
        for name in known.also:
            found.setdefault((known.city, name), known)
    return found


@cache
def _by_full_name() -> dict[str, Known]:
    return {known.name: known for known in hospitals()}


@cache
def hospitals() -> tuple[Known, ...]:
    """All of the list, in its order."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Known(row["city"], row["name"], _split(row["also"]), row["english"], _split(row["abbreviations"]))
            for row in csv.DictReader(file)
        )


def _split(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split("|") if part)
