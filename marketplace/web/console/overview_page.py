"""What operators see, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _

from booking.calls.waiting_commands import COMMANDS_WAITING, NOT_REACHED, NOT_SENT, TOLD_TO_WAIT
from booking.reconcile.cases import DiscrepancyView
from booking.views.oversight import AuditHealth, LateJob
from marketplace.chain.heads import HeadsFile
from marketplace.web.console.discrepancy_words import kind_words
from marketplace.web.language import by_language
from marketplace.web.parts import Pill
from providers.staff.first_manager import Staffed


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
class DeskRow:
    """Who works at a provider's desk. `url` makes its first manager; blank where there is one."""

    name: str
    code: str
    members: int
    url: str


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


def desk(it: Staffed) -> DeskRow:
    """A row of the list of desks."""
    url = "" if it.has_manager else url_for("console.provider_manager", provider=it.code)
    return DeskRow(by_language(it.name), it.code, it.members, url)


def job(it: LateJob) -> JobRow:
    """A row of the list. Jobs of one provider are named `task:code`."""
    task, _colon, code = it.name.partition(":")
    return JobRow(job_names().get(task, task), code, it.every_seconds, it.started_at, it.succeeded_at)


def job_names() -> dict[str, str]:
    """What each job of the worker does."""
    return {
        "holds": _("Release holds that are over"),
        "pledges": _("Watch what is promised by the second"),
        "unanswered": _("End requests without an answer"),
        "unknown": _("Raise what stays unknown"),
        "commands": _("Raise commands that wait"),
        "answers": _("Count how long providers take to answer"),
        "slow_providers": _("Find providers that answer slowly"),
        "no_shows": _("Record visits that did not happen"),
        "escorts-lost": _("Give benefits back where no escort came"),
        "escorts-said-over": _("Ask customers how an escort went"),
        "escorts-silent": _("Complete escorts whose customers said nothing"),
        "escort-records": _("Put records of escorts into the report box"),
        "entitlements": _("Expire benefits"),
        "rows": _("Delete old rows that could not be read"),
        "copies": _("Prepare copies of customers' data"),
        "retention": _("Delete what is older than it may be"),
        "reports-over": _("Delete results that are older than they may be"),
        "consultations-over": _("Delete consultations that are older than they may be"),
        "escort-records-over": _("Delete what was told on escorts that is older than it may be"),
        "consultation-notices": _("Notify customers of answers that they have not seen"),
        "consultations-idle": _("Close consultations that nobody goes on with"),
        "consultations-left": _("Give up messages to doctors that nobody waits for any more"),
        "consultations": _("Read what doctors of providers answered"),
        "clinicians": _("Read providers' lists of doctors"),
        "erasures": _("Finish erasures whose time has come"),
        "copies-over": _("Delete copies of customers' data that are over"),
        "alarms-over": _("Delete old alarms of records that can't be opened"),
        "keys": _("Forget old idempotency keys"),
        "slots": _("Read slots"),
        "live_events": _("Delete what streams were told"),
        "slot_snapshots": _("End snapshots of published slots"),
        "calendars": _("Make slots from providers' weekly rules"),
        "escorts": _("Find somebody to send, and the next one after a no"),
        "escorts-late": _("Find those who should be on the way and are not"),
        "escorts-outside": _("Watch those whom providers' own systems send"),
        "escort-lines": _("Read what escorts of providers did"),
        "escort-cases": _("Close cases of bookings that somebody was sought for"),
        "capacity_decisions": _("Carry out what was decided about bookings at closed times"),
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
        "coverage": _("Tell customers of places that are covered now"),
        "webhooks": _("Make webhooks of what happened"),
        "webhooks-over": _("Delete old deliveries of webhooks"),
        "webhooks-stopped": _("Write to providers whose webhooks stopped"),
        "seal": _("Seal audit and ledger"),
        "verify": _("Verify the chain of the audit"),
        "waiting": _("Offer places that came free"),
        "waiting-review": _("Look through the waiting list"),
        "unanswered-changes": _("End changes without an answer"),
        "past-changes": _("End changes whose date has passed"),
        "proposals": _("End proposals without an answer"),
        "messages": _("Deliver messages"),
        "invitations": _("Send invitations to members of providers"),
        "invitations-over": _("Forget addresses of invitations that are over"),
        "reminders": _("Remind of bookings"),
        "endings": _("Remind of benefits that end"),
        "events": _("Delete old messages of providers"),
        "tokens-over": _("Delete access tokens that are over"),
        "imports": _("Check and import uploaded files"),
        "imports-over": _("Destroy the contents of old imports"),
        "limits": _("Delete old counts of tries"),
        "system_tests": _("Test connections that providers' desks ask for"),
        "system_tests-over": _("Erase secrets of connection tests that are over"),
        "applications": _("Send letters about registrations"),
        "applications-over": _("Forget registrations that are over"),
        "certificates": _("End certificates that are over"),
        "conformance": _("Certify providers"),
        "rehearsals": _("Carry out rehearsals of providers in test mode"),
        "rehearsals-over": _("Delete old rehearsals"),
        "conformance-left": _("Take back what tests left at providers"),
        "conformance-trials": _("Cancel what tests of programs booked"),
    }
