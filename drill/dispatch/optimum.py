"""The best that each window could have, to hold the plan against: the assignment with the most bookings, and of those
the one with the most points, by the Hungarian method (Kuhn 1955; with potentials, as O(n² m))."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import inf

from booking.escort.matching.plan import CityPlan
from booking.escort.matching.score import fit

_NEVER = 1_000_000
"""Costs more than all points of a window together: a booking more is worth any points."""


class BestByWindow(CityPlan):
    """A city given out window by window, each in the best way for itself."""

    def give_out(self) -> None:
        """Assign each window as a whole."""
        for _start, together in groupby(self.requests, key=lambda each: each.starts_at):
            window = list(together)
            points = [
                {
                    worker: fit(self.state[worker], each).score
                    for worker in self.able[each.booking]
                    if self.is_free(worker, each)
                }
                for each in window
            ]
            workers = sorted({worker for row in points for worker in row})
            if not workers:
                continue
            costs = [[-row[worker] if worker in row else _NEVER for worker in workers] for row in points]
            costs = [row + [_NEVER] * len(window) for row in costs]
            for request, row, column in zip(window, costs, assignment(costs), strict=True):
                if row[column] != _NEVER:
                    self.give(workers[column], request)


def assignment(costs: Sequence[Sequence[int]]) -> list[int]:
    """For each row a column of its own, so that the costs together are the least. There are as many columns as rows at
    least."""
    rows, columns = len(costs), len(costs[0])
    of_row, of_column = [0.0] * (rows + 1), [0.0] * (columns + 1)
    taken_by, came_from = [0] * (columns + 1), [0] * (columns + 1)
    for row in range(1, rows + 1):
        taken_by[0], column = row, 0
        least, seen = [inf] * (columns + 1), [False] * (columns + 1)
        while taken_by[column]:
            seen[column] = True
            column = _step(costs, (of_row, of_column, taken_by, came_from, least, seen), column)
        while column:
            taken_by[column] = taken_by[came_from[column]]
            column = came_from[column]
    found = [0] * rows
    for column in range(1, columns + 1):
        if taken_by[column]:
            found[taken_by[column] - 1] = column - 1
    return found


def _step(
    costs: Sequence[Sequence[int]],
    state: tuple[list[float], list[float], list[int], list[int], list[float], list[bool]],
    column: int,
) -> int:
    """Grow the tree by the nearest column, which is the answer."""
    of_row, of_column, taken_by, came_from, least, seen = state
    row, nearest, delta = taken_by[column], 0, inf
    for other in range(1, len(seen)):
        if seen[other]:
            continue
        left = costs[row - 1][other - 1] - of_row[row] - of_column[other]
        if left < least[other]:
            least[other], came_from[other] = left, column
        if least[other] < delta:
            delta, nearest = least[other], other
    for other in range(len(seen)):
        if seen[other]:
            of_row[taken_by[other]] += delta
            of_column[other] -= delta
        else:
            least[other] -= delta
    return nearest
