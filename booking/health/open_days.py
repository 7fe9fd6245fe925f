"""On which days a provider works: those that have slots. A day without any asks nothing of it and says nothing of
it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.core.clock import start_of, today

LOOKED_BACK = timedelta(days=15)
"""So far back closed days are known, longer than any public holidays; what lies before counts as open."""
A_DAY = timedelta(days=1)

_OPEN = text(
    """
    SELECT p.id, p.time_zone, array_agg(days.day ORDER BY days.day) FILTER (WHERE open.known) AS days
      FROM provider p
      CROSS JOIN (SELECT CAST(:first AS date) + n AS day FROM generate_series(0, :days) AS n) AS days
      CROSS JOIN LATERAL (SELECT EXISTS (
        SELECT 1 FROM capacity_pool c JOIN slot s ON s.pool_id = c.id
         WHERE c.provider_id = p.id AND s.service_date = days.day AND NOT s.closed) AS known) AS open
     WHERE p.id = ANY(:providers)
     GROUP BY p.id, p.time_zone
    """
)


@dataclass(frozen=True)
class OpenDays:
    """The days on which a provider is `closed`, in its zone."""

    zone: str
    closed: frozenset[date] = frozenset()

    def within(self, since: datetime, until: datetime) -> timedelta:
        """How much of this time lies on days that are not closed; nothing where it ends before it begins."""
        if until <= since:
            return timedelta()
        lost = timedelta()
        for day in self.closed:
            begins, ends = start_of(day, None, self.zone), start_of(day + A_DAY, None, self.zone)
            lost += max(min(until, ends) - max(since, begins), timedelta())
        return until - since - lost

    def back(self, until: datetime, length: timedelta) -> datetime:
        """The moment from which on this much of such time lies before `until`."""
        since = until - length
        while (missing := length - self.within(since, until)) > timedelta():
            since -= missing
        return since


def open_days(session: Session, providers: Collection[int], *, now: datetime) -> Mapping[int, OpenDays]:
    """Of these providers (internal ids). Closed is a day without a slot on sale between the first day that had one and
    today: of who has none at all, or has only just begun, nothing is known."""
    first = (now - LOOKED_BACK).date() - A_DAY
    values = {"providers": list(providers), "first": first, "days": (LOOKED_BACK + 3 * A_DAY).days}
    found: dict[int, OpenDays] = {}
    for row in session.execute(_OPEN, values):
        known, last = set[date](row.days or ()), today(row.time_zone, now)
        begun = min((day for day in known if day <= last), default=last + A_DAY)
        between = (begun + number * A_DAY for number in range((last - begun).days + 1))
        found[row.id] = OpenDays(row.time_zone, frozenset(day for day in between if day not in known))
    return found
