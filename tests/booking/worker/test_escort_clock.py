"""What the clock ends of those who are sent to customers it ends by the database's time: a worker whose own clock is
wrong gives back no benefit too early, and completes nothing."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from booking.worker.jobs import escorts


@pytest.mark.parametrize("hours", [-48, 48])
def test_a_wrong_clock_of_the_worker_ends_nothing(db: Engine, monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    seen: dict[str, datetime] = {}
    asked = ("replace_late", "watch_outside", "close_cases", "end_lost", "ask_customers", "complete_silent")
    for name in (*asked, "file_records", "expire_due_asks", "replace_absent", "find_workers"):
        monkeypatch.setattr(escorts, name, _seen(seen, name))
    monkeypatch.setenv("CLOCK_OFFSET_SECONDS", str(hours * 3600))
    for job in escorts.jobs():
        job.work()
    assert len(seen) == len(asked) + 4
    off = {name: at for name, at in seen.items() if abs(at - datetime.now(UTC)) > timedelta(minutes=5)}
    assert off == {}


def _seen(seen: dict[str, datetime], name: str) -> Any:
    def note(*, now: datetime) -> Counter[str]:
        seen[name] = now
        return Counter()

    return note
