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
from marketplace.web.console.books.discrepancy_words import kind_words
from marketplace.web.console.job_names import job_name
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
    return JobRow(job_name(task), code, it.every_seconds, it.started_at, it.succeeded_at)
