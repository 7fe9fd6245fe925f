"""How long calls and answers took, counted in steps of 19 %: enough for a percentile, and small enough to store.

Step `n` counts what took from 2^(n/4) up to 2^((n+1)/4) milliseconds: the first is below 1.2 ms, the last is open and
begins at twelve days. A percentile is told as the middle of its step, so that it is wrong by 9 % at the most.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, zip_longest
from math import log2

STEPS_TO_DOUBLE = 4
LAST = 120


def step(milliseconds: float) -> int:
    """The step that counts this length of time."""
    return min(int(STEPS_TO_DOUBLE * log2(max(milliseconds, 1.0))), LAST)


def counted(times: Iterable[float]) -> list[int]:
    """The histogram of these lengths of time (milliseconds), without steps of zero at its end."""
    found: list[int] = []
    for each in times:
        place = step(each)
        found += [0] * (place + 1 - len(found))
        found[place] += 1
    return found


def summed(histograms: Iterable[Sequence[int]]) -> list[int]:
    """One histogram of all."""
    total: list[int] = []
    for each in histograms:
        total = [a + b for a, b in zip_longest(total, each, fillvalue=0)]
    return total


def first_step(milliseconds: float) -> int:
    """The first step whose middle is not below this length of time; beyond the last where none is."""
    place = step(milliseconds)
    return place if _middle(place) >= milliseconds else place + 1


def percentile(histogram: Sequence[int], part: float) -> float | None:
    """What `part` (0 to 1) of the counted took at the most, in milliseconds and within 9 %; None where nothing is
    counted."""
    wanted = part * sum(histogram)
    if not wanted:
        return None
    return _middle(next(place for place, until in enumerate(accumulate(histogram)) if until >= wanted))


def _middle(place: int) -> float:
    return float(2 ** ((place + 0.5) / STEPS_TO_DOUBLE))
