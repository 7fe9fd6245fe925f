"""What changed between two versions of a report, and which parts have not come yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from booking.reports.reading.read import Reading
from booking.reports.reading.vocabulary import fold, vocabulary
from marketplace.core.text import Text

Key = tuple[str, str, int]


class VersionLine(NamedTuple):
    """A stored version. `status`: partial, final or corrected."""

    version: int
    status: str
    issued_at: datetime
    items: int
    abnormal: int


@dataclass(frozen=True)
class Change:
    """One result is `new`, or has `changed`; `before` is the earlier result, None for a new one."""

    kind: Literal["new", "changed"]
    before: Reading | None = None


@dataclass(frozen=True)
class Changes:
    """What a version changed in the one before it. `by_place` maps the index of a result to its change; `removed` are
    the results that are no longer there."""

    by_place: Mapping[int, Change] = field(default_factory=dict)
    removed: Sequence[Reading] = ()

    def __bool__(self) -> bool:
        return bool(self.by_place or self.removed)


def series_of(result: Reading) -> str:
    """The series of a result: only results of one series can be compared. Blank for the usual ones, else the code of a
    variant that cannot be compared with the others."""
    variant = vocabulary().items[result.item].variant(result.variant) if result.item else None
    return variant.code if variant is not None and variant.apart else ""


def keyed(results: Iterable[Reading]) -> dict[Key, Reading]:
    """Results by key: (item, series, number), or ("", delivered name, number) for an item not in the vocabulary. The
    number counts from 0 results with the same item and series (a left and a right eye)."""
    found: dict[Key, Reading] = {}
    for result in results:
        about = (result.item, series_of(result)) if result.item else ("", fold(result.name))
        number = 0
        while (*about, number) in found:
            number += 1
        found[(*about, number)] = result
    return found


def changes_between(earlier: Sequence[Reading], later: Sequence[Reading]) -> Changes:
    """What the later version changed: results whose value, unit, range or flag differs, and results added or
    removed."""
    before, after = keyed(earlier), keyed(later)
    places = {id(result): place for place, result in enumerate(later)}
    made: dict[int, Change] = {}
    for key, result in after.items():
        old = before.get(key)
        if old is None:
            made[places[id(result)]] = Change("new")
        elif _as_delivered(old) != _as_delivered(result):
            made[places[id(result)]] = Change("changed", old)
    return Changes(made, [old for key, old in before.items() if key not in after])


def _as_delivered(result: Reading) -> tuple[Any, ...]:
    bounded = result.low is not None or result.high is not None
    reference = (result.low, result.high) if bounded else result.range_text
    return (result.value, result.unit, reference, result.flag, result.critical)


def outstanding(package: Mapping[str, Any], results: Sequence[Reading]) -> tuple[Text, ...]:
    """The names of a package's parts that have no result yet. A part to which no item of the vocabulary belongs (a
    physician's examination) is left out, as its results cannot be recognised."""
    here = {result.item for result in results if result.item}
    promised: dict[str, set[str]] = {}
    for item in vocabulary().items.values():
        for code in item.packages:
            promised.setdefault(code, set()).add(item.code)
    return tuple(
        Text(str(part["name_zh"]), str(part["name_en"]))
        for part in package.get("items", ())
        if part["code"] in promised and not promised[part["code"]] & here
    )
