"""Jobs about bookings, the waiting list, and what they are booked from."""

from __future__ import annotations

from booking.attendance.no_show import call_no_shows
from booking.calls.waiting_commands import raise_waiting
from booking.capacity_rules.decisions import carry_out_due
from booking.capacity_rules.extend import extend_calendars
from booking.changes.proposals import expire_proposals
from booking.changes.unanswered import end_past_changes, end_unanswered, end_unanswered_changes
from booking.closures.close import work_closures
from booking.coverage.tell import tell_covered
from booking.escort.after.lost import somebody_was_to_come
from booking.exchange.escalate import raise_unknown
from booking.hold.expire import expire_holds
from booking.reports.chase import mark_overdue
from booking.sync.snapshots import tend_snapshots
from booking.waiting.offers import offer_freed, review, settle_offers
from booking.worker.jobs.job import Job
from marketplace.core import clock


def jobs() -> list[Job]:
    """The jobs."""
    return [
        Job("holds", 1, lambda: {"expired": expire_holds(now=clock.now())}, brief=True),
        Job("waiting", 1, _waiting),
        Job("waiting-review", 60, lambda: dict(review(now=clock.now()))),
        Job("unanswered", 15, lambda: {"asked": end_unanswered(now=clock.now())}),
        Job("unanswered-changes", 15, lambda: {"withdrawn": end_unanswered_changes(now=clock.now())}),
        Job("past-changes", 60, lambda: {"ended": end_past_changes(now=clock.now())}),
        Job("proposals", 15, lambda: {"expired": expire_proposals(now=clock.now())}),
        Job("overdue", 60, lambda: {"late": mark_overdue(now=clock.now())}),
        Job("no_shows", 60, lambda: {"called": call_no_shows(now=clock.now(), spared=somebody_was_to_come())}),
        Job("unknown", 15, lambda: {"open": raise_unknown(now=clock.now())}),
        Job("commands", 15, lambda: raise_waiting(now=clock.now())),
        Job("coverage", 60, lambda: tell_covered(now=clock.now())),
        Job("closures", 5, lambda: work_closures(now=clock.now())),
        Job("calendars", 15, lambda: extend_calendars(now=clock.now(), clock=clock.now)),
        Job("capacity_decisions", 5, lambda: carry_out_due(now=clock.now())),
        Job("slot_snapshots", 60, lambda: dict(tend_snapshots(now=clock.now()))),
    ]


def _waiting() -> dict[str, int]:
    """Settle the offers that were made, then offer the places that were freed."""
    return dict(settle_offers(now=clock.now()) + offer_freed(now=clock.now()))
