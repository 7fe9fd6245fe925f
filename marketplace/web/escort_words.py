"""What may be wrong with an escort, in words: for its customer, and for who looks into it."""

from __future__ import annotations

from flask_babel import gettext as _


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
