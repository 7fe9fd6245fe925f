"""Whether a deed can have been done when the phone says so. It counts all the same: a wrong clock is no lie."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

Doubt = Literal["ahead", "before", "after"]

TOLERANCE = timedelta(minutes=5)
"""How far a phone's clock may be off before it is remarked on."""
FARTHEST = timedelta(days=3_653)
"""A time farther from ours is kept as one so far away: nothing that shows it has to reckon with the year 9999."""


def kept(at: datetime, *, received_at: datetime) -> datetime:
    """The time of a deed as it is written down: as it was said, save that it is no farther than FARTHEST from ours. Of
    such a one `doubt` says `ahead` or `before`."""
    return max(received_at - FARTHEST, min(at, received_at + FARTHEST))


def doubt(
    at: datetime, *, received_at: datetime, accepted_at: datetime, given_up_at: datetime | None = None
) -> Doubt | None:
    """Why `at` can't be quite true, each beyond TOLERANCE: `ahead` of the moment at which we were told, `before` the
    worker accepted, `after` it was given up (None: it was not). None for a time that can be true."""
    if at > received_at + TOLERANCE:
        return "ahead"
    if at < accepted_at - TOLERANCE:
        return "before"
    if given_up_at is not None and at > given_up_at + TOLERANCE:
        return "after"
    return None
