"""A provider in the console's lists: its state at a glance, its last hour, what waits, and what was last read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.calls.breaker import Call
from booking.health.backlog import Backlog
from booking.health.syncs import RECONCILIATION, STATEMENT
from booking.health.view import ProviderState, Status
from booking.offers.answers_slowly import SlowReason
from booking.reconcile.look_ups import Reached
from booking.views.oversight import BreakerView
from marketplace.web import provider_figures
from marketplace.web.formats import dotted, moment, number, span
from marketplace.web.language import by_language
from marketplace.web.parts import Pill


@dataclass(frozen=True)
class Read:
    """When one kind of sync last succeeded; None for never. `late`: it should have since."""

    name: str
    at: datetime | None
    late: bool


@dataclass(frozen=True)
class WaitLine:
    """One thing that waits at the provider; `bad` where it waits for too long."""

    text: str
    bad: bool = False


@dataclass(frozen=True)
class ProviderRow:
    """A provider. `success` and `p95` are of the last hour's `calls`, blank where there was none; `answers_here`:
    nothing is read from it. `troubles`: what fails beside the commands, in words. `look_ups`: how far they get
    where its list of bookings is not read."""

    name: str
    code: str
    url: str
    pill: Pill
    until: datetime | None
    calls: int
    success: str
    failing: bool
    p95: str
    errors: tuple[str, ...]
    waiting: tuple[WaitLine, ...]
    reads: tuple[Read, ...]
    discrepancies: int
    discrepancies_url: str
    troubles: tuple[str, ...] = ()
    look_ups: tuple[str, ...] = ()
    answers_here: bool = False


def sync_names() -> dict[str, str]:
    """What is kept in step with a provider."""
    return {
        "slots": _("Slots"),
        "bookings": _("Booking changes"),
        "reports": _("Reports"),
        RECONCILIATION: _("Comparison of the books"),
        STATEMENT: _("Closing statement"),
    }


def provider(it: ProviderState, now: datetime, recovered: Mapping[str, int]) -> ProviderRow:
    """A row of the list. `recovered`: how many endpoints of its webhooks went on after a restore, by its code."""
    health, calls = it.health, it.calls
    pill, until = pill_of(it, now)
    return ProviderRow(
        by_language(health.name),
        health.code,
        url_for("console.provider", provider=health.code),
        pill,
        until,
        calls.calls,
        provider_figures.part(calls.success),
        calls.failing,
        provider_figures.took(calls.percentile(0.95)),
        provider_figures.errors(calls),
        waiting(it.backlog, health.unknown, now),
        reads(it),
        health.discrepancies,
        url_for("console.discrepancies", provider=health.code),
        (*troubles(it), *([_recovered(recovered[health.code])] if health.code in recovered else [])),
        _look_ups(health.look_ups, now) if health.look_ups is not None else (),
        health.answers_here,
    )


def pill_of(it: ProviderState, now: datetime) -> tuple[Pill, datetime | None]:
    """The state in a word, and until when it lasts where that is known."""
    commands = it.health.breakers.get(Call.COMMANDS)
    if it.status is Status.STOPPED and commands is not None:
        return _stopped(commands, now)
    words = {
        Status.PAUSED: Pill(_("Paused"), "off", icon="clock"),
        Status.FAILING: Pill(_("Many calls fail"), "bad", icon="circle-alert"),
        Status.PARTLY: Pill(_("Partly not reached"), "wait", icon="triangle-alert"),
        Status.NEVER_READ: Pill(_("Never read"), "wait", icon="info"),
        Status.SLOW: Pill(_("Slow"), "wait", icon="hourglass"),
        Status.QUIET: Pill(_("Nothing was asked"), "off", icon="info"),
    }
    if it.status in words and not (it.status is Status.QUIET and commands is not None):
        return words[it.status], None
    if commands is not None:
        return Pill(_("Failing: %(num)d in a row", num=commands.failures), "wait", icon="info"), None
    return Pill(_("In order"), "ok", icon="check"), None


def reads(it: ProviderState) -> tuple[Read, ...]:
    """The last success of each kind of sync."""
    names = sync_names()
    return tuple(Read(names[each.kind], each.at, each.late) for each in it.syncs)


def waiting(it: Backlog, unknown: int, now: datetime) -> tuple[WaitLine, ...]:
    """What waits, a line each; empty where nothing does."""
    lines = []
    if it.commands:
        words = ngettext("%(num)d command", "%(num)d commands", it.commands)
        if it.oldest is not None:
            age = max((now - it.oldest).total_seconds(), 0)
            words = dotted((words, _("the oldest for %(span)s", span=span(age))))
            lines.append(WaitLine(words, age > 120))
    if unknown:
        lines.append(WaitLine(ngettext("%(num)d outcome unknown", "%(num)d outcomes unknown", unknown), True))
    if it.requests:
        words = ngettext("%(num)d request to answer", "%(num)d requests to answer", it.requests)
        late = _("%(num)s past the promised time", num=number(it.past_pledge)) if it.past_pledge else ""
        lines.append(WaitLine(dotted((words, late)), bool(it.past_pledge)))
    if it.reports:
        words = ngettext("%(num)d report awaited", "%(num)d reports awaited", it.reports)
        late = _("%(num)s late", num=number(it.reports_late)) if it.reports_late else ""
        lines.append(WaitLine(dotted((words, late)), bool(it.reports_late)))
    return tuple(lines)


def troubles(it: ProviderState) -> tuple[str, ...]:
    """What fails beside the commands, and what customers are told."""
    told = [_trouble(call, breaker) for call, breaker in it.health.breakers.items() if call is not Call.COMMANDS]
    if it.webhooks_stopped:
        words = ngettext(
            "Webhooks: %(num)d endpoint has stopped", "Webhooks: %(num)d endpoints have stopped", it.webhooks_stopped
        )
        told.append(words)
    if it.webhooks_failing:
        words = ngettext("Webhooks: %(num)d endpoint fails", "Webhooks: %(num)d endpoints fail", it.webhooks_failing)
        told.append(words)
    if it.pause_ended_at is not None:
        told.append(_("Another insurer ended your pause at %(time)s", time=moment(it.pause_ended_at)))
    if it.slow is not None:
        told.append(
            _(
                "Customers read since %(time)s that it answers slowly: %(why)s",
                time=moment(it.slow.since),
                why=slow_cause(it.slow.reason),
            )
        )
    return tuple(told)


def slow_cause(reason: SlowReason) -> str:
    """Why customers are told so."""
    return {
        SlowReason.PAUSED: _("it is paused"),
        SlowReason.NOT_REACHED: _("it is not reached"),
        SlowReason.NOT_TAKEN: _("commands wait"),
        SlowReason.SLOWER: _("its answers take longer than usual"),
    }[reason]


def _recovered(endpoints: int) -> str:
    return ngettext(
        "Webhooks: %(num)d endpoint went on after a restore; have the provider read its bookings again",
        "Webhooks: %(num)d endpoints went on after a restore; have the provider read its bookings again",
        endpoints,
    )


def _look_ups(reached: tuple[Reached, Reached], now: datetime) -> tuple[str, ...]:
    """How far looking up one by one gets."""
    near, later = reached
    lines = [_("Its list of bookings is not read: they are looked up one by one.")]
    if near.bookings:
        lines.append(_("Until tomorrow: %(what)s", what=_reached(near, now)))
    if later.bookings:
        lines.append(_("Later days: %(what)s", what=_reached(later, now)))
    return tuple(lines)


def _reached(it: Reached, now: datetime) -> str:
    told = [ngettext("%(num)d booking", "%(num)d bookings", it.bookings)]
    if it.oldest is not None:
        told.append(_("each within %(span)s", span=span((now - it.oldest).total_seconds())))
    if it.unanswered:
        told.append(_("%(num)d not answered for yet", num=it.unanswered))
    return dotted(told)


def _stopped(breaker: BreakerView, now: datetime) -> tuple[Pill, datetime | None]:
    if breaker.open_until is not None and breaker.open_until > now:
        return Pill(_("Not reached, left alone"), "bad", icon="circle-alert"), breaker.open_until
    return Pill(_("Not reached, tried one by one"), "bad", icon="circle-alert"), None


def _trouble(call: Call, breaker: BreakerView) -> str:
    """What fails of the calls that stop no command."""
    return _(
        "%(call)s: failed %(num)d times in a row",
        call=provider_figures.call_names().get(call.value, call.value),
        num=breaker.failures,
    )
