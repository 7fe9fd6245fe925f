"""The steps of a provider to being on sale in words: for its own people, and for the operators who approve it."""

from __future__ import annotations

from flask_babel import gettext as _

from providers.applying.own import Missing


def step_text(it: Missing, answers: str) -> str:
    """What is to be done. `answers`: who answers bookings, `desk`, `partner` or `system`."""
    return {
        "profile": _("Names in both languages"),
        "place": _("A place, matched with our list of sites"),
        "offer": _("A service with its price"),
        "system": {
            "desk": _("People answer at the desk"),
            "partner": _("A program has its credentials"),
            "system": _("The own system is connected"),
        }[answers],
        "certificate": _("Certificates, where your program or your system answers"),
        "approval": _("Our approval"),
    }[it.what]


def step_state(it: Missing) -> str:
    """Whether it is done."""
    if not it.needed:
        return _("not needed")
    return _("done") if it.done else _("to be done")
