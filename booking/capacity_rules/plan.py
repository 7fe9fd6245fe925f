"""Which slots a pool has by its rules: pure arithmetic on dates, the same for the same rules.

Times are those of the clock on the site's wall, in minutes since midnight. What a day has is decided by the first of
these that applies: an exception for the date, a public holiday, a working day that makes up for one, the weekly rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from booking.capacity_rules.holidays import PublicHolidays
from marketplace.core.text import Text

DAY = 24 * 60
"""Minutes of a day by the clock on the wall: the end of a section that ends at midnight."""

Why = Literal["rules", "exception", "holiday", "make_up"]


@dataclass(frozen=True, order=True)
class Section:
    """Slots of one length, one after the other, from `start` to `end`, each with so many places; what is left at the
    end is no slot. Without a length (`minutes` None) it is the whole day as one slot without times."""

    start: int
    end: int
    minutes: int | None
    places: int

    @property
    def starts(self) -> Sequence[int]:
        """When its slots begin; of the whole day midnight."""
        return (0,) if self.minutes is None else range(self.start, self.end - self.minutes + 1, self.minutes)


def whole_day(places: int) -> Section:
    """The day as one slot."""
    return Section(0, DAY, None, places)


@dataclass(frozen=True)
class WeeklyRule:
    """A section on some weekdays (Monday is 1), from a date on and until another, both included (None: for good)."""

    weekdays: frozenset[int]
    section: Section
    valid_from: date
    valid_until: date | None = None

    def covers(self, day: date, weekday: int) -> bool:
        """Whether it gives a date its section, were the date that weekday."""
        return (
            weekday in self.weekdays
            and self.valid_from <= day
            and (self.valid_until is None or day <= self.valid_until)
        )


@dataclass(frozen=True)
class Rules:
    """All that decides a pool's slots. `exceptions` are the sections of single dates, none for one that is closed;
    `make_up_weekday`: as which weekday a working day that makes up for a holiday counts (None: as the one it is);
    `horizon_days`: for how many days slots are made, today included."""

    weekly: Sequence[WeeklyRule] = ()
    exceptions: Mapping[date, Sequence[Section]] = field(default_factory=dict)
    closed_on_holidays: bool = True
    make_up_weekday: int | None = None
    horizon_days: int = 90


@dataclass(frozen=True)
class DayPlan:
    """What a date has, and why. `holiday` also where it is open on it."""

    day: date
    sections: Sequence[Section]
    why: Why
    holiday: Text | None = None


@dataclass(frozen=True)
class PlannedSlot:
    """A slot as the rules want it. Times are UTC, None for the whole day; `minute` is when it begins on the wall."""

    day: date
    minute: int | None
    starts_at: datetime | None
    ends_at: datetime | None
    places: int

    @property
    def key(self) -> tuple[date, datetime | None]:
        """What tells it from the pool's other slots."""
        return self.day, self.starts_at


def day_plan(rules: Rules, holidays: PublicHolidays, day: date) -> DayPlan:
    """What a date has by the rules."""
    holiday = holidays.holiday(day)
    if day in rules.exceptions:
        return DayPlan(day, tuple(sorted(rules.exceptions[day])), "exception", holiday)
    if holiday is not None and rules.closed_on_holidays:
        return DayPlan(day, (), "holiday", holiday)
    makes_up = holidays.makes_up(day) and rules.make_up_weekday is not None
    weekday = rules.make_up_weekday if makes_up and rules.make_up_weekday is not None else day.isoweekday()
    sections = sorted(rule.section for rule in rules.weekly if rule.covers(day, weekday))
    return DayPlan(day, tuple(sections), "make_up" if makes_up else "rules", holiday)


def slots_of(plan: DayPlan, zone: str) -> list[PlannedSlot]:
    """The day's slots by their start. A time that the day's clock leaps over has none; of one that comes twice it is
    the first."""
    found = []
    for section in plan.sections:
        if section.minutes is None:
            found.append(PlannedSlot(plan.day, None, None, None, section.places))
            continue
        for minute in section.starts:
            starts_at = moment(plan.day, minute, zone)
            if starts_at is not None:
                ends_at = starts_at + timedelta(minutes=section.minutes)
                found.append(PlannedSlot(plan.day, minute, starts_at, ends_at, section.places))
    return found


def planned(rules: Rules, holidays: PublicHolidays, zone: str, today: date) -> Iterator[PlannedSlot]:
    """All slots from today to the end of the horizon, by day and start."""
    for number in range(rules.horizon_days):
        yield from slots_of(day_plan(rules, holidays, today + timedelta(days=number)), zone)


def moment(day: date, minute: int, zone: str) -> datetime | None:
    """When the clock on the wall shows this time of the day, in UTC; None where it never does."""
    local = datetime.combine(day, time(minute // 60, minute % 60), ZoneInfo(zone))
    found = local.astimezone(UTC)
    return found if found.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local.replace(tzinfo=None) else None


def with_places(sections: Sequence[Section], minute: int | None, places: int) -> tuple[Section, ...]:
    """The sections with so many places in the slot that begins at `minute` (None: the whole day); with 0 it is gone.
    The day's other slots stay as they are."""
    kept: list[Section] = []
    for section in sections:
        if section.minutes is None:
            kept.append(replace(section, places=places) if minute is None else section)
        elif minute is None or minute not in section.starts:
            kept.append(section)
        else:
            end = minute + section.minutes
            kept.append(replace(section, end=minute))
            kept.append(Section(minute, end, section.minutes, places))
            kept.append(replace(section, start=end))
    return tuple(sorted(each for each in kept if each.places > 0 and each.starts))
