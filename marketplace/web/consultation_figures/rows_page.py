"""Which rows of a figure are asked for, and the rows in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import inf
from typing import Literal, cast, get_args

from flask_babel import gettext as _
from flask_babel import ngettext

from booking.consultation.figures import handovers, rows, satisfaction, waiting
from booking.consultation.figures.rows import PARTS, CountedRow, Listing, Part
from booking.consultation.figures.waiting import AGES
from booking.consultation.pledge_figures import SHIFTS, By
from booking.ratings.rate import MOST_STARS
from marketplace.core.errors import NotFound
from marketplace.web import formats
from marketplace.web.consultation_figures.looking import Looking, took
from marketplace.web.consultation_figures.overview_page import age_name
from marketplace.web.department_names import department_name
from marketplace.web.language import by_language
from marketplace.web.parts import Pill

Of = Literal["answers", "waiting", "ratings", "handovers"]


@dataclass(frozen=True)
class Wanted:
    """The rows that are asked for: their query, what they are in words, and the parameters that name them."""

    of: Of
    listing: Listing
    title: str
    about: str
    parameters: dict[str, str]


@dataclass(frozen=True)
class Shown:
    """A row in words. `reference`: the booking's number; `url` leads to the booking where the reader may look at it,
    blank else."""

    reference: str
    url: str
    provider: str
    department: str
    at: datetime
    took: str
    state: Pill
    stars: str
    giver: str
    taker: str


def wanted(it: Looking, of: str, asked: dict[str, str], *, now: datetime) -> Wanted:
    """What an address and its parameters ask for. Raises NotFound for any that no page of ours leads to."""
    if of not in _READ:
        raise NotFound()
    listing, title, about, parameters = _READ[of](it, asked, now)
    return Wanted(cast(Of, of), listing, title, about, parameters)


_Read = tuple[Listing, str, str, dict[str, str]]


def _answers(it: Looking, asked: dict[str, str], _now: datetime) -> _Read:
    by, name, part = asked.get("by", ""), asked.get("name", ""), asked.get("part", "")
    if part not in PARTS or by not in get_args(By) or (by == "all") != (not name) or not _is_group(by, name):
        raise NotFound()
    listing = rows.answers(it.whose, it.days, cast(By, by), name, cast(Part, part))
    about = "" if by == "all" else it.named(by, name)
    return listing, part_names()[cast(Part, part)], about, {"by": by, "name": name, "part": part}


def _is_group(by: str, name: str) -> bool:
    """Whether a group could have that name: what is shown of it is read from its name."""
    if by == "hour":
        return name in {f"{hour:02}" for hour in range(24)}
    if by == "shift":
        return name in SHIFTS
    if by == "day":
        return _is_day(name)
    return True


def _is_day(name: str) -> bool:
    try:
        return date.fromisoformat(name).isoformat() == name
    except ValueError:
        return False


def _waiting(it: Looking, asked: dict[str, str], now: datetime) -> _Read:
    age, at = asked.get("age", ""), _moment(asked.get("at", ""), now)
    if age and age not in {str(number) for number in range(len(AGES))}:
        raise NotFound()
    number = int(age) if age else None
    about = formats.dotted(
        (
            "" if number is None else age_name(number),
            _(
                "as it was on %(day)s at %(time)s",
                day=formats.full_date(at),
                time=formats.local(at).strftime("%H:%M:%S"),
            ),
        )
    )
    listing = waiting.listing(it.whose, number, at=at)
    return listing, _("Who waited for a first answer"), about, {"age": age, "at": at.isoformat()}


def _moment(written: str, now: datetime) -> datetime:
    """The moment that a page of ours wrote; it was not after now."""
    try:
        at = datetime.fromisoformat(written)
    except ValueError as bad:
        raise NotFound() from bad
    if at.tzinfo is None or not datetime(2000, 1, 1, tzinfo=UTC) <= at <= now + timedelta(minutes=1):
        raise NotFound()
    return at


def _ratings(it: Looking, asked: dict[str, str], _now: datetime) -> _Read:
    stars = asked.get("stars", "")
    if stars and stars not in {str(number) for number in range(1, MOST_STARS + 1)}:
        raise NotFound()
    number = int(stars) if stars else None
    about = "" if number is None else ngettext("%(num)d star", "%(num)d stars", number)
    listing = satisfaction.listing(it.whose, it.days, number)
    return listing, _("What customers said"), about, {"stars": stars}


def _handovers(it: Looking, asked: dict[str, str], _now: datetime) -> _Read:
    group, name = asked.get("by", ""), asked.get("name", "")
    if group not in handovers.GROUPS or (group == "all") != (not name):
        raise NotFound()
    about = it.named("department", name) if group == "department" else ""
    listing = handovers.listing(it.whose, it.days, group, name)
    return listing, _("Hand-overs"), about, {"by": group, "name": name}


_READ = {"answers": _answers, "waiting": _waiting, "ratings": _ratings, "handovers": _handovers}


def part_names() -> dict[Part, str]:
    """What is counted of a group."""
    return {
        "all": _("Everything that was asked"),
        "ended": _("Answered, or too late to be in time"),
        "met": _("Answered in time"),
        "breached": _("Promise broken"),
        "unanswered": _("Never answered"),
        "cancelled": _("Ended by the customer before an answer"),
        "open": _("Still running"),
    }


def count(of: Of, total: int) -> str:
    """How many rows there are on all pages."""
    number = formats.number(total)
    if of == "handovers":
        return ngettext("%(number)s hand-over", "%(number)s hand-overs", total, number=number)
    return ngettext("%(number)s consultation", "%(number)s consultations", total, number=number)


def note(total: int, most: int, *, looks_are_written: bool) -> str:
    """What is shown, and what isn't; `most`: how many rows the table for a spreadsheet has at most."""
    return formats.sentences(
        _("Only what was booked and how long it took is shown here: no patient's name and nothing that was said."),
        _("So this look is not written to the audit; opening a booking is.") if looks_are_written else "",
        _("The CSV has the first %(most)s.", most=formats.number(most)) if total > most else "",
    )


def shown(it: Looking, found: Sequence[CountedRow], *, linked: bool) -> tuple[Shown, ...]:
    """The rows in words; `linked` to their bookings."""
    return tuple(
        Shown(
            each.reference,
            it.door.url("booking", booking=each.booking) if linked else "",
            by_language(each.provider),
            department_name(each.department, it.departments),
            each.at,
            took(each.seconds),
            state(each),
            "" if each.stars is None else ngettext("%(num)d star", "%(num)d stars", each.stars),
            each.giver,
            each.taker or _("the queue"),
        )
        for each in found
    )


def state(row: CountedRow) -> Pill:
    """How the promise of a row stands."""
    if row.state == "breached" and row.seconds == inf:
        return Pill(_("Never answered"), "bad", icon="circle-alert")
    return {
        "pending": Pill(_("Running"), "wait", icon="hourglass"),
        "at_risk": Pill(_("Soon too late"), "wait", icon="hourglass"),
        "met": Pill(_("In time"), "ok", icon="check"),
        "breached": Pill(_("Promise broken"), "bad", icon="circle-alert"),
        "cancelled": Pill(_("Ended by the customer"), "off", icon="x"),
    }[row.state]
