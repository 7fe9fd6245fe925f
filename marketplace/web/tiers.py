"""Tiers of places, in words."""

from __future__ import annotations

from flask_babel import gettext as _

from marketplace.catalog.models import UNKNOWN_TIER
from marketplace.core.text import Text
from marketplace.web.language import by_language


def tier_word(tier: str | None) -> str:
    """`三级甲等`, `Tier 3A`; blank for an unknown one."""
    if not tier or tier == UNKNOWN_TIER:
        return ""
    level = {"三": "3", "二": "2", "一": "1"}[tier[0]]
    grade = {"特": "S", "甲": "A", "乙": "B", "丙": "C"}.get(tier[2:3], "")
    return by_language(Text(tier, _("Tier %(level)s", level=level + grade)))
