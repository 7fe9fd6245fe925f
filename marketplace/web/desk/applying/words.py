"""Words of an application that its pages share."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _

from marketplace.web.application_steps import step_state, step_text
from marketplace.web.parts import Turn
from providers.applying.own import Missing, OwnApplication


@dataclass(frozen=True)
class StepRow:
    """A step to being on sale: what it is, whether it is done (`state` in words), and where it is done (blank: by an
    operator, or by nobody)."""

    text: str
    done: bool
    state: str
    url: str


def answers() -> list[tuple[str, str]]:
    """Who answers bookings, as a form offers it."""
    return [
        ("desk", _("Our people, at the desk in a browser")),
        ("partner", _("Our programs, by the partner API")),
        ("system", _("Our own system, which you call")),
    ]


def countries() -> list[tuple[str, str]]:
    """Where an organisation is registered."""
    return [("cn", _("Mainland China")), ("other", _("Elsewhere"))]


def step(it: Missing, own: OwnApplication) -> StepRow:
    """One step in words."""
    answers = "system" if own.connected else own.answers
    url = {
        "profile": "desk.profile",
        "place": "desk.offers",
        "offer": "desk.offers",
        "system": {"desk": "desk.home", "partner": "desk.setup", "system": "desk.system"}[answers],
        "certificate": "desk.system" if it.needed else "",
        "approval": "",
    }[it.what]
    return StepRow(step_text(it, answers), it.done, step_state(it), url_for(url) if url else "")


def turn(own: OwnApplication) -> Turn:
    """How it stands, and who acts now."""
    if own.state == "approved":
        return Turn(_("Your organisation is approved"), "", "circle-check", "ok")
    if own.state == "declined":
        text = _("You can still sign in. Put it right below and send it in again.")
        return Turn(_("Your registration was declined"), text, "circle-alert", "bad")
    if own.state == "returned":
        return Turn(_("We have a question"), _("Answer it below and send it in again."), "info")
    text = _("You can set up everything meanwhile. Customers see your services once you are approved.")
    return Turn(_("We are looking at your registration"), text, "hourglass")
