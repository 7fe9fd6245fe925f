"""Making slots and carrying decisions out while the page is waited for."""

from __future__ import annotations

from datetime import datetime

from booking.capacity_rules import extend
from booking.capacity_rules.decisions import carry_out_due
from marketplace.core import clock
from marketplace.core.errors import Busy, TooMany
from marketplace.core.logging import get_logger

log = get_logger(__name__)


def publish_now(pool: int, change: str, *, now: datetime) -> None:
    """Make the slots of a pool (internal id) and carry out what was decided with a change, as far as that can be done
    at once; the worker does the rest."""
    try:
        extend.publish_calendar(pool, now=now, clock=clock.now)
        carry_out_due(now=now, change=change)
    except (Busy, TooMany) as refusal:
        log.info("calendar.left_to_worker", change=change, code=refusal.code)
