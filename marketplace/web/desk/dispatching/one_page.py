"""A booking's dispatch in words: what was asked for, who is asked or goes, who could, and why the others can't."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import url_for
from flask_babel import gettext as _

from booking.answering.shown import WithPerson
from booking.escort.assigning.place import PASSED_OVER
from booking.escort.at_desk.asked import Ask
from booking.escort.at_desk.cases import DeskCase
from booking.escort.matching.against import Against
from booking.escort.matching.match import Match
from booking.escort.matching.people import Candidate, Request
from booking.escort.matching.score import Fit
from booking.escort.matching.words import explained, helps, lacking, points
from marketplace.catalog.benefit_kind import age_on
from marketplace.web import formats
from marketplace.web.desk.dispatching import words
from marketplace.web.desk.dispatching.dispatch_page import CaseRow, case_row
from marketplace.web.desk.left import left_of
from marketplace.web.desk.work.bookings_page import status_pill
from marketplace.web.escort_words import ended
from marketplace.web.kind_words import answered
from marketplace.web.language import by_language
from marketplace.web.parts import Fact, Pill, When
from marketplace.web.place_words import full_address, site_name

MOST_FITS = 10


@dataclass(frozen=True)
class Current:
    """Who is asked, or goes. `due` says until when she may answer, with what is left of that; blank once she did.
    `told`: whether a message of it was sent to her phone; `untold`: she may not know of it."""

    assignment: str
    worker: str
    name: str
    number: str
    pill: Pill
    accepted: bool
    due: str
    left: str
    tone: str
    by: str
    told: str
    untold: bool


@dataclass(frozen=True)
class FitRow:
    """Somebody who can go. `why` says what speaks for her and against her, the score in it; `way` how long she needs to
    get there."""

    worker: str
    name: str
    way: str
    score: int
    why: str
    alone: bool


@dataclass(frozen=True)
class AgainstRow:
    """Somebody who can't go, and why; `may_ask`: a person at the desk may ask her all the same."""

    worker: str
    name: str
    why: str
    may_ask: bool


@dataclass(frozen=True)
class Past:
    """Somebody who was asked before, and what became of it."""

    name: str
    what: str
    at: datetime
    by: str


@dataclass(frozen=True)
class DispatchPage:
    """One booking. `closed` says why nobody can be asked, blank where somebody can; `begun`: by the desk alone;
    `explanation` counts the city's workers; `helps` says what would help where nobody fits, and `propose_url` leads to
    proposing another time, blank where that can't be done. `elsewhere`: the provider's own system says who goes, and
    nothing is done here."""

    id: str
    reference: str
    offer: str
    when: When
    pill: Pill
    until: str
    facts: tuple[Fact, ...]
    answers: tuple[Fact, ...]
    closed: str
    begun: bool
    current: Current | None
    fits: tuple[FitRow, ...]
    more_fits: int
    against: tuple[AgainstRow, ...]
    explanation: str
    helps: str
    propose_url: str
    past: tuple[Past, ...]
    cases: tuple[CaseRow, ...]
    elsewhere: bool = False


def page(
    found: WithPerson,
    offer: str,
    asks: Sequence[Ask],
    cases: Sequence[DeskCase],
    match: Match,
    now: datetime,
    *,
    closed: str,
    may_propose: bool,
    elsewhere: bool = False,
) -> DispatchPage:
    """The page of a booking with the name of its offer, those who were asked, and what is to be looked at of it;
    `closed`: why nobody can be asked; `may_propose`: the reader may propose another time; `elsewhere`: the provider's
    own system sends people."""
    it = found.booking
    live = next((each for each in asks if each.live), None)
    until = ""
    if it.status == "requested" and it.answer_due_at is not None:
        until = _("Answer by %(time)s.", time=formats.deadline(it.answer_due_at, it.time_zone))
    shown = not closed and live is None
    return DispatchPage(
        it.id,
        it.reference,
        offer,
        When(it.service_date, it.time_zone, it.starts_at, it.ends_at),
        status_pill(it.status),
        until,
        (*_where(found), *_person(found)),
        answered(found.answers, it.kind),
        closed,
        match.request.starts_at <= now,
        None if live is None else _current(live, it.time_zone, now),
        tuple(_fit(each) for each in match.fitting[:MOST_FITS]) if shown else (),
        max(0, len(match.fitting) - MOST_FITS) if shown else 0,
        tuple(_against(each, code, match.request) for each, code in match.against if code in _NAMED) if shown else (),
        by_language(explained(match)),
        _helps(match),
        _propose_url(it.id, match) if may_propose else "",
        tuple(_past(each) for each in asks if not each.live),
        tuple(case_row(each) for each in cases),
        elsewhere,
    )


def _propose_url(booking: str, match: Match) -> str:
    """Where another time is proposed; the one that would help is chosen there."""
    helps_at = match.relaxation.request.starts_at if match.relaxation is not None else None
    moves = helps_at is not None and helps_at != match.request.starts_at
    at = helps_at.astimezone(UTC).isoformat() if helps_at is not None and moves else None
    return url_for("desk.answer", booking=booking, saying="propose", at=at)


def _helps(match: Match) -> str:
    if match.fitting:
        return ""
    if match.relaxation is not None:
        return by_language(helps(match.relaxation))
    return by_language(lacking(match.request, match.missing))


def _current(it: Ask, zone: str, now: datetime) -> Current:
    due, left, tone = "", "", ""
    if not it.accepted:
        due = _("She answers by %(time)s.", time=formats.deadline(it.due_at, zone))
        left, _share, tone = left_of(it.due_at, it.asked_at, now)
    return Current(
        it.id,
        it.worker,
        it.name,
        it.staff_number,
        words.standing_pill("accepted" if it.accepted else "asked"),
        it.accepted,
        due,
        left,
        tone,
        _by(it),
        words.told(it.told),
        it.told in ("no_phone", "failed"),
    )


def _fit(it: Fit) -> FitRow:
    why = formats.dotted(by_language(points(each)) for each in it.why)
    way = _("about %(time)s on the way", time=formats.span(it.travel_seconds))
    return FitRow(it.worker.public_id, it.worker.name, way, it.score, why, not it.worker.auto)


def _against(it: Candidate, code: Against, request: Request) -> AgainstRow:
    return AgainstRow(it.public_id, it.name, against_line(code, request), code in PASSED_OVER)


def against_line(code: Against, request: Request) -> str:
    """What stands against sending one worker."""
    language = words.language_name(request.language or "")
    return {
        Against.OTHER_CITY: _("Works in another city"),
        Against.NOT_YET: _("Does not work here yet on that day"),
        Against.LEFT: _("Does not work here any more then"),
        Against.PAPERS: _("Her papers were not looked at"),
        Against.OFF_DUTY: _("Not in her hours"),
        Against.ABSENT: _("Away then"),
        Against.BUSY: _("Goes with somebody else then"),
        Against.TRAVEL: _("Can't get there in time, or on to her next one"),
        Against.LANGUAGE: _("Does not speak %(language)s", language=language),
        Against.SEX: _("The customer asked for a woman")
        if request.sex == "female"
        else _("The customer asked for a man"),
        Against.DECLINED: _("Said no"),
        Against.DID_NOT_ANSWER: _("Did not answer in time"),
        Against.REPLACED: _("Was taken off this booking"),
    }[code]


_NAMED = frozenset(Against) - {Against.OTHER_CITY}


def _past(it: Ask) -> Past:
    return Past(it.name, ended(it.state, it.cause), it.ended_at or it.asked_at, _by(it))


def _by(it: Ask) -> str:
    if it.outside:
        return _("named by your system")
    return _("asked by the desk") if it.by_desk else _("asked automatically")


def _where(found: WithPerson) -> tuple[Fact, ...]:
    venue = found.booking.venue
    if venue is None:
        return ()
    site = {"city": venue.city, "district": venue.district, "address": venue.address}
    name = site_name(venue.name, venue.city, venue.district)
    return (Fact(_("Place"), formats.dotted((name, full_address(site)))),)


def _person(found: WithPerson) -> tuple[Fact, ...]:
    who = found.person
    if who is None:
        return (Fact(_("Who is escorted"), found.booking.person_name),)
    return (
        Fact(_("Who is escorted"), who.name),
        Fact(_("Sex"), words.sex_name(who.sex)),
        Fact(_("Age on the day"), formats.number(age_on(who.birth_date, found.booking.service_date))),
    )
