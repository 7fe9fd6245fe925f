"""What stands against sending a worker: one list of filters, in one order.

It makes the candidates, the counts that explain them, and the relaxations: whoever is left by all filters can be sent,
and everybody else is counted once, at the first one that stands against her.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Literal, Protocol

from booking.escort.matching.people import Candidate, Duty, Request, Stretch, Taken
from booking.escort.matching.travel import travel_seconds

Wish = Literal["time", "sex", "language"]
"""What a customer could change so that somebody can be sent."""


class Against(StrEnum):
    """Why a worker can't be sent. `other_city` is of those who don't count as being in the city."""

    OTHER_CITY = "other_city"
    NOT_YET = "not_yet"
    LEFT = "left"
    PAPERS = "papers"
    OFF_DUTY = "off_duty"
    ABSENT = "absent"
    BUSY = "busy"
    TRAVEL = "travel"
    LANGUAGE = "language"
    SEX = "sex"
    DECLINED = "declined"
    DID_NOT_ANSWER = "did_not_answer"
    REPLACED = "replaced"


class _Rule(Protocol):
    def __call__(self, candidate: Candidate, request: Request, /) -> bool: ...


@dataclass(frozen=True)
class Filter:
    """`stands(candidate, request)` says whether it stands against her. `wish`: what the customer would have to change,
    None where she can't. `planned`: it looks at what she has taken, which a plan adds to."""

    code: Against
    stands: _Rule
    wish: Wish | None = None
    planned: bool = False


_NONE, _NEVER = timedelta(), timedelta.min


def reasons_against(candidate: Candidate, request: Request, filters: Sequence[Filter]) -> Iterator[Against]:
    """The codes of all of these filters that stand against her, in their order."""
    return (each.code for each in filters if each.stands(candidate, request))


def stand_against(candidate: Candidate, request: Request, filters: Sequence[Filter]) -> bool:
    """Whether any of these filters does."""
    return any(each.stands(candidate, request) for each in filters)


def way_between(one: Taken | Request, other: Taken | Request, city: str) -> timedelta:
    """The time that lies at least between the end of the earlier of two services and the start of the later one."""
    return timedelta(seconds=travel_seconds(one.stop, other.stop, city))


def _other_city(candidate: Candidate, request: Request) -> bool:
    return (candidate.province, candidate.city) != (request.province, request.city)


def _not_yet(candidate: Candidate, request: Request) -> bool:
    return candidate.active_from > request.begins


def _left(candidate: Candidate, request: Request) -> bool:
    return candidate.ended_at is not None and candidate.ended_at < request.ends_at


def _no_papers(candidate: Candidate, _request: Request) -> bool:
    return not candidate.papers


def _off_duty(candidate: Candidate, request: Request) -> bool:
    return not all(_covered(candidate.duties, stretch) for stretch in request.stretches)


def _covered(duties: Sequence[Duty], stretch: Stretch) -> bool:
    """Whether lines of a roster, one after the other, cover a part of a day."""
    reached = stretch.start_minute
    for duty in sorted((each for each in duties if each.holds_on(stretch.day)), key=lambda each: each.start_minute):
        if duty.start_minute > reached:
            return False
        reached = max(reached, duty.end_minute)
        if reached >= stretch.end_minute:
            return True
    return False


def _absent(candidate: Candidate, request: Request) -> bool:
    return any(start < request.ends_at and request.begins < end for start, end in candidate.absences)


def _busy(candidate: Candidate, request: Request) -> bool:
    return any(each.start < request.ends_at and request.begins < each.end for each in candidate.taken)


def _too_far(candidate: Candidate, request: Request) -> bool:
    """Whether she is free, but could not be there in time from where she is before, or not be in time where she is
    next. Nobody is in time for what has begun: then the next one alone counts."""
    begun = request.starts_at < request.begins
    for each in candidate.taken:
        gap = max(_NEVER if begun else request.starts_at - each.end, each.start - request.ends_at)
        if _NONE <= gap < way_between(each, request, candidate.city):
            return True
    return False


def _other_language(candidate: Candidate, request: Request) -> bool:
    return request.language is not None and request.language not in candidate.languages


def _other_sex(candidate: Candidate, request: Request) -> bool:
    return request.sex is not None and request.sex != candidate.sex


def _declined(candidate: Candidate, request: Request) -> bool:
    return candidate.id in request.declined


def _did_not_answer(candidate: Candidate, request: Request) -> bool:
    return candidate.id in request.silent


def _replaced(candidate: Candidate, request: Request) -> bool:
    return candidate.id in request.replaced


FILTERS: Sequence[Filter] = (
    Filter(Against.OTHER_CITY, _other_city),
    Filter(Against.NOT_YET, _not_yet, "time"),
    Filter(Against.LEFT, _left, "time"),
    Filter(Against.PAPERS, _no_papers),
    Filter(Against.OFF_DUTY, _off_duty, "time"),
    Filter(Against.ABSENT, _absent, "time"),
    Filter(Against.BUSY, _busy, "time", planned=True),
    Filter(Against.TRAVEL, _too_far, "time", planned=True),
    Filter(Against.LANGUAGE, _other_language, "language"),
    Filter(Against.SEX, _other_sex, "sex"),
    Filter(Against.DECLINED, _declined),
    Filter(Against.DID_NOT_ANSWER, _did_not_answer),
    Filter(Against.REPLACED, _replaced),
)
"""What can't be changed by anybody soon comes first, then the roster, what else she does, what the customer wishes, and
what she herself has said."""
