"""The waiting list in words: limits, the status of an entry, the choices of its form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.waiting.view import HeldPlace, WaitingSite, WaitingView
from marketplace.web import formats
from marketplace.web.booking.finding.packages_page import Package
from marketplace.web.kind_words import nouns
from marketplace.web.language import by_language
from marketplace.web.parts import Choice, Form, Person, Pill, When
from marketplace.web.people import named
from marketplace.web.place_words import district_name, site_name


@dataclass(frozen=True)
class WaitingPlace:
    """The place that is held for an entry; `left` and `total` are seconds. `submitted` once it is on its way."""

    when: When
    place: str
    url: str
    left: int
    total: int
    submitted: bool = False


@dataclass(frozen=True)
class WaitingRow:
    """An entry of the waiting list: what is waited for, inside which limits. `said` is its status now;
    `stop_url` is empty when it is over, `again_url` leads to a new one then."""

    id: str
    title: str
    person: str
    places: str
    days: str
    limits: str
    pill: Pill
    said: str
    held: WaitingPlace | None = None
    stop_url: str = ""
    again_url: str = ""


@dataclass(frozen=True)
class WaitingList:
    """`version` is the ETag, quotes included, that `waiting_live` would answer now; `final` when nothing changes."""

    rows: tuple[WaitingRow, ...]
    version: str
    final: bool


@dataclass(frozen=True)
class WaitingPage:
    """The form of a new entry. `earliest` and `latest` bound the days; `places` are the sites to choose from (value:
    an offer), `weekdays` ISO numbers, `parts` and `hours` pairs of value and label. `existing_url` is where the entry
    is that stands in the way."""

    site: str
    package: Package
    person: Person
    form: Form
    earliest: date
    latest: date
    places: tuple[Choice, ...]
    weekdays: tuple[Choice, ...]
    parts: tuple[tuple[str, str], ...]
    hours: tuple[tuple[str, str], ...]
    place_zone: str
    cancel_line: str
    form_action: str
    back_url: str
    who_url: str
    auto_book: bool = False
    entitlement: str = ""
    idempotency_key: str = ""
    existing_url: str = ""
    reasons: tuple[str, ...] = ()


PARTS: dict[str, tuple[int, int]] = {"any": (0, 24), "am": (0, 12), "pm": (12, 24)}
HOURS = (0, 24, 48, 72, 168)
FEW_DAYS = 14
_MONDAY = date(2024, 1, 1)
_SITES_NAMED = 2


def row(view: WaitingView, now: datetime) -> WaitingRow:
    """An entry as the list shows it."""
    first = view.sites[0]
    again = {"for": view.beneficiary_id}
    return WaitingRow(
        view.id,
        by_language(first.offer_name),
        named(view.beneficiary_name, view.relation),
        places(view.sites),
        days(view.first_day, view.last_day),
        limits(view),
        pill(view),
        said(view),
        held(view.held, now) if view.held is not None and view.state == "offered" else None,
        stop_url=url_for("web.waiting_stop", entry=view.id) if view.state in ("waiting", "offered") else "",
        again_url=f"{url_for('web.waiting_new', offer=first.offer_id)}?{urlencode(again)}"
        if view.state == "ended" and view.cause not in ("person_gone", "offer_closed", "booked_otherwise")
        else "",
    )


def held(place: HeldPlace, now: datetime) -> WaitingPlace:
    """The place that is held; the seconds come from the server."""
    submitted = place.state != "held"
    address = "web.booking" if submitted else "web.confirm"
    return WaitingPlace(
        When(place.service_date, place.time_zone, place.starts_at, place.ends_at),
        site_name(place.site_name),
        url_for(address, booking=place.booking_id),
        max(0, int((place.until - now).total_seconds())),
        max(1, int((place.until - place.offered_at).total_seconds())),
        submitted,
    )


def places(sites: Sequence[WaitingSite]) -> str:
    """The first two by name, the rest as a number."""
    names = [site_name(site.site_name, site.city, site.district) for site in sites[:_SITES_NAMED]]
    more = len(sites) - len(names)
    return formats.listed([*names, ngettext("%(num)d more place", "%(num)d more places", more)] if more else names)


def days(first: date, last: date) -> str:
    """`10 March`, `10 March to 24 March`."""
    if first == last:
        return formats.day(first)
    return _("%(first)s to %(last)s", first=formats.date_of(first), last=formats.date_of(last))


def limits(view: WaitingView) -> str:
    """The limits besides days and sites; empty without any."""
    lines = []
    if len(view.weekdays) < 7:
        lines.append(formats.listed(weekday(day) for day in view.weekdays))
    part = part_of(view.from_hour, view.until_hour)
    if part == "am":
        lines.append(_("Morning"))
    elif part == "pm":
        lines.append(_("Afternoon"))
    elif part is None:
        lines.append(_("%(first)s to %(last)s", first=f"{view.from_hour}:00", last=f"{view.until_hour}:00"))
    if view.hours_before:
        lines.append(hours_line(view.hours_before))
    if view.auto_book:
        lines.append(_("Booked for you at once"))
    return formats.dotted(lines)


def part_of(from_hour: int, until_hour: int) -> str | None:
    """The part of the day that these hours are, None for others."""
    return next((name for name, hours in PARTS.items() if hours == (from_hour, until_hour)), None)


def weekday(number: int) -> str:
    """`周一`, `Mon` for an ISO weekday."""
    return formats.weekday(_MONDAY + timedelta(days=number - 1))


def hours_line(hours: int) -> str:
    """How long ahead she wants to know."""
    if hours % 24 == 0 and hours:
        return ngettext("at least %(num)d day ahead", "at least %(num)d days ahead", hours // 24)
    return ngettext("at least %(num)d hour ahead", "at least %(num)d hours ahead", hours)


def pill(view: WaitingView) -> Pill:
    """The state in a word."""
    if view.state == "offered" and view.held is not None and view.held.state != "held":
        return Pill(_("Requested"), "wait", icon="hourglass")
    words = {
        "waiting": Pill(_("Waiting"), "wait", icon="hourglass"),
        "offered": Pill(_("A place for you"), "ok", icon="bell"),
        "ended": Pill(_("Over"), "off", icon="clock"),
    }
    return words.get(view.state, words["ended"])


def said(view: WaitingView) -> str:
    """One sentence: what happens now, or why it is over."""
    if view.state == "offered" and view.held is not None:
        if view.held.state != "held":
            return _("Submitted for you. %(Place)s's answer comes here.", **nouns(view.kind))
        return _("Confirm it before the time is over, or the next in line is asked.")
    if view.state == "waiting":
        if not view.unit_free:
            return _("Your benefit is all in use just now. We ask you as soon as one use is free again.")
        if view.lapses:
            return _("You let one place pass. After a second one the wait ends.")
        return _("We tell you as soon as a place is free. Nothing is taken from your benefit until then.")
    ended = {
        "over": _("No place came free in time. Your benefit is untouched."),
        "lapsed": _("Two places were held for you and not confirmed. Your benefit is untouched."),
        "entitlement_gone": _("There is no benefit left for these days."),
        "person_gone": _("This person is no longer in your family list."),
        "offer_closed": _("The places you chose no longer give this service."),
        "booked_otherwise": _("You have booked meanwhile."),
    }
    return ended.get(view.cause, "")


# --- the form -------------------------------------------------------------------------------------------------------


def site_choices(sites: Sequence[WaitingSite], on: Sequence[str]) -> tuple[Choice, ...]:
    """The sites to tick; the district tells two of a name apart."""
    return tuple(
        Choice(
            site.offer_id,
            formats.dotted((site_name(site.site_name, site.city, site.district), district_name(site.district))),
            site.offer_id in on,
        )
        for site in sites
    )


def weekday_choices(on: Sequence[int]) -> tuple[Choice, ...]:
    """Monday to Sunday."""
    return tuple(Choice(str(number), weekday(number), number in on) for number in range(1, 8))


def part_choices() -> tuple[tuple[str, str], ...]:
    """Parts of the day."""
    return (("any", _("Any time")), ("am", _("Morning")), ("pm", _("Afternoon")))


def hour_choices() -> tuple[tuple[str, str], ...]:
    """How long ahead she must know."""
    return tuple((str(hours), hours_line(hours) if hours else _("until booking closes")) for hours in HOURS)
