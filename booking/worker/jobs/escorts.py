"""Jobs about those who are sent to customers."""

from __future__ import annotations

from booking.escort.after.confirm import ask_customers, complete_silent
from booking.escort.after.lost import end_lost
from booking.escort.after.record import file_records
from booking.escort.dispatch.find import find_workers
from booking.escort.dispatch.watch import close_cases, expire_due_asks, replace_absent, replace_late
from booking.escort.outside.watch import watch_outside
from booking.worker.jobs.job import Job
from marketplace.core.database.moment import now_by_database
from marketplace.messages.to_workers import WORKERS


def jobs() -> list[Job]:
    """The jobs."""
    return [
        Job("escorts", 3, _escorts),
        Job("escort-letters", 2, lambda: WORKERS.send_due(now_by_database)),
        Job("escorts-late", 15, lambda: dict(replace_late(now=now_by_database()))),
        Job("escorts-outside", 15, lambda: dict(watch_outside(now=now_by_database()))),
        Job("escort-cases", 60, lambda: dict(close_cases(now=now_by_database()))),
        Job("escorts-lost", 30, lambda: end_lost(now=now_by_database())),
        Job("escorts-said-over", 15, lambda: {"asked": ask_customers(now=now_by_database())}),
        Job("escorts-silent", 60, lambda: {"completed": complete_silent(now=now_by_database())}),
        Job("escort-records", 60, lambda: file_records(now=now_by_database())),
    ]


def _escorts() -> dict[str, int]:
    """End what was not answered or is for a worker who is away, then ask for all that nobody is asked for."""
    now = now_by_database()
    return dict(expire_due_asks(now=now) + replace_absent(now=now) + find_workers(now=now))
