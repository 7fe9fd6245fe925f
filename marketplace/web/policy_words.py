"""Policies in words, for the customer and for operators."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _

from marketplace.web.formats import full_date
from marketplace.web.parts import Pill
from vip.policies.standing import Standing


def standing_word(standing: str) -> str:
    """`有效`, `已失效` …; `In force`, `Lapsed` …"""
    words = {
        "in_force": _("In force"),
        "not_yet": _("Not begun yet"),
        "lapsed": _("Lapsed"),
        "surrendered": _("Surrendered"),
        "ended": _("Policy ended"),
    }
    return words[standing]


def standing_pill(standing: Standing) -> Pill:
    """The same as a pill."""
    looks = {"in_force": ("ok", "check"), "not_yet": ("wait", "hourglass"), "lapsed": ("bad", "circle-alert")}
    tone, icon = looks.get(standing, ("off", "x"))
    return Pill(standing_word(standing), tone, icon)


def term_word(*, long_term: bool) -> str:
    """How long such a policy is meant for."""
    return _("Long-term policy") if long_term else _("Short-term policy")


def span(first: date, last: date | None) -> str:
    """From which day to which, or for good."""
    if last is None:
        return _("From %(first)s, for life", first=full_date(first))
    return _("%(first)s to %(last)s", first=full_date(first), last=full_date(last))
