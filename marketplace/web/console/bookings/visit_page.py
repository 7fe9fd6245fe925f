"""What operators see of somebody who is sent with a booking's person: who, what was done, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from booking.escort.models import LIVE
from booking.escort.shown.overseen import Asked, Done, LookedInto, Overseen, Paid, Source
from booking.escort.shown.words import DONE
from booking.states import OVER, BookingState
from booking.views.desk import AtDesk
from marketplace.web import formats
from marketplace.web.console.books.discrepancy_words import kind_words, resolution_words
from marketplace.web.escort_words import doubtful, ended, proved, wrong_words
from marketplace.web.kind_words import kind_name
from marketplace.web.language import by_language
from marketplace.web.parts import Pill


@dataclass(frozen=True)
class AskedRow:
    """Somebody who was asked, or named: what became of that, and by whom and when it was done."""

    name: str
    number: str
    pill: Pill
    by: str
    at: datetime
    until: datetime | None


@dataclass(frozen=True)
class StepRow:
    """A line of the timeline. `note`: how it is known, and what is doubtful about its time."""

    what: str
    name: str
    by: str
    note: str
    at: datetime


@dataclass(frozen=True)
class PaidRow:
    """A sum; `note` says what there is to prove it."""

    amount: str
    by: str
    note: str
    at: datetime


@dataclass(frozen=True)
class CaseRow:
    """A discrepancy: what it is, what the customer says; `url` for who may look at it, `ended` how it was closed."""

    what: str
    says: str
    pill: Pill
    at: datetime
    url: str
    closed_at: datetime | None = None
    ended: str = ""


@dataclass(frozen=True)
class Visit:
    """The whole. `title` is the kind's name; `nobody`: nobody was asked yet; `told`: what is withheld and where it
    stands; `turn`: what the customer is asked; `paid_note`: why no sums stand here though there were some."""

    title: str
    zone: str
    turn: str
    nobody: str
    asked: tuple[AskedRow, ...]
    steps: tuple[StepRow, ...]
    paid: tuple[PaidRow, ...]
    paid_note: str
    told: str
    cases: tuple[CaseRow, ...]


def visit(found: AtDesk) -> Visit | None:
    """Of a booking at the desk; None where nobody is sent."""
    it, view = found.visit, found.view
    if it is None:
        return None
    return Visit(
        kind_name(view.kind),
        view.time_zone,
        _turn(it, view.time_zone),
        "" if BookingState(view.state) in OVER else _nobody(it, view.time_zone),
        tuple(map(_asked, it.asked)),
        tuple(map(_step, it.done)),
        tuple(map(_paid, it.paid)),
        _("What was paid besides was erased.") if it.erased else "",
        _told(it),
        tuple(_case(each, found.may_see_cases) for each in it.cases),
    )


def _turn(it: Overseen, zone: str) -> str:
    """What the customer is asked, or said."""
    asked = it.awaited
    if asked is None:
        return ""
    if asked.complained:
        return _("The customer says that something was wrong. Nothing is completed until that is closed.")
    if asked.confirm_until is not None:
        until = formats.deadline(asked.confirm_until, zone)
        return _("The customer is asked whether it went well; from %(time)s on her silence says so.", time=until)
    return ""


def _nobody(it: Overseen, zone: str) -> str:
    if it.nobody_since is not None:
        since = formats.deadline(it.nobody_since, zone)
        return _("Nobody can be found for it since %(time)s.", time=since)
    return "" if any(one.state in LIVE for one in it.asked) else _("Nobody goes with it so far.")


def _by(source: Source) -> str:
    return {
        "desk": _("the provider's desk"),
        "clock": _("clock"),
        "provider": _("the provider's own system"),
        "worker": _("her phone"),
    }[source]


def _asked(one: Asked) -> AskedRow:
    at = one.answered_at if one.state == "accepted" and one.answered_at is not None else one.asked_at
    return AskedRow(one.name, one.staff_number, _standing(one), _by(one.by), at, one.ended_at)


def _standing(one: Asked) -> Pill:
    if one.state == "asked":
        return Pill(pgettext("dispatch", "Asked"), "wait", "hourglass")
    if one.state == "accepted":
        return Pill(_("She goes"), "ok", "check")
    if one.state == "done":
        return Pill(_("She was there"), "ok", "check")
    if one.by == "provider" and one.cause == "desk":
        return Pill(_("Taken off by the provider"), "off", "x")
    return Pill(ended(one.state, one.cause), "off", "x")


def _step(one: Done) -> StepRow:
    note = formats.sentences(proved(one.position, by_code=one.by_code), doubtful(one.doubt))
    return StepRow(by_language(DONE[one.kind]), one.name, _by(one.by), note, one.at)


def _paid(one: Paid) -> PaidRow:
    receipt = _("With a receipt") if one.receipt else _("Without a receipt")
    amount = formats.money(one.amount_minor, one.currency)
    return PaidRow(amount, _by(one.by), formats.dotted((receipt, doubtful(one.doubt))), one.at)


def _told(it: Overseen) -> str:
    """That there is more, and whose it is."""
    parts = []
    if it.notes:
        parts.append(ngettext("%(num)d note", "%(num)d notes", it.notes))
    if it.papers:
        parts.append(ngettext("%(num)d photographed paper", "%(num)d photographed papers", it.papers))
    if not parts:
        return ""
    return _("%(things)s: for the customer alone, not shown here.", things=formats.listed(parts))


def _case(one: LookedInto, may_look: bool) -> CaseRow:
    return CaseRow(
        kind_words(one.kind)[0],
        wrong_words().get(one.what, ""),
        Pill(pgettext("case", "Open"), "wait", "hourglass"),
        one.opened_at,
        url_for("console.case", case=one.id) if may_look else "",
        one.closed_at,
        resolution_words(one.resolution),
    )
