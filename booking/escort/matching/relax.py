"""The nearest change of one wish with which somebody could be sent, found by the filters that found nobody.

Near is, in this order: begin up to an hour earlier or later; anybody instead of a woman or a man; no wish for a
language; begin at another time of that day. Of two times equally near the earlier one. An hour is what such a
day has to spare; who comes matters less than whether she is understood; another part of the day is another visit.
Whoever declined or did not answer stays out: what would be asked is nearly the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from booking.escort.matching.against import FILTERS, Against, Filter, Wish, reasons_against, stand_against
from booking.escort.matching.people import Candidate, Request

STEP = timedelta(minutes=30)
NEAR = timedelta(hours=1)
FIRST, LAST = time(6), time(20)
"""Between which times of the day another start is looked for, both included."""


@dataclass(frozen=True)
class Relaxation:
    """The wish that would have to change, the changed request, and how many in the city could then be sent."""

    wish: Wish
    request: Request
    could: int


@dataclass(frozen=True)
class _Change:
    wish: Wish
    request: Request


def nearest(
    candidates: Sequence[Candidate], request: Request, filters: Sequence[Filter] = FILTERS
) -> Relaxation | None:
    """The nearest change of one wish that works, None where none does."""
    able: dict[Wish, Sequence[Candidate]] = {}
    for change in changes(request):
        if change.wish not in able:
            others = [each for each in filters if each.wish != change.wish]
            able[change.wish] = [each for each in candidates if not stand_against(each, request, others)]
        could = sum(not stand_against(each, change.request, filters) for each in able[change.wish])
        if could:
            return Relaxation(change.wish, change.request, could)
    return None


def changes(request: Request) -> Iterator[_Change]:
    """Every change of one wish, the nearest first."""
    times = list(other_starts(request))
    near = [*takewhile(lambda moment: abs(moment - request.starts_at) <= NEAR, times)]
    yield from (_Change("time", request.starting(moment)) for moment in near)
    if request.sex is not None:
        yield _Change("sex", replace(request, sex=None))
    if request.language is not None:
        yield _Change("language", replace(request, language=None))
    yield from (_Change("time", request.starting(moment)) for moment in times[len(near) :])


def other_starts(request: Request) -> Iterator[datetime]:
    """Other moments of its day at which it could begin, in steps from its own, the nearest first."""
    zone = ZoneInfo(request.zone)
    first, last = (datetime.combine(request.day, each, zone) for each in (FIRST, LAST))
    first = max(first, request.earliest)
    for steps in range(1, int(timedelta(days=1) / STEP)):
        for moment in (request.starts_at - steps * STEP, request.starts_at + steps * STEP):
            if first <= moment <= last:
                yield moment


def missing(
    candidates: Sequence[Candidate], request: Request, filters: Sequence[Filter] = FILTERS
) -> Sequence[Against]:
    """All that stands against the one in the city against whom the least stands, in the order of the filters; nothing
    where there is nobody. Of several the one whose reasons come last: those are the easiest to do something about."""
    order = {each.code: place for place, each in enumerate(filters)}
    found = [list(reasons_against(each, request, filters)) for each in candidates]
    here = [reasons for reasons in found if Against.OTHER_CITY not in reasons]
    return min(here, key=lambda reasons: (len(reasons), [-order[each] for each in reasons]), default=[])
