"""What operators see, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.calls.breaker import Call
from booking.calls.waiting_commands import COMMANDS_WAITING, NOT_REACHED, NOT_SENT, TOLD_TO_WAIT
from booking.models import Feed
from booking.reconcile.cases import DiscrepancyView
from booking.reconcile.look_ups import Reached
from booking.views.oversight import AuditHealth, BreakerView, LateJob, ProviderHealth
from marketplace.chain.heads import HeadsFile
from marketplace.web.console.discrepancy_words import kind_words
from marketplace.web.formats import dotted, span
from marketplace.web.language import by_language
from marketplace.web.parts import Pill


@dataclass(frozen=True)
class DiscrepancyRow:
    """An open discrepancy; `does` says what to do about it."""

    provider: str
    kind: str
    does: str
    subject: str
    reference: str
    opened_at: datetime
    url: str = ""
    closed_at: datetime | None = None


@dataclass(frozen=True)
class ProviderRow:
    """A provider. `pulled`: the last complete pull of each feed, in the order of `feeds`; empty where nothing is read.
    `troubles`: what fails beside the commands, in words. `look_ups`: how far they get where its list of bookings is not
    read."""

    name: str
    code: str
    pill: Pill
    until: datetime | None
    pulled: tuple[datetime | None, ...]
    waiting: int
    unknown: int
    discrepancies: int
    troubles: tuple[str, ...] = ()
    look_ups: tuple[str, ...] = ()


@dataclass(frozen=True)
class JobRow:
    """A job that did not run."""

    name: str
    code: str
    every_seconds: int
    started_at: datetime | None
    succeeded_at: datetime | None


@dataclass(frozen=True)
class AuditRow:
    """How it is with the chain of audit and ledger: what is wrong is a pill of its own."""

    pills: tuple[Pill, ...]
    verified_at: datetime | None
    lines: int
    findings: tuple[str, ...]


def audit(it: AuditHealth) -> AuditRow:
    """The panel of the chain."""
    troubles = []
    if it.late:
        troubles.append(_("Lines have waited %(num)d s for their seal", num=int(it.unsealed)))
    files = {
        HeadsFile.NOT_SET: _("No file of heads is set"),
        HeadsFile.MISSING: _("The file of heads had gone"),
        HeadsFile.UNWRITABLE: _("The file of heads cannot be written"),
        HeadsFile.REWRITTEN: _("The file of heads and the chain differ"),
    }
    if it.heads_file in files:
        troubles.append(files[it.heads_file])
    found = it.verified.found if it.verified else 0
    if found:
        troubles.append(_("The last verification found %(num)d", num=found))
    pills = tuple(Pill(words, "bad", icon="circle-alert") for words in troubles)
    if it.verified is None:
        return AuditRow(pills, None, 0, ())
    return AuditRow(pills, it.verified.at, it.verified.lines, it.verified.findings)


def feeds() -> tuple[str, ...]:
    """The heads of the columns."""
    words = {"slots": _("Slots"), "bookings": _("Booking changes"), "reports": _("Reports")}
    return tuple(words[feed] for feed in Feed)


def waiting_words(cause: str) -> str:
    """Why commands wait."""
    causes = {
        NOT_REACHED: _("The provider cannot be reached"),
        TOLD_TO_WAIT: _("The provider answers that it takes nothing now"),
        NOT_SENT: _("Nothing has been sent: is a worker running?"),
    }
    return causes.get(cause, cause)


def discrepancy(it: DiscrepancyView) -> DiscrepancyRow:
    """A row of the list."""
    kind, does = kind_words(it.kind)
    name = by_language(it.provider_name)
    url = url_for("console.case", case=it.id)
    subject = waiting_words(it.subject) if it.kind == COMMANDS_WAITING else it.subject
    return DiscrepancyRow(name, kind, does, subject, it.reference or "", it.opened_at, url, it.closed_at)


def provider(it: ProviderHealth, now: datetime, stopped: Mapping[str, int]) -> ProviderRow:
    """A row of the list; what stops commands comes before what is only trouble. `stopped`: how many endpoints of its
    webhooks have stopped, by the provider's code."""
    pill, until = Pill(_("In order"), "ok", icon="check"), None
    commands = it.breakers.get(Call.COMMANDS)
    if commands is not None:
        pill = Pill(_("Failing: %(num)d in a row", num=commands.failures), "wait", icon="info")
    if not it.answers_here and not any(it.pulled.values()):
        pill = Pill(_("Never read"), "wait", icon="info")
    if commands is not None and commands.open_until is not None:
        pill, until = _stopped(commands, now)
    if it.paused_at is not None:
        pill, until = Pill(_("Paused"), "off", icon="clock"), None
    return ProviderRow(
        by_language(it.name),
        it.code,
        pill,
        until,
        () if it.answers_here else tuple(it.pulled[feed] for feed in Feed),
        it.waiting,
        it.unknown,
        it.discrepancies,
        (
            *(_trouble(call, breaker) for call, breaker in it.breakers.items() if call is not Call.COMMANDS),
            *([_endpoints(stopped[it.code])] if it.code in stopped else []),
        ),
        _look_ups(it.look_ups, now) if it.look_ups is not None else (),
    )


def _endpoints(stopped: int) -> str:
    return ngettext("Webhooks: %(num)d endpoint has stopped", "Webhooks: %(num)d endpoints have stopped", stopped)


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
    names = {
        Call.SLOTS: _("Slots"),
        Call.BOOKINGS: _("Booking changes"),
        Call.REPORTS: _("Reports"),
        Call.FETCHES: _("Fetching reports"),
        Call.RECONCILE: _("Reconciliation"),
        Call.LOOK_UPS: _("Looking bookings up"),
        Call.STRAYS: _("Cancelling what is nobody's"),
    }
    return _("%(call)s: failed %(num)d times in a row", call=names.get(call, call.value), num=breaker.failures)


def job(it: LateJob) -> JobRow:
    """A row of the list. Jobs of one provider are named `task:code`."""
    task, _colon, code = it.name.partition(":")
    return JobRow(job_names().get(task, task), code, it.every_seconds, it.started_at, it.succeeded_at)


def job_names() -> dict[str, str]:
    """What each job of the worker does."""
    return {
        "holds": _("Release holds that are over"),
        "unanswered": _("End requests without an answer"),
        "unknown": _("Raise what stays unknown"),
        "commands": _("Raise commands that wait"),
        "no_shows": _("Record visits that did not happen"),
        "entitlements": _("Expire benefits"),
        "rows": _("Delete old rows that could not be read"),
        "copies": _("Prepare copies of customers' data"),
        "retention": _("Delete what is older than it may be"),
        "reports-over": _("Delete results that are older than they may be"),
        "erasures": _("Finish erasures whose time has come"),
        "copies-over": _("Delete copies of customers' data that are over"),
        "alarms-over": _("Delete old alarms of records that can't be opened"),
        "keys": _("Forget old idempotency keys"),
        "slots": _("Read slots"),
        "slot_snapshots": _("End snapshots of published slots"),
        "bookings": _("Read bookings"),
        "reports": _("Read the list of reports"),
        "fetch": _("Fetch reports"),
        "overdue": _("Find reports that are late"),
        "chase": _("Ask again for late reports"),
        "reconcile": _("Compare books"),
        "look_ups": _("Look bookings up one by one"),
        "strays": _("Cancel there what is nobody's"),
        "statements": _("Make closing statements"),
        "closures": _("Close sites"),
        "webhooks": _("Make webhooks of what happened"),
        "webhooks-over": _("Delete old deliveries of webhooks"),
        "seal": _("Seal audit and ledger"),
        "verify": _("Verify the chain of the audit"),
        "waiting": _("Offer places that came free"),
        "waiting-review": _("Look through the waiting list"),
        "unanswered-changes": _("End changes without an answer"),
        "past-changes": _("End changes whose date has passed"),
        "proposals": _("End proposals without an answer"),
        "messages": _("Deliver messages"),
        "reminders": _("Remind of bookings"),
        "endings": _("Remind of benefits that end"),
        "events": _("Delete old messages of providers"),
        "tokens-over": _("Delete access tokens that are over"),
        "limits": _("Delete old counts of tries"),
    }
