"""What came of the calls to providers within a span of time, and how long they took: sums and a line of points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.orm import Session

from booking.health import histogram
from booking.health.answers import ANSWERS
from booking.health.counts import Came, span_of

ENOUGH = 10
"""Of so few calls nothing is said."""
FAILING = 0.1
"""The part of the calls from which a provider, or one kind of its calls, is failing."""


class Window(StrEnum):
    """How far back is looked; `step` is the length of time of each point of the line."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"

    @property
    def length(self) -> timedelta:
        """The whole of it."""
        return _WINDOWS[self][0]

    @property
    def step(self) -> timedelta:
        """One point."""
        return _WINDOWS[self][1]


_WINDOWS = {
    Window.HOUR: (timedelta(hours=1), timedelta(minutes=5)),
    Window.DAY: (timedelta(days=1), timedelta(hours=1)),
    Window.WEEK: (timedelta(days=7), timedelta(hours=6)),
}


@dataclass(frozen=True)
class Figures:
    """What came of some calls. Those that were only asked to come later count neither as answered nor as failed."""

    came: Mapping[Came, int] = field(default_factory=dict)
    steps: tuple[int, ...] = ()

    @property
    def calls(self) -> int:
        """All of them."""
        return sum(self.came.values())

    @property
    def failed(self) -> int:
        """Those without a usable answer."""
        return self.judged - self.came.get(Came.SUCCEEDED, 0)

    @property
    def judged(self) -> int:
        """Those that succeeded or failed."""
        return self.calls - self.later

    @property
    def later(self) -> int:
        """Those that were only asked to come later."""
        return self.came.get(Came.RATE_LIMITED, 0)

    @property
    def failing(self) -> bool:
        """Whether many of enough calls failed."""
        return self.judged >= ENOUGH and self.failed >= FAILING * self.judged

    @property
    def success(self) -> float | None:
        """The part of those that succeeded, 0 to 1; None where nothing is known."""
        return None if not self.judged else 1 - self.failed / self.judged

    def percentile(self, part: float) -> float | None:
        """In milliseconds, within 9 %; None where nothing is known."""
        return histogram.percentile(self.steps, part)

    def __add__(self, other: Figures) -> Figures:
        came = {each: self.came.get(each, 0) + other.came.get(each, 0) for each in Came}
        return Figures(came, tuple(histogram.summed((self.steps, other.steps))))


NONE = Figures()


@dataclass(frozen=True)
class Point:
    """One step of the line, from `at` on."""

    at: datetime
    figures: Figures


_SUMS = ", ".join(f"sum({came.value})::bigint AS {came.value}" for came in Came)
_BY_CALL = text(
    f"""
    WITH counted AS (
      SELECT * FROM provider_call_count WHERE at >= :since AND at <= :now
         AND (CAST(:provider AS bigint) IS NULL OR provider_id = :provider))
    SELECT sums.*, steps.histogram
      FROM (SELECT provider_id, call, {_SUMS} FROM counted GROUP BY provider_id, call) AS sums
      JOIN (SELECT provider_id, call, array_agg(number ORDER BY place) AS histogram
              FROM (SELECT provider_id, call, place, sum(one)::bigint AS number
                      FROM counted, unnest(histogram) WITH ORDINALITY AS u(one, place)
                     GROUP BY provider_id, call, place) AS each_step
             GROUP BY provider_id, call) AS steps USING (provider_id, call)
    """
)


def by_call(
    session: Session, window: Window, *, now: datetime, provider_id: int | None = None
) -> dict[int, dict[str, Figures]]:
    """The sums of each provider (internal id) and kind of call, `answers` among them; of one provider alone with its
    `provider_id`. What did not happen is not there."""
    values = {"since": _since(window, now), "now": now, "provider": provider_id}
    found: dict[int, dict[str, Figures]] = {}
    for row in session.execute(_BY_CALL, values):
        figures = Figures({came: getattr(row, came.value) for came in Came}, tuple(row.histogram))
        found.setdefault(row.provider_id, {})[row.call] = figures
    return found


def of_calls(figures: Mapping[str, Figures]) -> Figures:
    """All kinds of call as one; answers are none."""
    return sum((each for call, each in figures.items() if call != ANSWERS), NONE)


_LINE = text(
    f"""
    SELECT date_bin(CAST(:step AS interval), at, CAST(:since AS timestamptz)) AS point, {_SUMS},
           json_agg(histogram) AS histograms
      FROM provider_call_count
     WHERE provider_id = :provider AND at >= :since AND at <= :now AND (call = '{ANSWERS}') = :answers
     GROUP BY point ORDER BY point
    """
)


def line(
    session: Session, provider_id: int, window: Window, *, now: datetime, answers: bool = False
) -> tuple[Point, ...]:
    """All calls of one provider, or its answers, step by step in the order of time; steps without any have figures of
    nothing."""
    since = _since(window, now)
    values = {"step": window.step, "since": since, "now": now, "provider": provider_id, "answers": answers}
    found = {
        row.point: Figures({came: getattr(row, came.value) for came in Came}, tuple(histogram.summed(row.histograms)))
        for row in session.execute(_LINE, values)
    }
    return tuple(
        Point(at, found.get(at, NONE)) for at in (since + n * window.step for n in range(window.length // window.step))
    )


def _since(window: Window, now: datetime) -> datetime:
    """The last steps, the one that is under way among them."""
    return span_of(now) - window.length + min(window.step, timedelta(minutes=5))
