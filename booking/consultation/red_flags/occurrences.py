"""Where the terms of all lists stand in a text: one walk over its units."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from booking.consultation.red_flags.reading import SOFT, Reading


class Occurrence(NamedTuple):
    """A term from unit `start` to below unit `end`."""

    start: int
    end: int


class _Node:
    """What may follow, and the lists whose term ends here."""

    __slots__ = ("lists", "next")

    def __init__(self) -> None:
        self.next: dict[str, _Node] = {}
        self.lists: list[str] = []


class Terms:
    """The terms of all lists, as a tree of units. A term may stand in several lists."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, name: str, units: Iterable[str]) -> None:
        """One term of the list `name`."""
        node = self._root
        for unit in units:
            node = node.next.setdefault(unit, _Node())
        if node is not self._root and name not in node.lists:
            node.lists.append(name)

    def all_in(self, reading: Reading) -> dict[str, list[Occurrence]]:
        """The occurrences of each list in the order of their starts. None goes over a comma or the end of a sentence.

        No term is longer than its longest, so the time grows with the text's length.
        """
        found: dict[str, list[Occurrence]] = {}
        units, breaks, root = reading.units, reading.breaks, self._root.next
        count = len(units)
        for start in range(count):
            node = root.get(units[start])
            place = start + 1
            while node is not None:
                for name in node.lists:
                    found.setdefault(name, []).append(Occurrence(start, place))
                if place >= count or breaks[place] > SOFT:
                    break
                node = node.next.get(units[place])
                place += 1
        return found


def from_place(occurrences: list[Occurrence], place: int) -> int:
    """The index of the first occurrence that starts at `place` or later."""
    return bisect_left(occurrences, (place, -1))
