"""How long there is for an answer, as the desk's lists say it."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask_babel import gettext as _

from booking.answering.day import SOON
from marketplace.web import formats

_PRESSING = timedelta(hours=2)


def left_of(due_at: datetime, asked_at: datetime, now: datetime) -> tuple[str, int, str]:
    """What is left until `due_at` in words, as a share of the whole time since `asked_at` (0 to 100), and how pressing
    that is: `bad`, `wait` or blank."""
    left, whole = due_at - now, due_at - asked_at
    if left <= timedelta():
        return _("Overdue"), 0, "bad"
    share = max(2, min(100, round(100 * left / whole))) if whole > timedelta() else 100
    minutes = max(60, int(left.total_seconds() // 60) * 60)
    return formats.span(minutes), share, "bad" if left <= SOON else "wait" if left <= _PRESSING else ""
