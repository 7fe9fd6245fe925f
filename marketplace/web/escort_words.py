"""An escort in words that several rooms use: what may be wrong with it, how a step is known, what became of asking
somebody."""

from __future__ import annotations

from flask_babel import gettext as _

from booking.escort.evidence.doubt import Doubt
from booking.escort.shown.words import DOUBTS
from marketplace.web.language import by_language


def wrong_words() -> dict[str, str]:
    """What may be wrong, by its code."""
    return {
        "late": _("The escort came late"),
        "left_early": _("The escort left too early"),
        "another_person": _("Somebody else came"),
        "unkind": _("The escort was unkind"),
        "costs": _("The costs are not right"),
        "not_as_told": _("It was not as it is told here"),
        "other": _("Something else"),
    }


def doubtful(doubt: Doubt | None) -> str:
    """Why a time can't be quite true, blank where it can."""
    return by_language(DOUBTS[doubt]) if doubt is not None else ""


def proved(position: str | None, *, by_code: bool) -> str:
    """How we know that somebody was there; blank where we don't."""
    if by_code:
        return _("The code was given.")
    if position == "within":
        return _("The escort's phone was within 300 m of the place.")
    if position == "away":
        return _("The escort's phone was not near the place.")
    return ""


def ended(state: str, cause: str) -> str:
    """What became of asking somebody, once that is over."""
    words = {
        "declined": _("Said no"),
        "no_answer": _("Did not answer in time"),
        "done": _("Done"),
        "ill": _("Taken off: ill"),
        "late": _("Taken off: late"),
        "desk": _("Taken off by the desk"),
        "moved": _("The booking is at another time"),
        "cancelled": _("The booking ended"),
    }
    return words.get(state) or words.get(cause) or _("Over")
