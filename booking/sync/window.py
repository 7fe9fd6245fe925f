"""What the times of a slot may be: of its own day at the site, and of a day at most."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from providers.reported import RemoteSlot

LONGEST = timedelta(days=1)


def window_fault(slot: RemoteSlot, time_zone: str) -> tuple[str, str] | None:
    """The field of a slot that cannot be right at a site in this zone, and a key of the words for it; None if all can
    be. A slot that begins on its day may end on the next."""
    if slot.starts_at is None or slot.ends_at is None:
        return None
    if slot.ends_at <= slot.starts_at:
        return "ends_at", "ends_before_start"
    if slot.ends_at - slot.starts_at > LONGEST:
        return "ends_at", "longer_than_a_day"
    if slot.starts_at.astimezone(ZoneInfo(time_zone)).date() != slot.service_date:
        return "service_date", "not_the_day_of_start"
    return None
