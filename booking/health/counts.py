"""What a worker counts of its calls to providers, and how that comes into the database.

It is counted in memory, and written every WRITE_SECONDS by one statement; several workers add up. A worker that is
killed takes with it what it counted since it last wrote; one whose COMMIT gets no answer may write the same twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from threading import Lock
from typing import Any

from sqlalchemy import text

from booking.calls.breaker import Call
from booking.health import histogram
from marketplace.core.database.db import transaction

WRITE_SECONDS = 10
SPAN = timedelta(minutes=5)
"""The length of time that is counted in one row."""


class Came(StrEnum):
    """What came of a call: an answer that can be used, a refusal among them, or the kind of failure. `rate_limited` is
    an answer as well: the provider is there, and asks to be left alone for a while."""

    SUCCEEDED = "succeeded"
    TIMED_OUT = "timed_out"
    UNREACHED = "unreached"
    SERVER_ERRORS = "server_errors"
    CLIENT_ERRORS = "client_errors"
    UNREADABLE = "unreadable"
    RATE_LIMITED = "rate_limited"
    OTHER_ERRORS = "other_errors"


def span_of(moment: datetime) -> datetime:
    """The beginning of the five minutes in which a moment lies."""
    return datetime.fromtimestamp(moment.timestamp() // SPAN.total_seconds() * SPAN.total_seconds(), UTC)


@dataclass
class _Counted:
    came: dict[Came, int] = field(default_factory=lambda: dict.fromkeys(Came, 0))
    milliseconds: int = 0
    steps: list[int] = field(default_factory=list)

    def add(self, other: _Counted) -> None:
        for each, number in other.came.items():
            self.came[each] += number
        self.milliseconds += other.milliseconds
        self.steps = histogram.summed((self.steps, other.steps))


_Key = tuple[int, str, datetime]


class Counts:
    """The calls of one worker that are not written yet. Any thread may add."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counted: dict[_Key, _Counted] = {}

    def add(self, provider_id: int, call: Call, came: Came, milliseconds: float, *, at: datetime) -> None:
        """Count one call that ended `at`."""
        one = _Counted(milliseconds=round(milliseconds), steps=histogram.counted((milliseconds,)))
        one.came[came] = 1
        self._add((provider_id, call.value, span_of(at)), one)

    def write(self) -> int:
        """Add all to the database's counts; how many rows were touched. What could not be written is counted on, and
        the error of the database raised."""
        with self._lock:
            taken, self._counted = self._counted, {}
        if not taken:
            return 0
        try:
            with transaction() as session:
                session.execute(_ADD, {"rows": json.dumps([_row(key, taken[key]) for key in sorted(taken)])})
        except BaseException:
            for key, counted in taken.items():
                self._add(key, counted)
            raise
        return len(taken)

    def _add(self, key: _Key, counted: _Counted) -> None:
        with self._lock:
            self._counted.setdefault(key, _Counted()).add(counted)


def _row(key: _Key, counted: _Counted) -> Mapping[str, Any]:
    provider_id, call, at = key
    return {
        "provider_id": provider_id,
        "call": call,
        "at": at.isoformat(),
        "calls": sum(counted.came.values()),
        **{came.value: number for came, number in counted.came.items()},
        "milliseconds": counted.milliseconds,
        "histogram": counted.steps,
    }


_NUMBERS = ("calls", *(came.value for came in Came), "milliseconds")
COLUMNS = ("provider_id", "call", "at", *_NUMBERS, "histogram")
_SUMS = ", ".join(f"{name} = c.{name} + excluded.{name}" for name in _NUMBERS)
_TYPES = f"provider_id bigint, call text, at timestamptz, {', '.join(f'{name} bigint' for name in _NUMBERS)}"
INSERT = f"""
INSERT INTO provider_call_count AS c ({", ".join(COLUMNS)})
SELECT {", ".join(COLUMNS)} FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r({_TYPES}, histogram integer[])
ON CONFLICT (provider_id, call, at) DO UPDATE SET """
"""Rows as a list of JSON objects, in the order of their keys: rivals wait for each other and never in a circle."""
_ADD = text(
    f"""{INSERT}{_SUMS}, histogram =
      (SELECT array_agg(coalesce(a, 0) + coalesce(b, 0) ORDER BY place)
         FROM unnest(c.histogram, excluded.histogram) WITH ORDINALITY AS both_of(a, b, place))"""
)
