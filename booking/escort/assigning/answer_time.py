"""How long a worker has for her answer. This is the one place where it is said."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from booking.notices.quiet_hours import quiet_until

DAYS_AWAY, HOURS_AWAY = timedelta(hours=24), timedelta(hours=3)
FOR_DAYS_AWAY, FOR_HOURS_AWAY, FOR_SOON = timedelta(minutes=15), timedelta(minutes=5), timedelta(minutes=2)
NIGHT = (time(22), time(8))
"""From when until when nobody need look at her phone for what is days away."""
LEAST = timedelta(seconds=30)
"""Nobody is asked who could not answer: reading it takes that long."""


def notify_from(start: datetime, now: datetime, *, zone: str, answer_due_at: datetime | None = None) -> datetime:
    """From when on her phone may be sent a message about what begins at `start`: now, save that what is a day away or
    more waits for the end of NIGHT, unless her answer would be due before that."""
    night = quiet_until(now, zone, *NIGHT) if start - now >= DAYS_AWAY else None
    return now if night is None or (answer_due_at is not None and answer_due_at <= night) else night


def answer_due(
    start: datetime, deadline: datetime | None, now: datetime, *, zone: str, until: datetime | None = None
) -> datetime | None:
    """Until when she may answer who is asked now to be there at `start`: a quarter of an hour for what is a day away or
    more, five minutes on the day, two when it is less than three hours away. Never past `deadline`, by which the
    booking itself must be answered (None: it is firm), nor past the start; where that is over, not past `until`, the
    end of the service. None where that leaves her less than LEAST.

    Of what is a day away or more, NIGHT does not count, on the clock of `zone`: whoever would have to answer in it has
    until a quarter of an hour after it, unless the booking itself must be answered by then.
    """
    left = start - now
    usual = FOR_DAYS_AWAY if left >= DAYS_AWAY else FOR_HOURS_AWAY if left >= HOURS_AWAY else FOR_SOON
    due = now + usual
    night = quiet_until(due, zone, *NIGHT) or quiet_until(now, zone, *NIGHT) if left >= DAYS_AWAY else None
    if night is not None and (deadline is None or night + usual <= deadline):
        due = night + usual
    last = until if start <= now and until is not None else start
    due = min(due, last, *(() if deadline is None else (deadline,)))
    return due if due - now >= LEAST else None
