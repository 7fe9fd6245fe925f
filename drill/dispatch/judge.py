"""A plan is written into the tables, and the database judges it: nobody is at two places at once, the way between them
included.

Written is what a plan says and nothing is looked at before, so that the constraint alone stands between a wrong plan
and two customers who wait for the same person. The ways are those of the recount.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from psycopg.types.range import TimestamptzRange

from drill.dispatch.recount import Booked, way
from drill.judge.books import Difference

_LIVE = """
    SELECT a.worker_id, w.city, lower(a.period) AS starts_at, upper(a.period) AS ends_at, s.place_id, p.longitude,
           p.latitude, b.public_id
      FROM escort_assignment a JOIN escort_worker w ON w.id = a.worker_id JOIN booking b ON b.id = a.booking_id
      JOIN site s ON s.id = b.venue_id JOIN site p ON p.id = s.place_id
     WHERE a.live
     ORDER BY a.worker_id, a.period"""
_PAD = """
    UPDATE escort_assignment SET padded = %(padded)s, travel_seconds = %(seconds)s
     WHERE live AND booking_id = (SELECT id FROM booking WHERE public_id = %(booking)s)"""
_ASK = """
    INSERT INTO escort_assignment (public_id, booking_id, worker_id, provider_id, period, padded, travel_seconds,
                                   asked_at, answer_due_at, asked_by_kind, asked_by)
    SELECT 'esa_' || substr(md5('plan' || %(booking)s), 1, 20), b.id, %(worker)s, b.provider_id, %(period)s, %(padded)s,
           %(seconds)s, now(), now() + interval '15 minutes', 'system', 'drill'
      FROM booking b WHERE b.public_id = %(booking)s"""


@dataclass(frozen=True)
class Judged:
    """How many of a plan the database took, and how many its constraint refused."""

    taken: int
    refused: int


@dataclass(frozen=True)
class At:
    """Where somebody is to be: a place (internal id), and its position if that is known."""

    place: int
    position: Any


Books = psycopg.Connection[Any]
"""A connection of the tables' owner."""


def write(books: Books, sent: Mapping[str, Any], requests: Mapping[str, Any], workers: Sequence[Any]) -> Judged:
    """Ask everybody whom a plan sends, one by one in the order of time, each in a transaction. `requests` and `workers`
    as they were given to the plan."""
    cities = {each.id: each.city for each in workers}
    days: dict[int, list[tuple[Booked, bool]]] = defaultdict(list)
    for worker in workers:
        days[worker.id] += [(_booked(each.start, each.end, each.stop, each.booking), False) for each in worker.taken]
    for booking, fit in sent.items():
        it = requests[booking]
        days[fit.worker.id].append((_booked(it.starts_at, it.ends_at, it.stop, booking), True))
    taken = refused = 0
    for worker_id, day in days.items():
        day.sort(key=lambda each: (each[0].start, each[1]))
        before: Booked | None = None
        for place, (it, new) in enumerate(day):
            after = next((each for each, fresh in day[place + 1 :] if not fresh), None)
            if new and not _asked(books, worker_id, cities[worker_id], (before, it, after)):
                refused += 1
                continue
            taken += new
            before = it
    return Judged(taken, refused)


def _booked(start: datetime, end: datetime, stop: Any, booking: str) -> Booked:
    return Booked(start, end, stop.place, stop.position, booking)


def _asked(books: Books, worker_id: int, city: str, around: tuple[Booked | None, Booked, Booked | None]) -> bool:
    """Whether the database takes one more booking of hers, with the ways to it and on to what she had already."""
    before, it, after = around
    try:
        with books.transaction():
            if after is not None:  # first: it may be padded from further away
                books.execute(_PAD, _way(it, after, city))
            hers = {"worker": worker_id, "period": TimestamptzRange(it.start, it.end)}
            books.execute(_ASK, {**hers, **_way(before, it, city)})
    except psycopg.errors.ExclusionViolation:
        return False
    return True


def _way(before: Booked | None, it: Booked, city: str) -> dict[str, Any]:
    seconds = way(before, At(it.place, it.position), city) if before is not None else 0
    padded = TimestamptzRange(it.start - timedelta(seconds=seconds), it.end)
    return {"booking": it.booking, "padded": padded, "seconds": seconds}


def forget(books: Books) -> None:
    """Take everything back that was written."""
    books.execute("DELETE FROM escort_assignment WHERE asked_by = 'drill' AND state = 'asked'")


def together(books: Books) -> Iterator[Difference]:
    """Whoever is at two places at once, or could not have come from one to the next, as the rows are."""
    rows: list[Any] = books.cursor(row_factory=namedtuple_row).execute(_LIVE).fetchall()
    for one, other in pairwise(rows):
        if one.worker_id != other.worker_id:
            continue
        first = Booked(one.starts_at, one.ends_at, one.place_id, _position(one), one.public_id)
        gap = other.starts_at - one.ends_at
        if gap < timedelta(seconds=way(first, At(other.place_id, _position(other)), one.city)):
            yield Difference("a worker at two places at once", other.public_id, {"after": one.public_id, "gap": gap})


@dataclass(frozen=True)
class Point:
    """A position, in degrees."""

    latitude: float
    longitude: float


def _position(row: Any) -> Point | None:
    return None if row.longitude is None else Point(row.latitude, row.longitude)
