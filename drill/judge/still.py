"""An independent reader: does any provider or job stand still although its trouble is over?

It asks PostgreSQL itself, past the proxy, and takes only what the product has recorded of its work: when each feed was
last read, when each frequent job last succeeded, since when a command has been due.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg

from drill.judge.books import Difference
from drill.rig.plan import WORKERS, Plan
from drill.rig.stage import Stage
from marketplace.core import clock

MOST_STILL = 60.0
"""Seconds that anything may stand still after its trouble has ended."""
_LOOK = 1.0

_WORK = """
    SELECT 'feed ' || c.feed || ' of ' || p.code AS name, p.code, c.last_success_at AS since
      FROM sync_cursor c JOIN provider p ON p.id = c.provider_id WHERE c.feed IN ('slots', 'bookings', 'reports')
    UNION ALL
    SELECT 'job ' || name, split_part(name, ':', 2), succeeded_at FROM job_run WHERE every_seconds <= 15
    UNION ALL
    SELECT 'commands of ' || p.code, p.code, min(greatest(t.run_after, coalesce(t.lease_until, t.run_after)))
      FROM provider_task t JOIN provider p ON p.id = t.provider_id
     WHERE t.state IN ('queued', 'in_flight', 'unknown')
       AND NOT EXISTS (SELECT 1 FROM provider_task e WHERE e.booking_id = t.booking_id AND e.seq < t.seq
                          AND e.state IN ('queued', 'in_flight', 'unknown'))
     GROUP BY p.code
"""


@dataclass(frozen=True)
class Trouble:
    """Something that keeps a provider (blank: everybody) from its work, from `at` to `until` seconds of the drill."""

    at: float
    until: float
    code: str = ""


@dataclass
class Watch:
    """How long anything has stood still at most, by name.

    Seconds in which no worker could be at work, since each was killed, count for nobody. They do not begin the count
    anew as a trouble does: what stands still between them is found, however many follow each other.
    """

    troubles: list[Trouble]
    most: float = MOST_STILL
    longest: dict[str, float] = field(default_factory=dict)
    _idle: list[tuple[float, float]] = field(default_factory=list)
    _noted: float = 0.0

    def note(self, elapsed: float, *, held_down: bool) -> None:
        """Take whether all workers are held down by kills now, and so since this was last asked."""
        if held_down:
            self._idle.append((self._noted, elapsed))
        self._noted = elapsed

    def look(self, rows: Iterable[tuple[str, str, datetime | None]], now: datetime, elapsed: float) -> None:
        """Take what each work's last success was at `now`, so many seconds after the beginning of the drill. Nothing
        stands still while its trouble lasts, nor before the beginning."""
        for name, code, since in rows:
            still = elapsed if since is None else (now - since).total_seconds()
            still = min(still, elapsed - self._trouble_until(code, elapsed))
            still -= self._idle_since(elapsed - still)
            self.longest[name] = max(self.longest.get(name, 0.0), still)

    def _trouble_until(self, code: str, elapsed: float) -> float:
        """When the last trouble of a provider ended; now while one lasts."""
        mine = [each for each in self.troubles if each.code in ("", code) and each.at <= elapsed]
        return max((min(each.until, elapsed) for each in mine), default=0.0)

    def _idle_since(self, at: float) -> float:
        return sum(until - max(since, at) for since, until in self._idle if until > at)

    def differences(self) -> list[Difference]:
        """What stood still for too long."""
        return [
            Difference("stood still", f"{name} for {seconds:.0f} s after its trouble was over")
            for name, seconds in sorted(self.longest.items())
            if seconds > self.most
        ]

    def wait_for(self, work: str, seconds: float) -> None:
        """Wait until something whose name begins so has stood still for too long, at most so many seconds."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if any(name.startswith(work) and still > self.most for name, still in dict(self.longest).items()):
                return
            time.sleep(_LOOK)

    def worst(self) -> str:
        """The longest stand-still, for the figures."""
        name = max(self.longest, key=self.longest.__getitem__, default="")
        return f"{self.longest[name]:.1f} s: {name}" if name else "none"


def troubles_of(plan: Plan) -> list[Trouble]:
    """The planned troubles that stop everything of their kind: outages of a provider, a silent database."""
    outages = [Trouble(fault.at, fault.until, fault.provider) for fault in plan.faults if fault.outage]
    return outages + [Trouble(silence.at, silence.until) for silence in plan.silences]


def watch(where: Stage, seen: Watch, began: float, over: threading.Event) -> None:
    """Look every second until `over`; a database that is being killed is waited for."""
    while not over.wait(_LOOK):
        seen.note(time.monotonic() - began, held_down=where.fleet.held_down(WORKERS))
        try:
            with where.books() as books:
                rows = [(row.name, row.code, row.since) for row in books.execute(_WORK).fetchall()]
        except psycopg.Error:
            continue
        seen.look(rows, clock.now(), time.monotonic() - began)


PLANTED = timedelta(hours=1)
PLANTED_AT = "feed slots"
"""How the name of what then stands still begins."""


def plant_still(where: Stage) -> None:
    """A provider that is left alone for an hour although nothing is wrong with it."""
    with where.books() as books:
        books.execute(
            "INSERT INTO provider_breaker (provider_id, call, retry_at) SELECT min(id), 'slots', %s FROM provider"
            " ON CONFLICT (provider_id, call) DO UPDATE SET retry_at = excluded.retry_at",
            [clock.now() + PLANTED],
        )
