"""The figures of a drill, as a table."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

import psycopg

from drill.api import Tally
from drill.rig.fleet import Fleet
from drill.rig.trouble import Providers

_COUNTS = {
    "bookings": "SELECT count(*) FROM booking",
    "confirmed by the provider": "SELECT count(DISTINCT booking_id) FROM booking_history WHERE to_state = 'confirmed'",
    "holds that ran out": "SELECT count(*) FROM booking_history WHERE to_state = 'expired'",
    "cancelled": "SELECT count(*) FROM booking_history WHERE to_state = 'cancelled'",
    "  of these by the provider": (
        "SELECT count(*) FROM booking_history WHERE to_state = 'cancelled' AND actor_kind = 'provider'"
    ),
    "rejected": "SELECT count(*) FROM booking_history WHERE to_state = 'rejected'",
    "changes done": "SELECT count(*) FROM change_request WHERE kind = 'reschedule' AND state = 'done'",
    "changes refused": "SELECT count(*) FROM change_request WHERE kind = 'reschedule' AND state <> 'done'",
    "places in line": "SELECT count(*) FROM waiting_entry",
    "  offers made to them": "SELECT count(*) FROM waiting_chance",
    "outcomes unknown for a while": "SELECT count(*) FROM booking_history WHERE to_state = 'outcome_unknown'",
    "second bookings found and cancelled": "SELECT count(*) FROM provider_booking WHERE role = 'stray'",
    "commands to providers": "SELECT count(*) FROM provider_task",
    "tries for them": "SELECT coalesce(sum(tries), 0)::bigint FROM provider_task",
    "events taken in": "SELECT count(*) FROM inbox_event",
    "rows that could not be read": "SELECT count(*) FROM discrepancy WHERE kind = 'unreadable_row'",
    "differences opened": "SELECT count(*) FROM discrepancy",
}


def table(
    books: psycopg.Connection[Any],
    fleet: Fleet,
    tally: Tally,
    providers: Providers,
    rested: float,
    reconciled: Mapping[str, str],
) -> Iterator[str]:
    """The lines to print."""
    yield from part(f"kills: {fleet.kills.total()}", fleet.kills)
    yield from part(
        "seconds until it answered again (median, longest)",
        {name: f"{median(times):.1f}, {max(times):.1f}" for name, times in fleet.starts.items()},
    )
    yield from part("our books", {name: _one(books, question) for name, question in _COUNTS.items()})
    yield from part(f"answers to customers: {tally.answers.total()}", tally.answers)
    yield from part("refusals", tally.refusals)
    yield from part("what customers saw of the kills", tally.errors)
    yield from part("faults that struck", providers.struck)
    yield from part("providers' own moves", providers.moves)
    yield (
        f"one answer: p50 {milliseconds(tally.times, 0.5)}, p99 {milliseconds(tally.times, 0.99)}; "
        f"with all repeats: p50 {milliseconds(tally.waits, 0.5)}, p99 {milliseconds(tally.waits, 0.99)}"
    )
    yield from part("reconciliation", reconciled)
    yield f"came to rest {rested:.0f} s after the faults were switched off"


def part(title: str, figures: Mapping[str, Any] | Counter[str]) -> Iterator[str]:
    """A heading and a line for each figure."""
    yield title
    for name, figure in sorted(figures.items()) if isinstance(figures, Counter) else figures.items():
        yield f"  {name:<40} {figure}"


def _one(books: psycopg.Connection[Any], question: str) -> int:
    return int(books.execute(question.encode()).fetchall()[0][0])


def milliseconds(times: Sequence[float], share: float) -> str:
    """The seconds that a share of the times stays within, in words."""
    if not times:
        return "none"
    return f"{sorted(times)[math.ceil(share * len(times)) - 1] * 1000:.0f} ms"
