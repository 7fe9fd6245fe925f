"""Comparisons in words, for operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import pgettext

from booking.reconcile.runs import RunView
from marketplace.core.text import Text
from marketplace.web.formats import listed, number
from marketplace.web.language import by_language
from marketplace.web.parts import Pill


@dataclass(frozen=True)
class RunRow:
    """A comparison in the list."""

    provider: str
    pill: Pill
    at: datetime
    took: float | None
    by: str
    what: str
    case_url: str = ""


def providers(found: Sequence[tuple[str, Text]]) -> tuple[tuple[str, str], ...]:
    """Providers to choose from: code and name."""
    return tuple((code, by_language(name)) for code, name in found)


def run(it: RunView) -> RunRow:
    """A line of the list."""
    pills = {
        "queued": Pill(pgettext("comparison", "Waiting"), "wait", icon="hourglass"),
        "running": Pill(_("Under way"), "wait", icon="refresh-cw"),
        "done": Pill(_("Done"), "ok", icon="check"),
        "failed": Pill(_("Failed"), "bad", icon="circle-alert"),
    }
    took = (it.finished_at - it.started_at).total_seconds() if it.finished_at and it.started_at else None
    by = _("The clock") if it.by_clock else _("Another insurer") if it.by_other else it.by or _("Command line")
    what = _counted(it.counts) if it.state == "done" else _failure(it.reason) if it.state == "failed" else ""
    return RunRow(
        by_language(it.provider_name),
        pills[it.state],
        it.started_at or it.asked_at,
        took,
        by,
        what,
        url_for("console.case", case=it.case) if it.case else "",
    )


def _counted(counts: Mapping[str, int]) -> str:
    words = {
        "listed": _("%(n)s listed", n=number(counts.get("listed", 0))),
        "found": _("%(n)s suspected", n=number(counts.get("found", 0))),
        "repaired": _("%(n)s repaired", n=number(counts.get("repaired", 0))),
        "opened": _("%(n)s new cases", n=number(counts.get("opened", 0))),
        "standing": _("%(n)s still open", n=number(counts.get("standing", 0))),
        "busy": _("%(n)s under way", n=number(counts.get("busy", 0))),
        "unsettled": _("%(n)s too fresh", n=number(counts.get("unsettled", 0))),
        "unverified": _("%(n)s not answered", n=number(counts.get("unverified", 0))),
    }
    always = ("listed", "found")
    return listed(text for name, text in words.items() if name in always or counts.get(name)) if counts else ""


def _failure(reason: str) -> str:
    if reason == "stopped":
        return _("The process was stopped. The next run goes on.")
    return _("Their list could not be read; nothing was judged. %(reason)s", reason=reason)
