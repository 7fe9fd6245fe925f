"""What customers said of consultations: stars, and how many said something. A rating counts with its consultation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text

from booking.consultation.figures.rows import Listing
from booking.consultation.figures.scope import Days, Whose, counting
from booking.ratings.rate import MOST_STARS
from booking.states import BookingState
from marketplace.core.database.db import reading

_ASKED = f"""
      FROM ({{counted}}) AS r
      JOIN booking b ON b.id = r.booking_id
      LEFT JOIN rating s ON s.booking_id = b.id
     WHERE (b.state = '{BookingState.FULFILLED.value}' OR s.id IS NOT NULL)"""
"""Who could rate: once it was done, which one that was opened again had been."""


@dataclass(frozen=True)
class Satisfaction:
    """`asked`: how many consultations could be rated; `stars`: how many ratings there are of each number of stars, from
    1 to MOST_STARS."""

    asked: int
    stars: Mapping[int, int]

    @property
    def answered(self) -> int:
        """How many of those who were asked gave stars."""
        return sum(self.stars.values())

    @property
    def mean(self) -> float | None:
        """The mean of the stars, None without any."""
        return sum(stars * number for stars, number in self.stars.items()) / self.answered if self.answered else None


def satisfaction(whose: Whose, days: Days) -> Satisfaction:
    """Of the consultations whose first question was asked in that time."""
    it = counting(whose, days)
    query = text(f"SELECT s.stars, count(*) AS number {_ASKED.format(counted=it.rows)} GROUP BY s.stars")
    with reading() as session:
        found = {row.stars: row.number for row in session.execute(query, it.values)}
    return Satisfaction(sum(found.values()), {stars: found.get(stars, 0) for stars in range(1, MOST_STARS + 1)})


def listing(whose: Whose, days: Days, stars: int | None) -> Listing:
    """The consultations that were rated with so many stars; None: that could be rated, the rated ones first."""
    it = counting(whose, days)
    sql = f"""
        SELECT coalesce(s.stars, 0) AS sort, r.id, r.booking_id, r.name_zh, r.name_en, r.department, r.begun_at AS at,
               r.seconds, r.state, s.stars, '' AS giver, '' AS taker {_ASKED.format(counted=it.rows)}
           AND (CAST(:stars AS integer) IS NULL OR s.stars = :stars)"""
    return Listing(sql, {**it.values, "stars": stars})
