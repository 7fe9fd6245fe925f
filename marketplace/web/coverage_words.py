"""How a place is covered, in words."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import pgettext

from marketplace.catalog.coverage.level import LEVELS, Level
from marketplace.web.parts import Pill


def level_word(level: Level | None) -> str:
    """`Covered`; for None that a part is taken back."""
    if level is None:
        return pgettext("coverage", "Taken back")
    return {
        "covered": pgettext("coverage", "Covered"),
        "on_request": pgettext("coverage", "On request"),
        "not_covered": pgettext("coverage", "Not covered"),
    }[level]


def level_pill(level: Level | None) -> Pill:
    """The same with its colour."""
    looks = {"covered": ("ok", "check"), "on_request": ("wait", "hourglass"), "not_covered": ("off", "x")}
    tone, icon = looks[level] if level is not None else ("plain", "refresh-cw")
    return Pill(level_word(level), tone, icon=icon)


def level_choices() -> tuple[tuple[str, str], ...]:
    """Every level with its word."""
    return tuple((level, level_word(level)) for level in LEVELS)


def how_soon(hours: int) -> str:
    """How long an answer may take."""
    return _("answered within %(hours)s hours", hours=hours)
