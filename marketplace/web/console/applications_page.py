"""Applications as the console shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _

from marketplace.core.text import Text
from marketplace.web.application_steps import step_state, step_text
from marketplace.web.language import LANGUAGES, by_language
from marketplace.web.parts import Fact, Link, Pill
from providers.applying.review import STATES, ApplicationLine, ApplicationView


@dataclass(frozen=True)
class ApplicationRow:
    """An application in the list."""

    url: str
    name: str
    answers: str
    registration: str
    pill: Pill
    submitted_at: datetime


@dataclass(frozen=True)
class AlikeRow:
    """What may be the same organisation, and why it may."""

    name: str
    code: str
    why: str
    state: str


@dataclass(frozen=True)
class StepLine:
    """What its people have to do to be on sale, and whether they have."""

    text: str
    done: bool
    state: str


@dataclass(frozen=True)
class ApplicationPage:
    """One application. `names`: what is approved; `open`: it can be decided; `at`: when it was, else since when it
    waits."""

    row: ApplicationRow
    names: Text
    at: datetime
    facts: tuple[Fact, ...]
    note: str
    reply: str
    alike: tuple[AlikeRow, ...]
    steps: tuple[StepLine, ...]
    open: bool


def filters(chosen: str) -> tuple[Link, ...]:
    """The states that the list can be narrowed to."""
    named = [("", _("All")), *((state, pill(state).text) for state in STATES)]
    return tuple(
        Link(text, url_for("console.applications", state=state or None), state == chosen) for state, text in named
    )


def pill(state: str) -> Pill:
    """A state as a pill."""
    return {
        "new": Pill(_("To decide"), "wait", "hourglass"),
        "returned": Pill(_("Asked back"), "plain", "info"),
        "approved": Pill(_("Approved"), "ok", "circle-check"),
        "declined": Pill(_("Declined"), "bad", "x"),
    }[state]


def row(it: ApplicationLine) -> ApplicationRow:
    """A line of the list."""
    return ApplicationRow(
        url_for("console.application", application=it.public_id),
        by_language(it.name),
        _answers()[it.answers],
        it.registration,
        pill(it.state),
        it.submitted_at,
    )


def page(it: ApplicationView) -> ApplicationPage:
    """All that was said, with what may be the same organisation."""
    forgotten = _("forgotten")
    facts = (
        Fact(_("Name in Chinese"), it.line.name.zh),
        Fact(_("Name in English"), it.line.name.en),
        *([] if it.registered_as == it.line.name else [Fact(_("Registered as"), by_language(it.registered_as))]),
        Fact(_("Name in commands"), it.provider),
        Fact(
            _("Unified social credit code") if it.line.country == "cn" else _("Registration number"),
            it.line.registration,
        ),
        Fact(_("Registered in"), _("Mainland China") if it.line.country == "cn" else _("Elsewhere")),
        Fact(_("Who answers bookings"), _answers()[it.line.answers]),
        Fact(_("Time zone"), it.time_zone),
        Fact(_("Contact"), it.contact or forgotten),
        Fact(_("E-mail (confirmed)"), it.email or forgotten),
        Fact(_("Language of our letters"), LANGUAGES[it.language].name),
        Fact(_("The newest letter"), _letters()[it.letter]),
    )
    alike = tuple(
        AlikeRow(
            by_language(each.name),
            each.code,
            _("the same number") if each.number else _("the same name"),
            pill(each.state).text if each.state in STATES else "",
        )
        for each in it.alike
    )
    steps = tuple(
        StepLine(step_text(each, it.line.answers), each.done, step_state(each))
        for each in it.steps
        if each.what != "approval"
    )
    at = it.line.submitted_at if it.line.state == "new" or it.decided_at is None else it.decided_at
    return ApplicationPage(row(it.line), it.line.name, at, facts, it.note, it.reply, alike, steps, it.open)


def _answers() -> dict[str, str]:
    return {"desk": _("People at the desk"), "partner": _("Programs, partner API"), "system": _("Own system")}


def _letters() -> dict[str, str]:
    return {"to_send": _("to be sent"), "sent": _("sent"), "not_sent": _("could not be delivered")}
