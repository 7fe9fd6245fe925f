"""How long providers take to say yes or no to a booking, whatever way their answer comes: the counts of `answers`.
What has no time is not among them: it stands in their queue at once, and its answer is what is pledged. Days on which a
provider is closed are no part of that time.

They are counted from the bookings' histories, anew for the last minutes at each run: what was committed late is found,
and to run it twice changes nothing.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text

from booking.health.counts import INSERT, Came, span_of
from booking.health.histogram import counted
from booking.health.models import ANSWERED, ASKED, ProviderCallCount
from booking.health.open_days import open_days
from marketplace.catalog.kinds import without_times
from marketplace.core.database.db import reading, transaction

ANSWERS = "answers"
"""The kind of these counts, beside the kinds of calls."""
AGAIN = timedelta(minutes=20)
"""So much of what was counted is counted anew: longer than any transaction is open."""
FIRST = timedelta(days=15)
"""How far back the first run looks."""

_ANSWERS = text(
    f"""
    SELECT b.provider_id, h.at, asked.at AS asked_at
      FROM (SELECT * FROM booking_history WHERE at >= :since AND {ANSWERED}) AS h
      JOIN booking b ON b.id = h.booking_id AND b.kind <> ALL(:without_times)
      CROSS JOIN LATERAL (
        SELECT max(a.at) AS at FROM booking_history a
         WHERE a.booking_id = h.booking_id AND a.version < h.version AND {ASKED}) AS asked
     WHERE asked.at IS NOT NULL
    """
)
_SET = text(
    f"{INSERT}calls = excluded.calls, succeeded = excluded.succeeded, milliseconds = excluded.milliseconds,"
    " histogram = excluded.histogram"
)


def count_answers(*, now: datetime) -> dict[str, int]:
    """Count the answers since the last run, and those of the minutes before it. Returns how many spans were written."""
    with reading() as session:
        last = session.scalar(select(func.max(ProviderCallCount.at)).where(ProviderCallCount.call == ANSWERS))
        since = span_of(now - FIRST if last is None else min(last, now) - AGAIN)
        found = session.execute(_ANSWERS, {"since": since, "without_times": list(without_times())}).all()
        days = open_days(session, {row.provider_id for row in found}, now=now) if found else {}
    taken: dict[tuple[int, datetime], list[float]] = defaultdict(list)
    for row in found:
        took = days[row.provider_id].within(row.asked_at, row.at)
        taken[row.provider_id, span_of(row.at)].append(took.total_seconds() * 1000)
    if taken:
        rows = [_row(provider_id, at, times) for (provider_id, at), times in sorted(taken.items())]
        with transaction() as session:
            session.execute(_SET, {"rows": json.dumps(rows)})
    return {"spans": len(taken)}


def _row(provider_id: int, at: datetime, times: Sequence[float]) -> dict[str, Any]:
    return {
        "provider_id": provider_id,
        "call": ANSWERS,
        "at": at.isoformat(),
        "calls": len(times),
        **dict.fromkeys(Came, 0),
        Came.SUCCEEDED: len(times),
        "milliseconds": round(sum(times)),
        "histogram": counted(times),
    }
