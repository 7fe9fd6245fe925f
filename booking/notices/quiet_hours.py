"""The hours during which no SMS or e-mail is sent."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

QUIET_FROM = time(22)
QUIET_UNTIL = time(8)


def quiet_until(now: datetime, zone: str, first: time = QUIET_FROM, last: time = QUIET_UNTIL) -> datetime | None:
    """When the quiet hours around `now` end (UTC); None outside of them.

    They last from `first` to `last` on the wall clock of `zone`, over midnight where `last` is the earlier; two equal
    times mean none. The end is always after `now`, also when the clock is set back and an hour comes twice.
    """
    local = now.astimezone(ZoneInfo(zone))
    at = local.time()
    over_midnight = first > last
    inside = (at >= first or at < last) if over_midnight else first <= at < last
    if not inside:
        return None
    day = local.date() + timedelta(days=1) if over_midnight and at >= first else local.date()
    ends = [datetime.combine(day, last, ZoneInfo(zone)).replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    return next((end for end in ends if end > now), now + timedelta(minutes=1))
