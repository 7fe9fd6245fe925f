"""The one place that reads the time.

Use cases take `now` as an argument; entrypoints pass `clock.now()`. Tests set the clock instead of sleeping.
`CLOCK_OFFSET_SECONDS` moves a whole process, for trying out what tomorrow brings. In the demonstration the clock of all
processes together is moved on while they run: by a file, which nothing but a development process ever reads.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from pathlib import Path
from zoneinfo import ZoneInfo

HOME_ZONE = "Asia/Shanghai"
"""Where most sites and readers are, and what a zone is where nobody said another one."""

_fixed: datetime | None = None
_demonstration: Path | None = None


def now() -> datetime:
    """The present moment, in UTC with its zone."""
    if _fixed is not None:
        return _fixed
    ahead = timedelta(seconds=int(os.environ.get("CLOCK_OFFSET_SECONDS", "0")))
    return datetime.now(UTC) + ahead + moved()


def follow_demonstration(*, development: bool) -> None:
    """Let this process's clock follow the demonstration's (`DEMO_CLOCK_FILE`). Outside of development nothing is."""
    global _demonstration
    file = os.environ.get("DEMO_CLOCK_FILE", "")
    _demonstration = Path(file) if development and file else None


def can_move_on() -> bool:
    """Whether this is a process of the demonstration."""
    return _demonstration is not None


def move_on(by: timedelta) -> None:
    """Move the demonstration's clock on, for all its processes. It never goes back: what has happened has happened."""
    if _demonstration is None or by < timedelta():
        raise ValueError("only the demonstration's clock is moved, and only on")
    with _demonstration.with_suffix(".lock").open("w") as lock:  # a lock of this opening: threads wait for it as well
        fcntl.flock(lock, fcntl.LOCK_EX)
        there = _demonstration.with_suffix(".new")
        there.write_text(str(ceil((_moved(_demonstration) + by).total_seconds())))
        there.replace(_demonstration)


def _moved(file: Path) -> timedelta:
    try:
        return timedelta(seconds=int(file.read_text()))
    except FileNotFoundError:
        return timedelta()


def moved() -> timedelta:
    """How far the demonstration's clock was moved on; nothing outside of it."""
    return timedelta() if _demonstration is None else _moved(_demonstration)


def stopped_at() -> datetime | None:
    """Where a test has stopped the clock; None while it goes."""
    return _fixed


def of_the_machine() -> datetime:
    """The machine's own time, which nothing moves: for a scheduler, which waits by it."""
    return datetime.now(UTC)


def today(zone: str, at: datetime | None = None) -> date:
    """The calendar date in `zone` (an IANA name) at the moment `at`, else now."""
    return (at or now()).astimezone(ZoneInfo(zone)).date()


def start_of(day: date, starts_at: datetime | None, zone: str) -> datetime:
    """When a service begins: its time, or midnight in `zone` when it is for the whole of `day`."""
    return starts_at or datetime.combine(day, time(), ZoneInfo(zone))


def window_of(day: date, starts_at: datetime | None, ends_at: datetime | None, zone: str) -> tuple[datetime, datetime]:
    """What a service takes of a person's time, from and until: its window, or the whole of `day` in `zone` (23 to 25
    hours long where clocks change)."""
    if starts_at is not None and ends_at is not None:
        return starts_at, ends_at
    return start_of(day, None, zone), start_of(day + timedelta(days=1), None, zone)


@contextmanager
def frozen(moment: datetime) -> Iterator[None]:
    """Stop the clock at `moment` inside the block; for tests."""
    global _fixed
    before, _fixed = _fixed, moment
    try:
        yield
    finally:
        _fixed = before
