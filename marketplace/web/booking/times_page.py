"""Days and times as the picker shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from flask_babel import gettext as _

from booking.offers.availability import MAX_DAYS, DayView, SlotView
from booking.offers.bookable import Reason
from marketplace.catalog.kinds import has_windows
from marketplace.web.booking.finding.packages_page import Package
from marketplace.web.booking.finding.places_page import FEW
from marketplace.web.booking.venues.answers_form import Question
from marketplace.web.formats import local, time_of
from marketplace.web.parts import Form, Person, When
from marketplace.web.slow_words import SlowNote


@dataclass(frozen=True)
class Day:
    """A day of the strip or the month. `free` None with `closed` (a word: 约满, 休息) when it cannot be chosen;
    `wait_url` then leads to the waiting list for that day, if a place may still come free."""

    day: date
    free: int | None
    closed: str = ""
    few: bool = False
    chosen: bool = False
    url: str = ""
    wait_url: str = ""


@dataclass(frozen=True)
class Slot:
    """A time to choose; `closed` is the word that says why it cannot be."""

    id: str
    when: When
    free: int
    few: bool = False
    closed: str = ""
    chosen: bool = False


@dataclass(frozen=True)
class Month:
    """A calendar page: weeks of seven days, None where the month has not begun or is over."""

    first: date
    weeks: tuple[tuple[Day | None, ...], ...]
    before_url: str = ""
    after_url: str = ""


@dataclass(frozen=True)
class Taken:
    """The slot another customer got first, and the nearest others. The benefit was not touched."""

    time: str
    nearest: tuple[Slot, ...]


@dataclass(frozen=True)
class Times:
    """The day-and-time picker. `entitlement` and `idempotency_key` travel in the form;
    `benefit_line` says which benefit is used. `wait_url` leads to the waiting
    list for the chosen day; `reasons` say why no day can be chosen, `day_reasons` why the chosen one can't be;
    `slow` says that requests are answered slowly today. With `present`, it picks a new time
    for a booking that has that one; `who_url` is then blank. `venue` is where somebody is sent (a public id), and
    `questions` what they need to know, answered as in `form`; neither for what is done at the offer's own site."""

    offer: str
    site: str
    tier: str
    package: Package
    person: Person
    days: tuple[Day, ...]
    month: Month
    chosen_day: date | None
    morning: tuple[Slot, ...]
    afternoon: tuple[Slot, ...]
    zone: str
    place_zone: str
    form_action: str
    back_url: str
    who_url: str
    packages_url: str = ""
    entitlement: str = ""
    idempotency_key: str = ""
    hint: str = ""
    taken: Taken | None = None
    reasons: tuple[str, ...] = ()
    day_reasons: tuple[str, ...] = ()
    wait_url: str = ""
    present: When | None = None
    benefit_line: str = ""
    slow: SlowNote | None = None
    venue: str = ""
    questions: tuple[Question, ...] = ()
    form: Form = field(default_factory=Form)

    @property
    def window(self) -> bool:
        """Whether a time is a window within which it begins."""
        return has_windows(self.package.kind)

    @property
    def slots(self) -> tuple[Slot, ...]:
        """All times of the chosen day."""
        return self.morning + self.afternoon

    @property
    def chosen(self) -> Slot | None:
        """The slot that is preselected, if any."""
        return next((slot for slot in self.slots if slot.chosen), None)


_STRIP = 14
_FEW_A_DAY = 5
_NEAREST = 3


def day(known: DayView, chosen: date | None, url: str, wait_url: str = "") -> Day:
    """A day: its free places, or the word that says why it can't be chosen."""
    if known.slots:
        few = known.free <= _FEW_A_DAY
        return Day(known.date, known.free, few=few, chosen=known.date == chosen, url=url)
    full = known.reason is Reason.FULL
    return Day(known.date, None, _why(known.reason), wait_url=wait_url if full else "")


def _why(reason: Reason | None) -> str:
    """The word shown where free places would be; a day for which nothing was published is closed."""
    match reason:
        case Reason.PAST:
            return _("too late")
        case Reason.FULL | Reason.RESERVED:
            return _("full")
    return _("closed")


def strip(days: Sequence[Day], chosen: date | None) -> tuple[Day, ...]:
    """Two weeks of days from the first that can be chosen or waited for, or around the chosen one."""
    first = next((number for number, it in enumerate(days) if it.free is not None or it.wait_url), 0)
    for number, it in enumerate(days):
        if it.day == chosen and number >= first + _STRIP:
            first = number - 3
    return tuple(days[first : first + _STRIP])


def month(first: date, days: dict[date, Day], before_url: str, after_url: str) -> Month:
    """A calendar page that begins on a Monday; days that nothing is known of stay without a word."""
    start = first - timedelta(days=first.weekday())
    weeks = []
    for week in range(6):
        row = []
        for number in range(7):
            at = start + timedelta(days=7 * week + number)
            inside = (at.year, at.month) == (first.year, first.month)
            row.append(days.get(at, Day(at, None)) if inside else None)
        if any(row):
            weeks.append(tuple(row))
    return Month(first, tuple(weeks), before_url, after_url)


def slot(view: SlotView, zone: str, chosen: bool = False) -> Slot:
    """A time to choose."""
    closed = "" if view.bookable else _why(view.reason)
    when = When(view.service_date, zone, view.starts_at, view.ends_at)
    return Slot(view.id, when, 0 if closed else view.free, view.free <= FEW, closed, chosen)


def halves(slots: Sequence[SlotView], zone: str) -> tuple[tuple[Slot, ...], tuple[Slot, ...]]:
    """The times of a day before noon and after, the first free one chosen."""
    first = next((view.id for view in slots if view.bookable), "")
    shown = [slot(view, zone, view.id == first) for view in slots]
    afternoon = tuple(it for it in shown if it.when.starts_at and local(it.when.starts_at, zone).hour >= 12)
    return tuple(it for it in shown if it not in afternoon), afternoon


def taken(gone: SlotView, others: Sequence[SlotView], zone: str) -> Taken:
    """The time that another customer got first, and the nearest others that are free."""

    def distance(view: SlotView) -> tuple[int, float]:
        apart = abs((view.service_date - gone.service_date).days)
        if view.starts_at and gone.starts_at:
            return apart, abs((view.starts_at - gone.starts_at).total_seconds())
        return apart, 0

    free = sorted((view for view in others if view.bookable and view.id != gone.id), key=distance)[:_NEAREST]
    named = time_of(gone.starts_at, zone) if gone.starts_at else _("This day")
    ordered = sorted(free, key=lambda view: (view.service_date, view.starts_at or gone.starts_at or 0))
    return Taken(named, tuple(slot(view, zone) for view in ordered))


def reach(today: date) -> tuple[date, date]:
    """The days that can be looked at: from today, as far as availability reaches."""
    return today, today + timedelta(days=MAX_DAYS - 1)
