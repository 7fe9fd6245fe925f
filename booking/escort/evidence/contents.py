"""What a deed says besides its kind: words, a sum, the person's signature. Sealed under her medical key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from booking.sealing import open_words, seal_words
from vip.customers.person_keys import WrappedKey

Stroke = Sequence[int]
"""A line that was drawn: x and y of each of its points in turn."""

SIGNED_ON = (1000, 400)
"""The sides of the field in which points of a signature lie."""


@dataclass(frozen=True)
class Cost:
    """Money that was spent for the person: in minor units of `currency` (ISO 4217), and what for."""

    amount_minor: int
    currency: str
    what: str = field(repr=False)


@dataclass(frozen=True)
class Contents:
    """What a deed says. `picture` is the SHA-256 of the picture as it was sent (hex), blank without one: so that
    another one is another deed."""

    words: str = field(default="", repr=False)
    cost: Cost | None = None
    strokes: Sequence[Stroke] = field(default=(), repr=False)
    picture: str = ""

    @property
    def blank(self) -> bool:
        """Whether there is nothing to seal."""
        return self == Contents()


def seal_contents(contents: Contents, key: WrappedKey, deed: str) -> bytes | None:
    """For storage with a deed (public id); None where there is nothing."""
    if contents.blank:
        return None
    cost = contents.cost
    kept: dict[str, Any] = {
        "words": contents.words,
        "cost": None if cost is None else [cost.amount_minor, cost.currency, cost.what],
        "strokes": [list(each) for each in contents.strokes],
        "picture": contents.picture,
    }
    return seal_words(json.dumps(kept, ensure_ascii=False), key, record_of(deed))


def open_contents(sealed: bytes | None, key: WrappedKey, deed: str) -> Contents:
    """As they were sealed. Raises Unreadable after the person's data was deleted."""
    if sealed is None:
        return Contents()
    kept = json.loads(open_words(sealed, key, record_of(deed)))
    return Contents(
        words=kept["words"],
        cost=None if kept["cost"] is None else Cost(*kept["cost"]),
        strokes=tuple(tuple(each) for each in kept["strokes"]),
        picture=kept["picture"],
    )


def record_of(deed: str) -> str:
    """What the contents of a deed (public id) are bound to."""
    return f"escort_deed:{deed}"
