"""Counting what rests on each live key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from booking.keys.indexed import Indexed
from booking.keys.rewrap import BATCH, PARTS
from booking.keys.unmoved import UNMOVED, Left
from marketplace.core.database.db import reading


@dataclass(frozen=True)
class PartCount:
    """Values of one part by the id of the key they rest on; `ring` is master or index. `left`: rows a rewrap would
    move; `unreadable` values rest on no live key, `unknown` ones can't be moved. `beside`: indexes of the same values
    that `beside_part` keeps under each live key; by None those under keys that are gone, which a rewrap deletes."""

    part: str
    ring: str
    live: tuple[str, ...]
    by_key: Mapping[str, int]
    beside_part: str
    beside: Mapping[str | None, int]
    left: int
    unreadable: int
    unknown: int


def count() -> list[PartCount]:
    """Open every value and count. Takes as long as reading them all; changes nothing and raises no alarm for master
    keys."""
    return [_count(number) for number in range(len(PARTS))]


def count_unmoved(*, now: datetime) -> list[Left]:
    """Count what rests on index keys and no rewrap moves."""
    with reading() as session:
        return [each.count(session, now) for each in UNMOVED]


def _count(number: int) -> PartCount:
    part, after = PARTS[number], 0
    by_key, beside, rest = Counter[str](), Counter[str | None](), Counter[str]()
    while True:
        with reading() as session:
            numbers = part.batch(session, after, BATCH)
            items = part.look(session, numbers) if numbers else ()
        if not numbers:
            break
        after = numbers[-1]
        for item in items:
            by_key.update(key for key in item.keys if key is not None)
            beside.update(item.beside)
            rest["left"] += not item.current and not item.unknown
            rest["unknown"] += item.unknown
            rest["unreadable"] += 0 if item.unknown else item.keys.count(None)
    live = tuple(key.id for key in part.live())
    ring, kept_in = ("index", part.beside_name) if isinstance(part, Indexed) else ("master", "")
    return PartCount(part.name, ring, live, by_key, kept_in, beside, rest["left"], rest["unreadable"], rest["unknown"])
