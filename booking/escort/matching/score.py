"""Which of those who can be sent is sent first: points, added up. More is better; equal ones go by public id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from booking.escort.matching.people import Candidate, Request
from booking.escort.matching.travel import travel_seconds

KNOWS = 30
"""She knows the place: worth more than an hour's way, or than three stars."""
SPARE_LANGUAGE, SPARE_LANGUAGES = -4, 3
"""For each language or dialect that nobody asked for here, so many at most: who speaks them is kept for whom they were
learnt for."""
COMMON = frozenset({"mandarin"})
"""What nearly everybody speaks, and nobody is kept for."""
STAR, FIRST_STARS, FIRST_RATINGS = 5, 20, 5
"""Points for each star above one. Every worker begins with five ratings of four stars, so that one bad day of a new one
doesn't outweigh a year of another."""
SAME_DAY = -8
"""For each other booking of that day: the work is shared out, and a late one harms fewer."""
TRAVEL_SECONDS, MOST_TRAVEL = 5 * 60, -24
"""A point less for each five minutes of the way there, so many at most."""


class Why(StrEnum):
    """What points are for."""

    KNOWS = "knows"
    LANGUAGES = "languages"
    RATING = "rating"
    LOAD = "load"
    TRAVEL = "travel"


class Points(NamedTuple):
    """Points, above or below zero, and what for."""

    why: Why
    points: int


@dataclass(frozen=True)
class Fit:
    """A worker who can be sent. `why` adds up to `score`; what gives no points isn't in it. `travel_seconds`: the way
    there, from the booking before it on that day, else from home."""

    worker: Candidate
    score: int
    why: Sequence[Points]
    travel_seconds: int


def fit(candidate: Candidate, request: Request) -> Fit:
    """What speaks for sending her."""
    way = way_there(candidate, request)
    spare = len(candidate.languages - COMMON - {request.language})
    points = (
        Points(Why.KNOWS, KNOWS if request.stop.place in candidate.knows else 0),
        Points(Why.LANGUAGES, SPARE_LANGUAGE * min(spare, SPARE_LANGUAGES)),
        Points(Why.RATING, _rating(candidate)),
        Points(Why.LOAD, SAME_DAY * load_of_day(candidate, request)),
        Points(Why.TRAVEL, max(-(way // TRAVEL_SECONDS), MOST_TRAVEL)),
    )
    return Fit(candidate, sum(each.points for each in points), [each for each in points if each.points], way)


def best_first(fits: Sequence[Fit]) -> list[Fit]:
    """In the order in which they are asked."""
    return sorted(fits, key=lambda each: (-each.score, each.worker.public_id))


def load_of_day(candidate: Candidate, request: Request) -> int:
    """How many other bookings she has on the day of this one."""
    return sum(request.on_its_day(each.start) for each in candidate.taken)


def way_there(candidate: Candidate, request: Request) -> int:
    """Seconds from where she is before, on that day, else from home."""
    before = [each for each in candidate.taken if each.end <= request.starts_at and request.on_its_day(each.start)]
    start = before[-1].stop if before else candidate.home
    return travel_seconds(start, request.stop, candidate.city)


def _rating(candidate: Candidate) -> int:
    stars, ratings = candidate.stars + FIRST_STARS, candidate.ratings + FIRST_RATINGS
    return STAR * (stars - ratings) // ratings
