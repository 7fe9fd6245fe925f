"""The board in words: who has nobody yet and how long is left, and the days ahead with who goes where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from flask import url_for
from flask_babel import gettext as _
from flask_babel import pgettext

from booking.escort.at_desk.board import Board, Line
from booking.escort.at_desk.cases import DeskCase
from marketplace.core.clock import today
from marketplace.web import formats
from marketplace.web.desk.case_words import CANCELLED, ESCORT_CASES
from marketplace.web.desk.dispatching import words
from marketplace.web.desk.left import left_of
from marketplace.web.language import by_language
from marketplace.web.parts import Pill
from marketplace.web.place_words import city_name, site_name


@dataclass(frozen=True)
class Row:
    """A booking. `who` is the worker or blank; `left`, `share` and `tone` say how long there is for an answer: of
    whoever is asked, else until somebody must be found; blank where nobody has to answer any more."""

    reference: str
    person: str
    offer: str
    venue: str
    city: str
    time: str
    day: str
    who: str
    pill: Pill
    left: str
    left_for: str
    share: int
    tone: str
    url: str
    aside: str


@dataclass(frozen=True)
class AtVenue:
    """The bookings of a day at one venue."""

    name: str
    city: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class OnDay:
    """The bookings of a day."""

    name: str
    places: tuple[AtVenue, ...]


@dataclass(frozen=True)
class CaseRow:
    """A booking that a person of the desk is to look at: what is so, and what to do."""

    what: str
    does: str
    reference: str
    day: str
    at: datetime
    url: str


@dataclass(frozen=True)
class BoardPage:
    """The part of the page that changes by itself. `cases` are of all days, whatever is narrowed. `cities` and
    `venues` are pairs for filters, value and name; `elsewhere`: the provider's own system says who goes."""

    cases: tuple[CaseRow, ...]
    without: tuple[Row, ...]
    days: tuple[OnDay, ...]
    asked: int
    accepted: int
    cities: tuple[tuple[str, str], ...]
    venues: tuple[tuple[str, str], ...]
    more: bool
    elsewhere: bool


def page(found: Board, cases: Sequence[DeskCase], now: datetime) -> BoardPage:
    """The board."""
    standings = [each.standing for each in found.lines]
    return BoardPage(
        tuple(case_row(each) for each in cases),
        tuple(row(each, now) for each in found.without),
        tuple(_days((each for each in found.lines if each.standing != "without"), now)),
        standings.count("asked"),
        standings.count("accepted"),
        tuple((city, city_name(city)) for city in found.cities),
        tuple((each.id, site_name(each.name, each.city, each.district, each.province)) for each in found.venues),
        found.more,
        found.elsewhere,
    )


def case_row(it: DeskCase) -> CaseRow:
    """A case."""
    what, does = CANCELLED if it.cancelled else ESCORT_CASES[it.kind]
    url = url_for("desk.dispatch_booking", booking=it.booking)
    return CaseRow(str(what), str(does), it.reference, formats.day(it.service_date), it.opened_at, url)


def standings() -> dict[str, str]:
    """What the board can be narrowed to; blank is all of it."""
    return {
        "": _("All"),
        "without": _("Without a worker"),
        "asked": pgettext("dispatch", "Asked"),
        "accepted": pgettext("dispatch", "Accepted"),
    }


def row(it: Line, now: datetime) -> Row:
    """A line of the board."""
    standing = it.standing
    left, left_for, share, tone = _left(it, now)
    asides = (
        _("%(name)s is away then", name=it.sent.name) if it.sent is not None and it.sent.away else "",
        _("Another time is proposed") if it.proposed else "",
        _("Under way") if it.begun else "",
        "" if it.waits or standing == "accepted" else _("Confirmed: somebody has to go"),
    )
    return Row(
        it.reference,
        it.person,
        by_language(it.offer),
        site_name(it.venue.name, it.venue.city, it.venue.district, it.venue.province),
        city_name(it.venue.city),
        formats.time_range(it.starts_at, it.ends_at, it.time_zone) if it.starts_at else _("All day"),
        formats.day(it.service_date),
        it.sent.name if it.sent is not None and not it.sent.away else "",
        words.standing_pill(standing, nobody=it.nobody),
        left,
        left_for,
        share,
        tone,
        url_for("desk.dispatch_booking", booking=it.booking),
        formats.dotted(each for each in asides if each),
    )


def _left(it: Line, now: datetime) -> tuple[str, str, int, str]:
    if it.standing == "accepted":
        return "", "", 0, ""
    if it.standing == "asked" and it.sent is not None:
        left, share, tone = left_of(it.sent.due_at, it.sent.asked_at, now)
        return left, _("Left for her answer:"), share, tone
    left, share, tone = left_of(it.due_at, it.asked_at, now)
    return left, _("Left to find somebody:"), share, tone


def _days(lines: Iterable[Line], now: datetime) -> Iterable[OnDay]:
    for day, of_day in groupby(lines, key=lambda each: each.service_date):
        every = sorted(of_day, key=lambda each: (each.venue.city, each.venue.name))
        places = []
        for venue, here in groupby(every, key=lambda each: each.venue):
            rows = tuple(row(each, now) for each in here)
            places.append(AtVenue(rows[0].venue, city_name(venue.city), rows))
        yield OnDay(_day_name(day, every[0].time_zone, now), tuple(places))


def _day_name(day: date, zone: str, now: datetime) -> str:
    first = today(zone, now)
    named = {first: _("Today"), first + timedelta(days=1): _("Tomorrow")}.get(day, "")
    return formats.dotted(each for each in (named, formats.day(day)) if each)
