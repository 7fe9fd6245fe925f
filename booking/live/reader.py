"""Reads events, each once, in one statement a reading, which waits for nobody (booking.live.place says how)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from booking.live.place import Place, place_of
from marketplace.core.database.db import rows

MOST_MISSED = 500
"""Events that are made up for after an absence; who missed more begins anew."""


@dataclass(frozen=True)
class Event:
    """One event. `told`: what a stream shows of it. `late`: seconds from its writing until it was read, by the
    database's clock."""

    id: int
    topics: tuple[str, ...]
    told: dict[str, Any]
    late: float


class Lost(Exception):
    """The numbers of transactions have gone back, or another count of them began: the database was restored. What
    happened since a place of before isn't known."""


_HISTORY = """
    coalesce((SELECT right(history, 12) FROM installation_release ORDER BY id DESC LIMIT 1), '')
"""

_NOW = f"SELECT CAST(pg_current_snapshot() AS text) AS snapshot, {_HISTORY} AS history"

_READ = f"""
    SELECT s.snapshot, s.history, e.id, e.topics, e.kind, e.told,
           extract(epoch FROM clock_timestamp() - e.at) AS late
      FROM (SELECT CAST(pg_current_snapshot() AS text) AS snapshot, {_HISTORY} AS history) AS s
      LEFT JOIN (
           SELECT id, topics, kind, CAST(facts AS text) AS told, at
             FROM live_event WHERE xact >= CAST(%(high)s AS bigint)
           UNION ALL
           SELECT id, topics, kind, CAST(facts AS text), at
             FROM live_event WHERE xact = ANY(CAST(%(running)s AS bigint[]))
      ) AS e ON true
     ORDER BY e.id
"""

_MISSED = """
    SELECT id, topics, kind, CAST(facts AS text) AS told, extract(epoch FROM clock_timestamp() - at) AS late
      FROM live_event
     WHERE (xact >= CAST(%(high)s AS bigint) AND xact < CAST(%(until_high)s AS bigint)
         OR xact = ANY(CAST(%(running)s AS bigint[])))
       AND topics && CAST(%(topics)s AS text[])
       AND pg_visible_in_snapshot(CAST(CAST(xact AS text) AS xid8), CAST(%(until)s AS pg_snapshot))
     ORDER BY id LIMIT %(limit)s
"""


def begin(*, now: datetime) -> Place:
    """The place of now: only what comes afterwards will be read."""
    found = rows(_NOW, {})[0]
    return place_of(found.snapshot, found.history, now)


def read(since: Place, *, now: datetime) -> tuple[list[Event], Place]:
    """The events that were committed after `since`, whenever they were written, and the place behind them. Events of
    one conversation or booking are in their order. Raises Lost."""
    found = rows(_READ, {"high": since.high, "running": list(since.running)})
    reached = place_of(found[0].snapshot, found[0].history, now)
    if reached.history != since.history or reached.high < since.high:
        raise Lost()
    return [_event(row) for row in found if row.id is not None], reached


def missed(since: Place, until: Place, topics: Sequence[str]) -> list[Event] | None:
    """The events of `topics` that were committed after `since` and stand before `until`; None where they can't be
    made up for: there are too many, or `since` is of another count."""
    if since.history != until.history or since.high > until.high:
        return None
    values = {
        "high": since.high,
        "running": list(since.running),
        "until_high": until.high,
        "until": until.snapshot,
        "topics": list(topics),
        "limit": MOST_MISSED + 1,
    }
    found = rows(_MISSED, values)
    return None if len(found) > MOST_MISSED else [_event(row) for row in found]


def _event(row: Any) -> Event:
    return Event(row.id, tuple(row.topics), {"kind": row.kind, **json.loads(row.told)}, max(0.0, float(row.late)))
