"""Jobs about consultations, and what is promised by the second."""

from __future__ import annotations

from typing import Any

from booking.consultation.assigning.absence import bring_back
from booking.consultation.assigning.ended import close_ended
from booking.consultation.assigning.escalate import escalate
from booking.consultation.assigning.leaving import release_gone
from booking.consultation.close import close_idle
from booking.consultation.notices.due import notify_due
from booking.consultation.outside.deliver import end_left
from booking.consultation.outside.ends import end_closed_there
from booking.consultation.outside.waiting import raise_waiting_messages
from booking.consultation.queue import offer_next
from booking.pledges.keep import keep_pledges
from booking.worker.jobs.job import Job
from marketplace.core import clock
from marketplace.core.database.moment import by_database, now_by_database


def jobs() -> list[Job]:
    """The jobs."""
    return [
        Job("consultation-notices", 5, lambda: dict(notify_due(now=now_by_database()))),
        Job("consultations-idle", 300, lambda: close_idle(now=clock.now())),
        Job("consultations-left", 15, _left),
    ]


def keep_promises() -> dict[str, Any]:
    """What is measured by the second: one moment by the database's clock for the whole pass. What a customer was
    promised comes first."""
    now = now_by_database()
    return dict(
        keep_pledges(now=now)
        + escalate(now=now)
        + close_ended(now=now)
        + release_gone(now=now)
        + bring_back(now=now)
        + offer_next(now=now)
    )


PLEDGES = Job("pledges", 1, keep_promises)
"""No job of the leader: every worker does it in a thread of its own, so that a leader that dies delays nothing."""


def _left() -> dict[str, int]:
    """Give up what nobody waits for at an outside provider any more, and tell operators of what it does not take."""
    return {
        **end_closed_there(now=by_database),
        **end_left(now=by_database),
        **raise_waiting_messages(now=by_database),
    }
