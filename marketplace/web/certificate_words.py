"""What providers have proved, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from flask import url_for
from flask_babel import gettext as _

from booking.certifying.view import CertificateView, ConformanceRunView, ProviderCertificates
from booking.programs.run import PROGRAM_STEPS
from marketplace.web.formats import dotted, listed
from marketplace.web.language import by_language
from marketplace.web.parts import Pill
from providers.conformance.run import STEPS
from providers.conformance.step import Capability
from providers.conformance.words import is_words, told

_SAYS = {step.name: step.says for step in STEPS} | {step.name: step.says for step in PROGRAM_STEPS}
"""What each step must do, of systems and of programs."""


class Shown(NamedTuple):
    """Words of the kit in the reader's language; `english` where a run of before has them in English alone."""

    text: str
    english: bool = False


@dataclass(frozen=True)
class FailedStep:
    """A step that failed. `transcript` is lines."""

    name: str
    says: Shown
    expected: Shown
    came: Shown
    transcript: Sequence[Shown]


@dataclass(frozen=True)
class CertificateRow:
    """A certificate: its capability as a pill, what that means, since when, and until when if that is known."""

    pill: Pill
    meaning: str
    issued_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class CertifiedRow:
    """A provider; `program`: what is tried is its program, in test mode, once that was opened (`test_mode`). `missing`:
    what keeps its offers from customers, in words; `may_run`: a run can be asked for now;
    `under_way`: one was, and has not ended."""

    name: str
    code: str
    certificates: Sequence[CertificateRow]
    missing: str
    needs_none: bool
    program: bool
    test_mode: bool
    may_run: bool
    under_way: bool
    run: Pill | None
    run_at: datetime | None
    what: str
    failed: Sequence[FailedStep]
    history_url: str = ""


def capability_words() -> Mapping[Capability, str]:
    """The name of each capability."""
    return {
        Capability.SLOTS: _("Slots"),
        Capability.BOOKING: _("Booking and cancelling"),
        Capability.IDEMPOTENCY: _("Repeated commands"),
        Capability.CHANGE: _("Changes of date"),
        Capability.LISTS: _("Lists of bookings"),
        Capability.WEBHOOKS: _("Webhooks"),
        Capability.REPORTS: _("Reports"),
        Capability.CONSULTATIONS: _("Consultations"),
        Capability.ESCORTS: _("Escorts"),
    }


def capability_meanings() -> Mapping[Capability, str]:
    """What each capability is good for, for who looks after no programs."""
    return {
        Capability.SLOTS: _("Your free times are read and shown to customers."),
        Capability.BOOKING: _("What customers book reaches your system, and so does a cancellation."),
        Capability.IDEMPOTENCY: _("A booking that is sent twice, as after a lost connection, is made once."),
        Capability.CHANGE: _("Customers can move a booking to another date."),
        Capability.LISTS: _("Your bookings can be read and compared with ours, so that none is lost."),
        Capability.WEBHOOKS: _("Your system tells us of a change as soon as it happens."),
        Capability.REPORTS: _("Reports come from your system by themselves."),
        Capability.CONSULTATIONS: _("Your doctors answer customers in writing, through your system."),
        Capability.ESCORTS: _("Your system tells who is sent to a customer, and what she does there."),
    }


def provider(it: ProviderCertificates) -> CertifiedRow:
    """A row of the list."""
    words, last = capability_words(), it.last
    under_way = last is not None and last.state in ("queued", "running")
    return CertifiedRow(
        by_language(it.name),
        it.code,
        tuple(_certificate(each) for each in it.certificates),
        listed(words[each] for each in it.missing),
        it.needs_none,
        it.program,
        it.test_mode,
        not it.needs_none and not under_way,
        under_way,
        None if last is None else run_pill(last.state, _counts(last)),
        None if last is None else last.finished_at or last.started_at or last.asked_at,
        "" if last is None else what_came(last.state, last.reason, _counts(last), len(last.left)),
        () if last is None else failed_steps(last.steps),
        url_for("console.certificates", provider=it.code),
    )


def _certificate(it: CertificateView) -> CertificateRow:
    name = capability_words()[it.capability]
    if it.provisional:
        pill = Pill(_("%(capability)s: provisional", capability=name), "wait", icon="hourglass")
    else:
        pill = Pill(name, "ok", icon="check")
    return CertificateRow(pill, capability_meanings()[it.capability], it.issued_at, it.expires_at)


def run_pill(state: str, counts: Mapping[str, int]) -> Pill:
    """How a run stands. `counts`: how many steps had each outcome."""
    if state == "done" and counts.get("failed"):
        return Pill(_("Steps failed"), "bad", icon="circle-alert")
    return {
        "queued": Pill(_("Queued"), "wait", icon="hourglass"),
        "running": Pill(_("Under way"), "wait", icon="refresh-cw"),
        "done": Pill(_("Done"), "ok", icon="check"),
        "failed": Pill(_("Failed"), "bad", icon="circle-alert"),
    }[state]


def what_came(state: str, reason: str, counts: Mapping[str, int], left: int) -> str:
    """What a run came to, in words; blank while it goes on."""
    reasons = {
        "stopped": _("The process was stopped. What it made there is taken back."),
        "settings": _("The provider's settings changed meanwhile: it has to be run again."),
        "not_reached": _("Nothing could be tried: the provider could not be reached, or has nothing to book."),
        "unusable": _("The provider's settings cannot be used."),
    }
    if state == "failed":
        return reasons.get(reason, reason)
    if state != "done":
        return ""
    parts = [
        _("%(n)d passed", n=counts.get("passed", 0)),
        _("%(n)d failed", n=counts.get("failed", 0)),
        _("%(n)d not tried", n=counts.get("not_tried", 0)),
        *([_("%(n)d left behind there", n=left)] if left else []),
    ]
    return dotted(parts)


def failed_steps(steps: Sequence[Mapping[str, Any]]) -> tuple[FailedStep, ...]:
    """Of steps as they were stored those that failed."""
    return tuple(_failed(step) for step in steps if step["outcome"] == "failed")


def shown(stored: object) -> Shown:
    """Stored words of a run."""
    return Shown(by_language(told(stored)), english=not is_words(stored))


def says(step: Mapping[str, Any]) -> Shown:
    """What a stored step must do."""
    known = _SAYS.get(step["name"])
    return Shown(str(step.get("says", "")), english=True) if known is None else Shown(by_language(known))


def line_shown(line: object) -> Shown:
    """A line of a transcript. What was sent and what came is of no language."""
    return Shown(shown(line).text)


def _counts(it: ConformanceRunView) -> Mapping[str, int]:
    outcomes = [step["outcome"] for step in it.steps]
    return {each: outcomes.count(each) for each in outcomes}


def _failed(step: Mapping[str, Any]) -> FailedStep:
    transcript = tuple(map(line_shown, step["transcript"]))
    return FailedStep(step["name"], says(step), shown(step["expected"]), shown(step["came"]), transcript)
