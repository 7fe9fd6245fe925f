"""Escort workers in words: lines of the list, one in full, and the form about her."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.escort.workers.absence import Away, Promised
from booking.escort.workers.home import Home
from booking.escort.workers.profile import City, Profile
from booking.escort.workers.read import WorkerLine, WorkerView
from booking.escort.workers.roster import Hours
from marketplace.catalog.schemas.pieces import LANGUAGES
from marketplace.core.text import Text
from marketplace.web import formats
from marketplace.web.desk.dispatching import words
from marketplace.web.language import by_language
from marketplace.web.parts import Fact, Pill
from marketplace.web.place_words import city_name, district_name, site_name

_BETWEEN = "|"


@dataclass(frozen=True)
class Row:
    """A line of the list. `pill` says what stands against sending her, or that nothing does."""

    id: str
    name: str
    about: str
    city: str
    languages: str
    to_come: str
    pill: Pill


@dataclass(frozen=True)
class HoursRow:
    """A line of a roster; `key` is what a form calls it."""

    key: str
    days: str
    times: str
    valid: str


@dataclass(frozen=True)
class AwayRow:
    """A time in which she is away."""

    id: str
    when: str
    cause: str


@dataclass(frozen=True)
class PromisedRow:
    """An escort that she is asked for or has accepted."""

    reference: str
    url: str
    when: str
    venue: str
    pill: Pill


@dataclass(frozen=True)
class VenueRow:
    """A venue by the public id of its site."""

    id: str
    name: str
    where: str


@dataclass(frozen=True)
class WorkerPage:
    """A worker in full; `seen` is what her page was drawn from. `missing` says what still keeps her from being sent, a
    sentence each."""

    id: str
    seen: str
    name: str
    pill: Pill
    facts: tuple[Fact, ...]
    missing: tuple[str, ...]
    papers: str
    member: str
    ended: bool
    hours: tuple[HoursRow, ...]
    away: tuple[AwayRow, ...]
    promised: tuple[PromisedRow, ...]
    known: tuple[VenueRow, ...]


def home_words(it: Home | None) -> str:
    """Where she sets out from, about, and which place is near; blank where that is not given."""
    if it is None:
        return ""
    latitude, longitude = (formats.number(each) for each in (it.position.latitude, it.position.longitude))
    at = _("About latitude %(latitude)s, longitude %(longitude)s", latitude=latitude, longitude=longitude)
    if it.near is None:
        return at
    place = site_name(it.near.place, it.near.city, it.near.district)
    kilometres = formats.number(max(1, round(it.near.metres / 100)) / 10)
    return formats.dotted((at, _("%(number)s km from %(place)s", number=kilometres, place=place)))


def row(it: WorkerLine) -> Row:
    """A line of the list."""
    to_come = ngettext("%(num)d escort to come", "%(num)d escorts to come", it.to_come) if it.to_come else ""
    return Row(
        it.id,
        it.name,
        formats.dotted((it.staff_number, by_language(it.qualification))),
        city_name(it.city[1]),
        words.languages(it.languages),
        to_come,
        _pill(ended=it.ended, papers=it.papers, hours=it.hours, away=it.away),
    )


def page(it: WorkerView, now: datetime) -> WorkerPage:
    """One in full."""
    said = it.profile
    away_now = any(each.since <= now for each in it.away)
    papers = ""
    if it.papers_checked_at is not None:
        papers = _("Looked at on %(date)s", date=formats.date_of(it.papers_checked_at, it.zone))
    missing = (
        "" if papers else _("Look at her identity card and her health certificate, then say so below."),
        "" if it.hours else _("Write her weekly hours: without them she is asked for nothing."),
    )
    return WorkerPage(
        it.id,
        it.seen.isoformat(),
        said.shown_name,
        _pill(ended=it.ended_at is not None, papers=bool(papers), hours=bool(it.hours), away=away_now),
        _facts(it),
        tuple(each for each in missing if each) if it.ended_at is None else (),
        papers,
        it.member.name if it.member else "",
        it.ended_at is not None,
        tuple(hours_row(each) for each in it.hours),
        tuple(away_row(each, it.zone) for each in it.away),
        tuple(promised_row(each) for each in it.promised),
        tuple(
            VenueRow(each.id, site_name(each.name, said.city[1], each.district), district_name(each.district))
            for each in it.known
        ),
    )


def hours_row(it: Hours) -> HoursRow:
    """A line of her roster."""
    since = _("from %(date)s", date=formats.full_date(it.first))
    if it.last is not None:
        since = _("%(first)s to %(last)s", first=formats.full_date(it.first), last=formats.full_date(it.last))
    times = f"{words.clock_of(it.start_minute)}–{words.clock_of(it.end_minute)}"
    return HoursRow(it.key, words.days_line(it.weekdays), times, since)


def away_row(it: Away, zone: str) -> AwayRow:
    """A time in which she is away."""
    since = formats.moment(it.since, zone)
    when = _("since %(time)s, until she is back", time=since)
    if it.until is not None:
        when = _("%(first)s to %(last)s", first=since, last=formats.moment(it.until, zone))
    return AwayRow(it.id, when, words.absence_cause(it.cause))


def promised_row(it: Promised) -> PromisedRow:
    """An escort of hers."""
    day = formats.day(it.starts_at, it.time_zone)
    return PromisedRow(
        it.reference,
        url_for("desk.dispatch_booking", booking=it.booking),
        f"{day} {formats.time_range(it.starts_at, it.ends_at, it.time_zone)}",
        site_name(it.venue),
        words.standing_pill("accepted" if it.accepted else "asked"),
    )


def city_options(cities: Sequence[City]) -> list[tuple[str, str]]:
    """The cities to choose from, as value and name."""
    return [(_BETWEEN.join(city), city_name(city[1])) for city in cities]


def profile_in(fields: Mapping[str, str], chosen: Sequence[str]) -> Profile:
    """What the form says."""
    province, _between, city = fields.get("city", "").partition(_BETWEEN)
    return Profile(
        fields.get("shown_name", ""),
        fields.get("sex", ""),
        tuple(chosen),
        (province, city),
        fields.get("staff_number", ""),
        Text(fields.get("qualification_zh", ""), fields.get("qualification_en", "")),
        fields.get("phone", ""),
        bool(fields.get("auto")),
    )


def fields_of(it: Profile) -> dict[str, str]:
    """The form's fields that say it."""
    return {
        "shown_name": it.shown_name,
        "sex": it.sex,
        "city": _BETWEEN.join(it.city),
        "staff_number": it.staff_number,
        "qualification_zh": it.qualification.zh,
        "qualification_en": it.qualification.en,
        "phone": it.phone.removeprefix("+86"),
        "auto": "1" if it.auto else "",
        **{f"language.{code}": "1" for code in it.languages},
    }


def languages_in() -> list[str]:
    """Those that are ticked in this request's form."""
    return [code for code in LANGUAGES if request.form.get(f"language.{code}")]


def _facts(it: WorkerView) -> tuple[Fact, ...]:
    said = it.profile
    facts = (
        Fact(_("Staff number"), said.staff_number),
        Fact(_("Qualification"), by_language(said.qualification)),
        Fact(_("Sex"), words.sex_name(said.sex)),
        Fact(_("Languages"), words.languages(said.languages)),
        Fact(_("City"), city_name(said.city[1])),
        Fact(_("Mobile number"), said.phone.removeprefix("+86")),
        Fact(_("May be asked automatically"), _("Yes") if said.auto else _("No, by the desk alone")),
        Fact(_("Escorts done"), formats.number(it.done)),
        Fact(_("Works here since"), formats.full_date(it.active_from, it.zone)),
        Fact(_("Ended"), formats.full_date(it.ended_at, it.zone) if it.ended_at else ""),
    )
    return tuple(fact for fact in facts if fact.value)


def _pill(*, ended: bool, papers: bool, hours: bool, away: bool) -> Pill:
    if ended:
        return Pill(_("Ended"), "off", "x")
    if not papers:
        return Pill(_("Papers to look at"), "wait", "id-card")
    if away:
        return Pill(_("Away"), "wait", "calendar-x")
    if not hours:
        return Pill(_("No hours yet"), "wait", "clock")
    return Pill(_("In service"), "ok", "check")
