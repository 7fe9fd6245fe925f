"""Delete what streams have had time enough for."""

from __future__ import annotations

from datetime import datetime, timedelta

from booking.live.models import LiveEvent, LiveTicket
from booking.live.place import RESUMABLE
from marketplace.core.database.retention import forget

KEPT = max(timedelta(hours=1), 2 * RESUMABLE)
"""How long an event stays: many times what a stream may be away and still go on."""


def forget_live(*, now: datetime, batch: int = 5_000) -> int:
    """Delete the events of more than an hour ago, and the tickets that nobody used in time; returns how many."""
    events = forget(LiveEvent.id, LiveEvent.at, now - KEPT, batch)
    return events + forget(LiveTicket.id, LiveTicket.expires_at, now, batch)
