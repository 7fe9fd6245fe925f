"""What became of a report between two versions, and what of it has not come yet."""

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
    """A version that is here. `status`: partial, final or corrected."""

    version: int
    status: str
    issued_at: datetime
    items: int
    abnormal: int


@dataclass(frozen=True)
class Change:
    """What happened to one result: `new`, or `changed` from `before`."""

    kind: Literal["new", "changed"]
    before: Reading | None = None


@dataclass(frozen=True)
class Changes:
    """Changes of a version against the one before it, by the result's place in it; `removed` are results that the
    version before had and this one has not."""

    by_place: Mapping[int, Change] = field(default_factory=dict)
    removed: Sequence[Reading] = ()

    def __bool__(self) -> bool:
        return bool(self.by_place or self.removed)


def series_of(result: Reading) -> str:
    """Which results of an item compare with each other: blank for the usual ones, the variant for one that stands
    apart from the others."""
    variant = vocabulary().items[result.item].variant(result.variant) if result.item else None
    return variant.code if variant is not None and variant.apart else ""


def keyed(results: Iterable[Reading]) -> dict[Key, Reading]:
    """Results by what they are about: the vocabulary's item and series, else the delivered name; the same thing told
    twice (a left and a right eye) is numbered."""
    found: dict[Key, Reading] = {}
    for result in results:
        about = (result.item, series_of(result)) if result.item else ("", fold(result.name))
        number = 0
        while (*about, number) in found:
            number += 1
        found[(*about, number)] = result
    return found


def changes_between(earlier: Sequence[Reading], later: Sequence[Reading]) -> Changes:
    """What the later version changed: values, units, ranges, flags and notes; what is new, and what is gone."""
    before, after = keyed(earlier), keyed(later)
    places = {id(result): place for place, result in enumerate(later)}
    made: dict[int, Change] = {}
    for key, result in after.items():
        old = before.get(key)
        if old is None:
            made[places[id(result)]] = Change("new")
        elif _told(old) != _told(result):
            made[places[id(result)]] = Change("changed", old)
    return Changes(made, [old for key, old in before.items() if key not in after])


def _told(result: Reading) -> tuple[Any, ...]:
    return (result.value, result.unit, result.low, result.high, result.flag)


def outstanding(package: Mapping[str, Any], results: Sequence[Reading]) -> tuple[Text, ...]:
    """The names of a package's parts of which nothing has come. Parts that no item of the vocabulary belongs to (a
    physician's examination) can't be told and are left out."""
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
