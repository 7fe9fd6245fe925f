"""When a delivery that failed is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=20),
)
"""Standard Webhooks' schedule, over three days."""
JITTER = 0.1
"""By how much a wait may be longer, so that a receiver which comes back is not met by everything at once."""


def next_try(failures: int, *, now: datetime, chance: float, ask_again: float | None = None) -> datetime | None:
    """When to try again after so many failures, None when it is given up. `chance` is from 0 to 1; `ask_again` are the
    seconds that the receiver asked for: it is never sooner."""
    if failures > len(WAITS):
        return None
    wait = WAITS[failures - 1] * (1 + JITTER * chance)
    return now + max(wait, timedelta(seconds=ask_again or 0))
