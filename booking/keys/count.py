"""Counting what rests on each live key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from booking.keys.rewrap import BATCH, PARTS
from marketplace.core.db import reading


@dataclass(frozen=True)
class PartCount:
    """Values of one part by the id of the key they rest on. `left`: rows a rewrap would move; `unreadable` values rest
    on no live key, `unknown` ones can't be moved."""

    part: str
    live: tuple[str, ...]
    by_key: Mapping[str, int]
    left: int
    unreadable: int
    unknown: int


def count() -> list[PartCount]:
    """Open every value and count. Takes as long as reading them all; changes nothing and raises no alarm for master
    keys."""
    return [_count(number) for number in range(len(PARTS))]


def _count(number: int) -> PartCount:
    part, after = PARTS[number], 0
    by_key, rest = Counter[str](), Counter[str]()
    while True:
        with reading() as session:
            numbers = part.batch(session, after, BATCH)
            items = part.look(session, numbers) if numbers else ()
        if not numbers:
            break
        after = numbers[-1]
        for item in items:
            by_key.update(key for key in item.keys if key is not None)
            rest["left"] += not item.current and not item.unknown
            rest["unknown"] += item.unknown
            rest["unreadable"] += 0 if item.unknown else item.keys.count(None)
    live = tuple(key.id for key in part.live())
    return PartCount(part.name, live, by_key, rest["left"], rest["unreadable"], rest["unknown"])
