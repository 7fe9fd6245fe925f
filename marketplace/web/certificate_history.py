"""What was tried of a provider and what it was certified for, in words: for operators, and for its own people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from booking.certifying.history import GivenLine, History, RunLine, RunPage
from marketplace.web.certificate_words import (
    FailedStep,
    Shown,
    capability_words,
    failed_steps,
    run_pill,
    says,
    shown,
    what_came,
)
from marketplace.web.formats import listed
from marketplace.web.language import by_language
from marketplace.web.parts import Pill

RunUrl = Callable[[str], str]
MoreUrl = Callable[[str | None, str | None], str]
"""The address of the page whose lists go on at these cursors."""


@dataclass(frozen=True)
class RunRow:
    """A run in the list."""

    url: str
    at: datetime
    by: str
    pill: Pill
    what: str


@dataclass(frozen=True)
class GivenRow:
    """A certificate in the list; `end` says why it ended, `run_url` leads to the run that gave it."""

    name: str
    pill: Pill
    issued_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    end: str
    run_url: str


@dataclass(frozen=True)
class HistoryPart:
    """Both lists; `runs_more` and `given_more` lead to what is older, blank where that is all."""

    name: str
    runs: Sequence[RunRow]
    given: Sequence[GivenRow]
    runs_more: str
    given_more: str


@dataclass(frozen=True)
class StepRow:
    """A step of a run; `why` it was not tried."""

    name: str
    proves: str
    says: Shown
    pill: Pill
    why: Shown | None


@dataclass(frozen=True)
class RunDetail:
    """A run, step by step. `given` and `ended` are certificates, in words; `left` is what it left behind there."""

    row: RunRow
    finished_at: datetime | None
    steps: Sequence[StepRow]
    failed: Sequence[FailedStep]
    left: Sequence[Shown]
    given: str
    ended: str


def history(it: History, run_url: RunUrl, more_url: MoreUrl) -> HistoryPart:
    """Runs and certificates of a provider."""
    return HistoryPart(
        by_language(it.name),
        tuple(_run(line, run_url) for line in it.runs.items),
        tuple(_given(line, run_url) for line in it.given.items),
        more_url(it.runs.next, None) if it.runs.next else "",
        more_url(None, it.given.next) if it.given.next else "",
    )


def detail(it: RunPage, run_url: RunUrl) -> RunDetail:
    """One run."""
    words = capability_words()
    return RunDetail(
        _run(it.line, run_url),
        it.line.finished_at,
        tuple(map(_step, it.steps)),
        failed_steps(it.steps),
        tuple(map(shown, it.left)),
        listed(words[each] for each in it.given),
        listed(words[each] for each in it.ended),
    )


def _run(it: RunLine, run_url: RunUrl) -> RunRow:
    what = what_came(it.state, it.reason, it.counts, it.left)
    return RunRow(run_url(it.id), it.asked_at, _by(it), run_pill(it.state, it.counts), what)


def _by(it: RunLine) -> str:
    if it.by:
        return it.by
    return {"provider": _("The provider"), "operator": _("The operator")}.get(it.by_kind, _("Command line"))


def _given(it: GivenLine, run_url: RunUrl) -> GivenRow:
    ends = {
        "replaced": _("replaced by a newer one"),
        "settings": _("the provider's settings changed"),
        "failed": _("a step failed"),
        "expired": _("its time was over"),
    }
    if it.ended_at is not None:
        pill = Pill(_("No longer counts"), "off", icon="x")
    elif it.provisional:
        pill = Pill(_("Provisional"), "wait", icon="hourglass")
    else:
        pill = Pill(_("Counts"), "ok", icon="check")
    name = capability_words()[it.capability]
    end = ends.get(it.because, it.because)
    return GivenRow(name, pill, it.issued_at, it.expires_at, it.ended_at, end, run_url(it.run) if it.run else "")


def _step(step: Mapping[str, Any]) -> StepRow:
    pills = {
        "passed": Pill(_("Passed"), "ok", icon="check"),
        "failed": Pill(_("Failed"), "bad", icon="circle-alert"),
        "not_tried": Pill(_("Not tried"), "off", icon="info"),
    }
    outcome = step["outcome"]
    proves = {each.value: name for each, name in capability_words().items()}
    why = shown(step["came"]) if outcome == "not_tried" else None
    return StepRow(step["name"], proves.get(step["proves"], step["proves"]), says(step), pills[outcome], why)
