"""A provider's own figures and faults in words, as its people read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.health.figures import Window
from booking.health.own import Fault, OwnHealth
from booking.offers.answers_slowly import SlowReason
from marketplace.web import provider_figures, row_words
from marketplace.web.desk.setup.fault_words import fault_words
from marketplace.web.formats import dotted, moment, number, span
from marketplace.web.parts import Link
from marketplace.web.provider_figures import FigureRow, Picture


@dataclass(frozen=True)
class OwnPage:
    """`told`: what customers read of it now, blank where nothing; `waiting`: what waits here, a line each."""

    windows: tuple[Link, ...]
    figures: tuple[FigureRow, ...]
    calls: Picture | None
    answers: Picture
    told: str
    waiting: tuple[str, ...]


@dataclass(frozen=True)
class FaultRow:
    """A fault: what, what to do about it, and where."""

    what: str
    does: str
    wrong: str
    reference: str
    booking: str
    opened_at: datetime
    times: int


def page(it: OwnHealth, zone: str, now: datetime) -> OwnPage:
    """The figures of the page."""
    urls = {each: url_for("desk.health", window=each.value) for each in Window}
    return OwnPage(
        provider_figures.windows(it.window, urls),
        provider_figures.rows(it.figures),
        None if it.answers_here else provider_figures.picture(_("Our calls to your system"), it.calls, zone),
        provider_figures.picture(_("Your answers to requests"), it.answers, zone),
        _told(it, zone),
        _waiting(it, now),
    )


def fault(it: Fault) -> FaultRow:
    """A line of the list."""
    what, does = fault_words(it.kind)
    wrong = dotted((row_words.list_name(it.feed), row_words.what_is_wrong(it.wrong))) if it.wrong else ""
    return FaultRow(what, does, wrong, it.reference, it.booking or "", it.opened_at, it.times)


def _told(it: OwnHealth, zone: str) -> str:
    if it.slow is None:
        return ""
    since = moment(it.slow.since, zone)
    return {
        SlowReason.PAUSED: _("The operator has sent you nothing new since %(time)s. Customers read that.", time=since),
        SlowReason.NOT_REACHED: _(
            "Your system has not been reached since %(time)s. Customers read that you answer slowly today.", time=since
        ),
        SlowReason.NOT_TAKEN: _(
            "Requests to you have waited since %(time)s. Customers read that you answer slowly today.", time=since
        ),
        SlowReason.SLOWER: _(
            "Your answers take longer today than they usually do. Customers read that you answer slowly today."
        ),
    }[it.slow.reason]


def _waiting(it: OwnHealth, now: datetime) -> tuple[str, ...]:
    found, lines = it.backlog, []
    if found.commands:
        words = ngettext("%(num)d message to you waits here", "%(num)d messages to you wait here", found.commands)
        age = span(max((now - found.oldest).total_seconds(), 0)) if found.oldest else ""
        lines.append(dotted((words, _("the oldest for %(span)s", span=age) if age else "")))
    if found.requests:
        words = ngettext("%(num)d request to answer", "%(num)d requests to answer", found.requests)
        late = _("%(num)s past the promised time", num=number(found.past_pledge)) if found.past_pledge else ""
        lines.append(dotted((words, late)))
    if found.reports:
        words = ngettext("%(num)d report to deliver", "%(num)d reports to deliver", found.reports)
        lines.append(dotted((words, _("%(num)s late", num=number(found.reports_late)) if found.reports_late else "")))
    return tuple(lines)
