"""The figures of a provider in words and as a small picture: what its operators and its own people see of its calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext

from booking.calls.breaker import Call
from booking.health.answers import ANSWERS
from booking.health.counts import Came
from booking.health.figures import Figures, Point, Window
from marketplace.web import formats
from marketplace.web.parts import Link

WIDTH, HEIGHT, LEFT, FOOT, HEAD = 560, 150, 40, 22, 16
"""The picture and its margins, in its own units."""


@dataclass(frozen=True)
class FigureRow:
    """One kind of call within the window; blank texts where nothing is known. `bad`: many of them failed."""

    name: str
    calls: int
    success: str
    bad: bool
    p50: str
    p95: str
    errors: tuple[str, ...]


@dataclass(frozen=True)
class Bar:
    """One step of the picture: `good`, `later` (asked to come later) and `failed` are (top, height)."""

    x: float
    width: float
    good: tuple[float, float]
    later: tuple[float, float]
    failed: tuple[float, float]


@dataclass(frozen=True)
class ValueRow:
    """The same step in the table beside the picture."""

    at: datetime
    calls: int
    later: int
    failed: int
    p95: str


@dataclass(frozen=True)
class Picture:
    """Bars from left to right, placed by attributes in the picture's units. `title` and `description` say in words what
    is to be seen, `rows` the same in numbers (steps without calls are left out); `bars` are empty where there was
    none."""

    title: str
    description: str
    bars: tuple[Bar, ...]
    most: str
    labels: tuple[tuple[float, str, str], ...]
    rows: tuple[ValueRow, ...]
    zone: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - FOOT
    head: int = HEAD


def call_names() -> dict[str, str]:
    """What each kind of call is for."""
    return {
        Call.COMMANDS.value: _("Commands"),
        Call.SLOTS.value: _("Slots"),
        Call.BOOKINGS.value: _("Booking changes"),
        Call.REPORTS.value: _("Reports"),
        Call.FETCHES.value: _("Fetching reports"),
        Call.RECONCILE.value: _("Reconciliation"),
        Call.LOOK_UPS.value: _("Looking bookings up"),
        Call.STRAYS.value: _("Cancelling what is nobody's"),
        Call.CONSULTATIONS.value: _("Reading what doctors answered"),
        Call.ESCORTS.value: _("Reading what escorts did"),
        ANSWERS: _("Answers to requests"),
    }


def came_names() -> dict[Came, str]:
    """What may come of a call instead of an answer."""
    return {
        Came.TIMED_OUT: _("no answer in time"),
        Came.UNREACHED: _("no connection"),
        Came.SERVER_ERRORS: _("error of its server (5xx)"),
        Came.CLIENT_ERRORS: _("call refused (4xx)"),
        Came.UNREADABLE: _("answer not readable"),
        Came.RATE_LIMITED: _("asked to come later"),
        Came.OTHER_ERRORS: _("connection broke off"),
    }


def took(milliseconds: float | None) -> str:
    """A length of time as calls have it: `640 ms`, `4.1 s`, `3 min`; blank where nothing is known."""
    if milliseconds is None:
        return ""
    if milliseconds < 1000:
        return _("%(num)s ms", num=formats.number(round(milliseconds)))
    if milliseconds < 60_000:
        return _("%(num)s s", num=formats.number(round(milliseconds / 1000, 1)))
    return formats.span(milliseconds / 1000)


def part(value: float | None) -> str:
    """A part as per cent; blank where nothing is known."""
    return "" if value is None else formats.percent(value)


def errors(figures: Figures) -> tuple[str, ...]:
    """What came instead of answers, the commonest first."""
    names = came_names()
    found = [(number, names[came]) for came, number in figures.came.items() if number and came in names]
    return tuple(
        _("%(what)s: %(num)s", what=name, num=formats.number(number)) for number, name in sorted(found, reverse=True)
    )


def rows(figures: Mapping[str, Figures]) -> tuple[FigureRow, ...]:
    """One row for each kind of call that happened; where many failed it is marked."""
    return tuple(_row(name, figures[call]) for call, name in call_names().items() if call in figures)


def _row(name: str, it: Figures) -> FigureRow:
    return FigureRow(
        name, it.calls, part(it.success), it.failing, took(it.percentile(0.5)), took(it.percentile(0.95)), errors(it)
    )


def windows(chosen: Window, urls: Mapping[Window, str]) -> tuple[Link, ...]:
    """The choice of how far back is looked."""
    names = {Window.HOUR: _("1 hour"), Window.DAY: _("24 hours"), Window.WEEK: _("7 days")}
    return tuple(Link(names[each], urls[each], each is chosen) for each in Window)


def picture(title: str, points: Sequence[Point], zone: str) -> Picture:
    """The line of calls as bars: what was answered, above it what was asked to come later, then what failed."""
    most = max((it.figures.calls for it in points), default=0)
    width = (WIDTH - LEFT) / max(len(points), 1)
    height = HEIGHT - FOOT - HEAD
    bars = []
    for number, it in enumerate(points):
        failed = height * it.figures.failed / most if most else 0.0
        good = height * it.figures.came.get(Came.SUCCEEDED, 0) / most if most else 0.0
        later = height * it.figures.later / most if most else 0.0
        base = HEIGHT - FOOT
        bars.append(
            Bar(
                round(LEFT + number * width + 1, 1),
                round(max(width - 2, 1), 1),
                (round(base - good, 1), round(good, 1)),
                (round(base - good - later, 1), round(later, 1)),
                (round(base - good - later - failed, 1), round(failed, 1)),
            )
        )
    return Picture(
        title,
        _described(points),
        tuple(bars) if most else (),
        formats.number(most),
        _labels(points, zone),
        tuple(
            ValueRow(it.at, it.figures.calls, it.figures.later, it.figures.failed, took(it.figures.percentile(0.95)))
            for it in points
            if it.figures.calls
        ),
        zone,
    )


def _described(points: Sequence[Point]) -> str:
    calls, failed = sum(it.figures.calls for it in points), sum(it.figures.failed for it in points)
    return formats.sentences(
        ngettext("%(num)d call in all.", "%(num)d calls in all.", calls),
        ngettext("%(num)d failed.", "%(num)d failed.", failed) if failed else _("None failed."),
    )


def _labels(points: Sequence[Point], zone: str) -> tuple[tuple[float, str, str], ...]:
    if not points:
        return ()
    long = points[-1].at - points[0].at > Window.DAY.length
    word = formats.date_of if long else formats.time_of
    middle = points[len(points) // 2]
    return (
        (LEFT, word(points[0].at, zone), "start"),
        ((WIDTH + LEFT) / 2, word(middle.at, zone), "middle"),
        (WIDTH, word(points[-1].at, zone), "end"),
    )
