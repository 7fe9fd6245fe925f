"""Many requests at once: each gets a worker, or hears why not and what would help. Nothing that is given is changed.

A provider's workers of a city are given out window by window in the order of time; within a window whoever can have
the fewest chooses first, and takes the one with the most points. At the end comes one assignment step for those who
got nobody: somebody who could serve them is taken from another booking of this run, where that one can have another
worker, and so on until it comes out even.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from booking.escort.matching.against import FILTERS, Filter, stand_against
from booking.escort.matching.match import Match, matched
from booking.escort.matching.people import Candidate, Request, Taken
from booking.escort.matching.score import Fit, best_first, fit

DEEPEST = 6
"""So many bookings get another worker at most so that one more gets one."""


@dataclass(frozen=True)
class Plan:
    """By booking (public id): who is sent, or the match in which nobody fits, made when everybody else had been given
    out. Every request is in one of them."""

    sent: Mapping[str, Fit]
    nobody: Mapping[str, Match]


def plan(requests: Iterable[Request], candidates: Iterable[Candidate], filters: Sequence[Filter] = FILTERS) -> Plan:
    """Give workers out. The same requests and candidates, in whatever order, give the same plan."""
    asked, workers = defaultdict[_Place, list[Request]](list), defaultdict[_Place, list[Candidate]](list)
    for each in requests:
        asked[each.provider_id, each.province, each.city].append(each)
    for worker in candidates:
        workers[worker.provider_id, worker.province, worker.city].append(worker)
    sent: dict[str, Fit] = {}
    nobody: dict[str, Match] = {}
    for place in sorted(asked):
        city = CityPlan(asked[place], workers[place], filters)
        city.give_out()
        city.assign_the_rest()
        sent |= city.sent()
        nobody |= city.nobody()
    return Plan(sent, nobody)


_Place = tuple[int, str, str]


def promised(request: Request) -> Taken:
    """What a worker has taken once she is sent to it."""
    return Taken(request.starts_at, request.ends_at, request.stop, request.booking)


@dataclass
class CityPlan:
    """A provider's workers of one city while they are given out; `state` has each with what she has taken so far."""

    requests: list[Request]
    workers: list[Candidate]
    filters: Sequence[Filter]
    given: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.workers = sorted(self.workers, key=lambda each: each.public_id)
        self.state = {each.id: each for each in self.workers}
        self.moving = [each for each in self.filters if each.planned]
        fixed = [each for each in self.filters if not each.planned]
        self.able = {
            each.booking: [worker.id for worker in self.workers if not stand_against(worker, each, fixed)]
            for each in self.requests
        }
        self.by_booking = {each.booking: each for each in self.requests}
        self.requests = sorted(self.requests, key=self._turn)

    def _turn(self, request: Request) -> tuple[object, ...]:
        """By window, then whoever can have the fewest."""
        return (request.starts_at, len(self.able[request.booking]), request.booking)

    def give_out(self) -> None:
        """Give each request the best of those who are free for it, in the order of their turns."""
        for request in self.requests:
            self._give_best(request)

    def assign_the_rest(self) -> None:
        """Find somebody for each that has nobody, by giving others of this run another worker."""
        for request in self.requests:
            if request.booking not in self.given:
                self._place(request, {request.booking}, DEEPEST)

    def sent(self) -> dict[str, Fit]:
        """Who is sent, with the points that she has beside all else that she is given."""
        return {
            booking: fit(self.state[worker].without(booking), self.by_booking[booking])
            for booking, worker in sorted(self.given.items())
        }

    def nobody(self) -> dict[str, Match]:
        """What stands against everybody, for each request that has nobody."""
        everybody = list(self.state.values())
        return {
            each.booking: matched(each, everybody, self.filters)
            for each in self.requests
            if each.booking not in self.given
        }

    def is_free(self, worker: int, request: Request) -> bool:
        """Whether nothing that she has taken so far stands against it. `able` says whether anything else does."""
        return not stand_against(self.state[worker], request, self.moving)

    def _give_best(self, request: Request) -> bool:
        free = [self.state[each] for each in self.able[request.booking] if self.is_free(each, request)]
        if not free:
            return False
        self.give(best_first([fit(each, request) for each in free])[0].worker.id, request)
        return True

    def give(self, worker: int, request: Request) -> None:
        """It is hers, beside what she has."""
        self.state[worker] = self.state[worker].with_taken(promised(request))
        self.given[request.booking] = worker

    def _take_back(self, request: Request) -> int:
        worker = self.given.pop(request.booking)
        self.state[worker] = self.state[worker].without(request.booking)
        return worker

    def _place(self, request: Request, seen: set[str], depth: int) -> bool:
        """Find somebody for a request, by giving others of this run another worker. `seen`: who need not be asked
        again."""
        if self._give_best(request):
            return True
        if not depth:
            return False
        for worker in self.able[request.booking]:
            other = self._only_one_between(worker, request, seen)
            if other is None:
                continue
            seen.add(other.booking)
            self._take_back(other)
            self.give(worker, request)
            if self._place(other, seen, depth - 1):
                return True
            self._take_back(request)
            self.give(worker, other)
        return False

    def _only_one_between(self, worker: int, request: Request, seen: set[str]) -> Request | None:
        """The one booking of this run without which she could be sent, None where there is none or more stands
        between."""
        her = self.state[worker]
        for each in her.taken:
            if self.given.get(each.booking) != worker or each.booking in seen:
                continue
            if not stand_against(her.without(each.booking), request, self.moving):
                return self.by_booking[each.booking]
        return None
