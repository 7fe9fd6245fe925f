"""What departments are called."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _

from marketplace.catalog.kinds.online_consultation import GENERAL
from marketplace.core.text import Text
from marketplace.web.language import by_language


def department_name(code: str, names: Mapping[str, Text]) -> str:
    """What the provider calls it; for one that it offers no more, its code."""
    if code in names:
        return by_language(names[code])
    return _("General questions") if code == GENERAL else code
