"""What rests on one kind of key, part by part: which rows there are, under which key each is, and moving it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from marketplace.core.keyring import Key


@dataclass(frozen=True)
class Item:
    """One row of a part. `record` names it without naming a person. `keys` are the ids of the keys of its values, None
    for one that rests on no live key. `current`: nothing has to be moved. `unknown`: it can't be moved, because what it
    was made from is not stored. `beside`: the ids of the keys of indexes that are kept of the same value, so that it is
    unique while keys change; None for one under a key that is not live any more."""

    record: str
    keys: tuple[str | None, ...]
    current: bool
    unknown: bool = False
    beside: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class Moved:
    """What came of a batch: `busy` rows were somebody else's at that moment, `unreadable` rest on no live key or can't
    be opened, and `unknown` ones can't be moved."""

    moved: int = 0
    busy: int = 0
    unreadable: int = 0
    unknown: int = 0


class Part(Protocol):
    """Rows that are gone through by a growing number."""

    @property
    def name(self) -> str:
        """The column, as `table.column`."""

    def live(self) -> Sequence[Key]:
        """The live keys that it may rest on, the current one first."""

    def batch(self, session: Session, after: int, most: int) -> Sequence[int]:
        """The next numbers after `after`."""

    def look(self, session: Session, numbers: Sequence[int]) -> Sequence[Item]:
        """The rows with these numbers. Changes nothing."""

    def move(self, session: Session, numbers: Sequence[int]) -> Moved:
        """Bring the rows with these numbers to the current key, in the caller's transaction. A row that somebody else
        has locked is left, so that nobody waits for this and this waits for nobody."""
