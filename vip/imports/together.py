"""Which lines of a file bear upon each other, by what they share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

MOST = 200
"""How many lines are tried and done in one go for having something in common."""
TOO_MANY = 0
"""Stands for the first line where more than MOST have something in common."""


class Together:
    """Lines joined by what they share, also over a third line. Numbers begin with 1."""

    def __init__(self) -> None:
        self._up = dict[int, int]()
        self._by = dict[str, int]()

    def add(self, number: int, shares: Iterable[str]) -> None:
        """A line, after all of lower numbers, with what it shares."""
        self._up[number] = number
        for each in shares:
            self._join(number, self._by.setdefault(each, number))

    def by_line(self) -> Mapping[int, int]:
        """For each line that shares something: the first of those it goes with, TOO_MANY where these are more than
        MOST."""
        parts = defaultdict[int, list[int]](list)
        for number in self._up:
            parts[self._first(number)].append(number)
        return {
            number: first if len(part) <= MOST else TOO_MANY
            for first, part in parts.items()
            if len(part) > 1
            for number in part
        }

    def _join(self, one: int, other: int) -> None:
        first, second = sorted((self._first(one), self._first(other)))
        self._up[second] = first

    def _first(self, number: int) -> int:
        while self._up[number] != number:
            self._up[number] = number = self._up[self._up[number]]
        return number
