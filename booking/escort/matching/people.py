"""Who could be sent, and to what: the plain data that is matched. Nothing here changes while it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from booking.escort.matching.travel import Stop
from marketplace.core.clock import window_of

DAY_MINUTES = 24 * 60
AT_HOME = Stop()
"""A home of which nobody said where it is."""


@dataclass(frozen=True)
class Duty:
    """A line of a weekly roster: on these weekdays (Monday is 1) from one minute of the day to another, in the zone of
    the worker's city, on days from `valid_from` to `valid_until` (None: without end), both included."""

    weekdays: frozenset[int]
    start_minute: int
    end_minute: int
    valid_from: date
    valid_until: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether it holds on that day."""
        if day.isoweekday() not in self.weekdays or day < self.valid_from:
            return False
        return self.valid_until is None or day <= self.valid_until


@dataclass(frozen=True)
class Taken:
    """A time for which a worker is asked or promised, from and until, with where and for which booking (public id)."""

    start: datetime
    end: datetime
    stop: Stop
    booking: str


@dataclass(frozen=True)
class Candidate:
    """A worker of a provider. `papers`: identity and health certificate were looked at. `auto`: she may be asked by
    itself, without a person's click. `taken` is in the order of time. `knows`: places (internal ids). `stars` is the
    sum of `ratings` ratings of 1 to 5. `active_from`, `ended_at`: since when and until when she works there."""

    id: int
    public_id: str
    provider_id: int
    name: str
    sex: str
    languages: frozenset[str]
    province: str
    city: str
    active_from: datetime
    ended_at: datetime | None = None
    papers: bool = True
    auto: bool = True
    home: Stop = AT_HOME
    duties: Sequence[Duty] = ()
    absences: Sequence[tuple[datetime, datetime]] = ()
    taken: Sequence[Taken] = ()
    knows: frozenset[int] = frozenset()
    stars: int = 0
    ratings: int = 0

    def with_taken(self, new: Taken) -> Candidate:
        """The same worker with one more time taken."""
        return replace(self, taken=tuple(sorted((*self.taken, new), key=lambda each: each.start)))

    def without(self, booking: str) -> Candidate:
        """The same worker without what she is promised to a booking (public id)."""
        return replace(self, taken=tuple(each for each in self.taken if each.booking != booking))


@dataclass(frozen=True)
class Stretch:
    """A part of one day: from one minute of it to another, as clocks of the city show them."""

    day: date
    start_minute: int
    end_minute: int


@dataclass(frozen=True)
class Request:
    """A booking (public id) that somebody is to be sent to: from and until, with the zone by whose days rosters go, and
    where. `language` and `sex` are wishes, None without one. `earliest`: nobody can be sent before, as a rule now.
    Of the workers (internal ids) who were asked for this time: `declined` said no, `silent` let the time for an answer
    pass, `replaced` were taken off the booking."""

    booking: str
    provider_id: int
    province: str
    city: str
    zone: str
    starts_at: datetime
    ends_at: datetime
    stop: Stop
    earliest: datetime
    language: str | None = None
    sex: str | None = None
    declined: frozenset[int] = field(default=frozenset())
    silent: frozenset[int] = field(default=frozenset())
    replaced: frozenset[int] = field(default=frozenset())

    @property
    def begins(self) -> datetime:
        """From when on somebody is needed: its start; of a service that has begun, what is left of it."""
        return min(max(self.starts_at, self.earliest), self.ends_at)

    def starting(self, moment: datetime) -> Request:
        """The same service, begun at another moment."""
        return replace(self, starts_at=moment, ends_at=moment + (self.ends_at - self.starts_at))

    @cached_property
    def day(self) -> date:
        """The day on which it begins, where it is done."""
        return self.starts_at.astimezone(ZoneInfo(self.zone)).date()

    def on_its_day(self, moment: datetime) -> bool:
        """Whether a moment is on that day."""
        return self.day_bounds[0] <= moment < self.day_bounds[1]

    @cached_property
    def day_bounds(self) -> tuple[datetime, datetime]:
        """When that day begins and ends."""
        return window_of(self.day, None, None, self.zone)

    @cached_property
    def stretches(self) -> Sequence[Stretch]:
        """The days that it, or what is left of it, touches, and what of each."""
        zone = ZoneInfo(self.zone)
        start, end = self.begins.astimezone(zone), self.ends_at.astimezone(zone)
        parts = []
        day = start.date()
        while datetime.combine(day, time(), zone) < end:
            first = start.hour * 60 + start.minute if day == start.date() else 0
            last = _minute_until(end) if day == end.date() else DAY_MINUTES
            parts.append(Stretch(day, first, last))
            day += timedelta(days=1)
        return parts


def _minute_until(end: datetime) -> int:
    """The minute of the day by which a time is over: one that has begun counts."""
    return end.hour * 60 + end.minute + (end.second > 0 or end.microsecond > 0)
