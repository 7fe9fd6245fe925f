"""Today's work in words: tiles, what waits, who comes, reports owed, the week's places."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.answering.day import SOON, Arrival, Day, HalfDay, OwedReport, WeekDay
from booking.answering.queue import Waiting
from marketplace.web import formats
from marketplace.web.booking_words import pill
from marketplace.web.desk.left import left_of
from marketplace.web.language import by_language
from marketplace.web.parts import Pill, When


@dataclass(frozen=True)
class Tile:
    """A figure with its name. `aside` stands behind it, in red where something is `late`."""

    name: str
    figure: int
    aside: str = ""
    late: bool = False


@dataclass(frozen=True)
class QueueRow:
    """A thing that waits. `share` is the part of the time to answer that is left (0 to 100), `left` what of it is left
    in words, `tone` `bad`, `wait` or blank. `yes` is what agreeing says, `no` the address of the no; both blank for a
    cancel. `places` beside this one are free at that time; None where the time has gone."""

    matter: str
    booking: str
    reference: str
    version: int
    person: str
    what: str
    aside: str
    when: When
    places: int | None
    left: str
    share: int
    tone: str
    url: str
    yes: str = ""
    no: str = ""


@dataclass(frozen=True)
class ArrivalRow:
    """Somebody who comes today. `pill` says that she is there, or how late she is; None before her time."""

    booking: str
    reference: str
    version: int
    person: str
    offer: str
    when: When
    pill: Pill | None
    came: bool
    url: str


@dataclass(frozen=True)
class ReportRow:
    """A report that is owed: since when, or until when."""

    reference: str
    person: str
    offer: str
    visited: str
    due: str
    pill: Pill | None
    url: str


@dataclass(frozen=True)
class Bar:
    """The places of half a day. `share` of them (0 to 100) is taken; `closed`: nothing is given out."""

    name: str
    text: str
    said: str
    share: int
    full: bool
    closed: bool


@dataclass(frozen=True)
class Column:
    """A day of the week's strip."""

    name: str
    number: str
    today: bool
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class TodayPage:
    """The page's part that changes by itself. `answers`: the reader answers bookings, and is shown what waits."""

    where: str
    tiles: tuple[Tile, ...]
    answers: bool
    queue: tuple[QueueRow, ...]
    more: int
    arrivals: tuple[ArrivalRow, ...]
    to_come: int
    reports: tuple[ReportRow, ...]
    week: tuple[Column, ...]
    arrivals_url: str


def page(day: Day, now: datetime, *, answers: bool) -> TodayPage:
    """The page for a member who does or does not answer bookings."""
    waits = [it for it in day.queue if it.matter != "cancelled"]
    return TodayPage(
        where=_where(day, now),
        tiles=_tiles(day, answers=answers),
        answers=answers,
        queue=tuple(_queued(it, now) for it in day.queue) if answers else (),
        more=day.figures.to_answer - len(waits) if answers else 0,
        arrivals=tuple(_arriving(it) for it in day.arrivals),
        to_come=day.to_come,
        reports=tuple(_owed(it) for it in day.reports),
        week=tuple(_column(it, first=number == 0) for number, it in enumerate(day.week)) if answers else (),
        arrivals_url=url_for("desk.bookings", show="today") if answers else "",
    )


def _where(day: Day, now: datetime) -> str:
    """Whose desk, and which day it is there."""
    zone = formats.zone_note(day.time_zone, now)
    return formats.dotted((by_language(day.provider), formats.day(now, day.time_zone), zone))


def _tiles(day: Day, *, answers: bool) -> tuple[Tile, ...]:
    it = day.figures
    soon = int(SOON.total_seconds() // 60)
    pressing = ngettext("%(num)d within %(min)d min", "%(num)d within %(min)d min", it.pressing, min=soon)
    waiting = Tile(_("To answer"), it.to_answer, pressing if it.pressing else "", late=it.pressing > 0)
    today = Tile(_("Visits today"), it.came, _("of %(num)d checked in", num=it.expected))
    due = ngettext("%(num)d due by tonight", "%(num)d due by tonight", it.reports_today)
    reports = Tile(_("Reports owed"), it.reports, due if it.reports_today else "", late=it.reports_today > 0)
    places = Tile(_("Free this week"), it.left, _("of %(num)d places", num=it.places))
    return (waiting, today, reports, places) if answers else (today, reports)


def _queued(it: Waiting, now: datetime) -> QueueRow:
    words = {"new": _("New booking"), "change": _("Change of date"), "cancelled": _("Cancelled")}
    when = When(it.service_date, it.time_zone, it.starts_at)
    aside = by_language(it.offer)
    if it.old_date is not None:
        aside = _("%(date)s is kept", date=formats.appointment(it.old_date, it.old_starts_at, it.time_zone))
    left, share, tone = _deadline(it, now)
    yes = {"new": "confirm", "change": "accept_change"}.get(it.matter, "")
    no = {"new": "reject", "change": "refuse_change"}.get(it.matter, "")
    return QueueRow(
        it.matter,
        it.booking,
        it.reference,
        it.version,
        it.person,
        words[it.matter],
        aside,
        when,
        it.left,
        left,
        share,
        tone,
        url_for("desk.booking", booking=it.booking),
        yes,
        url_for("desk.answer", booking=it.booking, saying=no) if no else "",
    )


def _deadline(it: Waiting, now: datetime) -> tuple[str, int, str]:
    """How long is left in words, as a share of the whole time, and how pressing that is."""
    if it.due_at is None:
        return formats.moment(it.asked_at, it.time_zone), 0, ""
    return left_of(it.due_at, it.asked_at, now)


def _arriving(it: Arrival) -> ArrivalRow:
    shown = None
    if it.came:
        shown = pill(it.state)
    elif it.late is not None:
        late = formats.span(max(60, int(it.late.total_seconds() // 60) * 60))
        shown = Pill(_("%(time)s late", time=late), "bad", icon="clock")
    return ArrivalRow(
        it.booking,
        it.reference,
        it.version,
        it.person,
        by_language(it.offer),
        When(it.service_date, it.time_zone, it.starts_at),
        shown,
        it.came,
        url_for("desk.booking", booking=it.booking),
    )


def _owed(it: OwedReport) -> ReportRow:
    last = it.due_at - timedelta(seconds=1)  # midnight closes the day before
    shown = Pill(_("Overdue"), "bad", icon="triangle-alert") if it.overdue else None
    return ReportRow(
        it.reference,
        it.person,
        by_language(it.offer),
        _("visit on %(date)s", date=formats.date_of(it.service_date)),
        _("by %(date)s", date=formats.date_of(last, it.time_zone)),
        shown,
        url_for("desk.report_new", booking=it.booking),
    )


def _column(it: WeekDay, *, first: bool) -> Column:
    name = _("Today") if first else formats.weekday(it.day)
    return Column(name, str(it.day.day), first, tuple(map(_bar, it.parts)))


def _bar(it: HalfDay) -> Bar:
    names = {"morning": _("Morning"), "afternoon": _("Afternoon"), "day": _("All day")}
    name, taken = names[it.part], it.places - it.left
    full = not it.closed and it.left <= 0
    text = _("closed") if it.closed else _("full") if full else _("%(num)d free", num=it.left)
    said = _("%(part)s: %(taken)d of %(places)d taken", part=name, taken=taken, places=it.places)
    share = round(100 * taken / it.places) if it.places else 0
    return Bar(name, text, said, share, full, it.closed)
