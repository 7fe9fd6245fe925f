"""The timeline of an escort as lines, for its customer and for the family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from booking.escort.evidence.doubt import Doubt
from booking.escort.shown.steps import Step
from booking.escort.shown.words import AHEAD, DONE
from marketplace.web import formats
from marketplace.web.escort_words import doubtful, proved
from marketplace.web.language import by_language


@dataclass(frozen=True)
class Line:
    """A line: `done | now | next`. `at` is when it was done, and `shown` how that is written; `note` says how it is
    known, `words` what the escort wrote at it."""

    kind: str
    title: str
    at: datetime | None = None
    shown: str = ""
    note: str = ""
    words: str = field(default="", repr=False)


def lines(steps: Sequence[Step], day: date, zone: str) -> tuple[Line, ...]:
    """The steps in words. Of a time on the day of the service the hour is enough."""
    return tuple(_line(step, day, zone) for step in steps)


def hour(at: datetime, day: date, zone: str) -> str:
    """`08:21` on that day at the place, else with its date."""
    return formats.time_of(at, zone) if formats.local(at, zone).date() == day else formats.moment(at, zone)


def hour_told(at: datetime, doubt: Doubt | None, day: date, zone: str) -> str:
    """The time of a deed, with what is doubtful about it."""
    return formats.dotted((hour(at, day, zone), doubtful(doubt)))


def _line(step: Step, day: date, zone: str) -> Line:
    if step.at is None:
        return Line(step.state, by_language(AHEAD[step.what]))
    shown = hour_told(step.at, step.doubt, day, zone)
    note = proved(step.position, by_code=step.by_code)
    return Line(step.state, by_language(DONE[step.what]), step.at, shown, note, step.words)
