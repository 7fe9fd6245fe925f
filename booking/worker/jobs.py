"""The jobs of the worker's clock: what is done, and how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from typing import Any

from booking.attendance.no_show import call_no_shows
from booking.calls.breaker import Call
from booking.calls.connections import ProviderConnection
from booking.calls.through import through
from booking.calls.waiting_commands import raise_waiting
from booking.changes.proposals import expire_proposals
from booking.changes.unanswered import end_past_changes, end_unanswered, end_unanswered_changes
from booking.closures.close import work_closures
from booking.exchange.escalate import raise_unknown
from booking.feeds.unreadable import forget_rows
from booking.hold.expire import expire_holds
from booking.idempotency import forget_keys
from booking.messages.deliver import deliver_due
from booking.messages.remind import remind_of_bookings, remind_of_endings
from booking.personal.erase import finish_erasures
from booking.personal.export import forget_copies, make_copies
from booking.personal.retention import forget_old, forget_reports
from booking.reconcile.look_ups import look_up_due
from booking.reconcile.run import run_due
from booking.reconcile.strays import cancel_due
from booking.reports.chase import ask_again, mark_overdue
from booking.reports.fetch import fetch_due, poll_reports
from booking.settlement.close_day import make_statements
from booking.sync.bookings import poll_bookings
from booking.sync.slots import pull_slots
from booking.sync.snapshots import tend_snapshots
from booking.sync.webhooks import forget_events
from booking.waiting.offers import offer_freed, review, settle_offers
from booking.webhooks.deliveries import forget_deliveries
from booking.webhooks.make import make_deliveries
from booking.worker.lanes import Lane, Lanes
from marketplace.chain.watch import Sealer, verify_nightly
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.integrity import forget_alarms
from marketplace.core.logging import get_logger
from marketplace.messages import send
from providers.clients.tokens import forget_tokens
from vip.entitlements.of_customer import expire_due
from vip.signin.limits import forget_buckets

log = get_logger(__name__)

FETCH_SECONDS = 3
CHASE_SECONDS = 300
RECONCILE_LOOK = 3
"""How often (seconds) a worker checks whether a reconciliation is due or was requested."""
LOOK_UPS_SECONDS = 5
STRAYS_SECONDS = 3
EXPIRE_AT_ONCE = 500
SEAL_SECONDS = 5

Work = Callable[[Lane], dict[str, int]]


@dataclass(frozen=True)
class Job:
    """Work that is done every so many seconds. `code` is the provider's, blank for work that concerns no provider.
    A leader that has not begun a `brief` one for WORKER_OVERDUE_SECONDS stands still."""

    name: str
    every: int
    work: Callable[[], dict[str, Any]]
    code: str = ""
    brief: bool = False


def all_jobs(lanes: Lanes, stopping: Event) -> list[Job]:
    """All jobs: our own, and those of each provider in `lanes`. Long ones end early once `stopping` is set."""
    jobs = [
        Job("holds", 1, lambda: {"expired": expire_holds(now=clock.now())}, brief=True),
        Job("waiting", 1, _waiting),
        Job("waiting-review", 60, lambda: dict(review(now=clock.now()))),
        Job("unanswered", 15, lambda: {"asked": end_unanswered(now=clock.now())}),
        Job("unanswered-changes", 15, lambda: {"withdrawn": end_unanswered_changes(now=clock.now())}),
        Job("past-changes", 60, lambda: {"ended": end_past_changes(now=clock.now())}),
        Job("proposals", 15, lambda: {"expired": expire_proposals(now=clock.now())}),
        Job("overdue", 60, lambda: {"late": mark_overdue(now=clock.now())}),
        Job("no_shows", 60, lambda: {"called": call_no_shows(now=clock.now())}),
        Job("unknown", 15, lambda: {"open": raise_unknown(now=clock.now())}),
        Job("commands", 15, lambda: raise_waiting(now=clock.now())),
        Job("closures", 5, lambda: work_closures(now=clock.now())),
        Job("statements", 300, lambda: {"made": make_statements(now=clock.now())}),
        Job("entitlements", 300, lambda: expire_entitlements(stopping)),
        Job("messages", 2, lambda: deliver_due(send.send, clock.now)),
        Job("reminders", 60, lambda: {"notified": remind_of_bookings(now=clock.now())}),
        Job("endings", 3600, lambda: {"notified": remind_of_endings(now=clock.now())}),
        Job("keys", 3600, lambda: {"forgotten": forget_keys(now=clock.now())}),
        Job("events", 3600, lambda: {"forgotten": forget_events(now=clock.now())}),
        Job("rows", 3600, lambda: {"forgotten": forget_rows(now=clock.now())}),
        Job("seal", SEAL_SECONDS, Sealer(settings().audit_heads_file, clock.now, stopping.is_set).run),
        Job("verify", 300, lambda: _verify(stopping)),
        Job("retention", 3600, lambda: forget_old(now=clock.now())),
        Job("reports-over", 3600, lambda: forget_reports(now=clock.now())),
        Job("copies", 5, lambda: make_copies(now=clock.now())),
        Job("erasures", 60, lambda: finish_erasures(now=clock.now())),
        Job("copies-over", 3600, lambda: {"forgotten": forget_copies(now=clock.now())}),
        Job("alarms-over", 3600, lambda: {"forgotten": forget_alarms(now=clock.now())}),
        Job("tokens-over", 3600, lambda: {"forgotten": forget_tokens(now=clock.now())}),
        Job("slot_snapshots", 60, lambda: dict(tend_snapshots(now=clock.now()))),
        Job("webhooks", 1, lambda: make_deliveries(now=clock.now())),
        Job("webhooks-over", 3600, lambda: {"forgotten": forget_deliveries(now=clock.now())}),
        Job("limits", 3600, lambda: {"forgotten": forget_buckets(now=clock.now())}),
    ]
    for lane in lanes.all():
        jobs += _jobs_of(lanes, lane.provider)
    return jobs


def _jobs_of(lanes: Lanes, provider: ProviderConnection) -> list[Job]:
    """The jobs that read from one provider: none where there is nothing to read."""
    if provider.answers_here:
        return []

    def job(task: str, every: int, call: Call, work: Work, *, may_idle: bool = False) -> Job:
        pull = _pull(lanes, provider.id, call, work, may_idle=may_idle)
        return Job(f"{task}:{provider.code}", every, pull, provider.code)

    listed = [job("reconcile", RECONCILE_LOOK, Call.RECONCILE, _reconcile, may_idle=True)]
    return [
        job("slots", provider.slots_seconds, Call.SLOTS, _slots),
        job("bookings", provider.poll_seconds, Call.BOOKINGS, _bookings),
        job("reports", provider.poll_seconds, Call.REPORTS, _reports),
        *(listed if provider.list_bookings else []),
        job("look_ups", LOOK_UPS_SECONDS, Call.LOOK_UPS, _look_ups, may_idle=True),
        job("strays", STRAYS_SECONDS, Call.STRAYS, _strays, may_idle=True),
        job("chase", CHASE_SECONDS, Call.REPORTS, _chase, may_idle=True),
        job("fetch", FETCH_SECONDS, Call.FETCHES, _fetch, may_idle=True),
    ]


def _waiting() -> dict[str, int]:
    """Settle the offers that were made, then offer the places that were freed."""
    return dict(settle_offers(now=clock.now()) + offer_freed(now=clock.now()))


def expire_entitlements(stopping: Event) -> dict[str, int]:
    """Expire all entitlements that are due, in parts; locked ones are left for the next time. Returns counts."""
    counts = Counter[str]()
    more = True
    while more and not stopping.is_set():
        part = expire_due(clock.now(), EXPIRE_AT_ONCE)
        counts.update(entitlements=part.entitlements, units=part.units)
        counts["skipped"] = part.skipped
        more = part.more and part.entitlements > 0
    return dict(counts)


def _verify(stopping: Event) -> dict[str, int]:
    return verify_nightly(heads_file=settings().audit_heads_file, now=clock.now, stopping=stopping.is_set)


def _slots(lane: Lane) -> dict[str, int]:
    now = clock.now()
    today = clock.today(lane.provider.connection.time_zone, now)
    return pull_slots(lane.provider, lane.adapter(), today=today, now=now)


def _bookings(lane: Lane) -> dict[str, int]:
    return poll_bookings(lane.provider, lane.adapter(), now=clock.now())


def _reports(lane: Lane) -> dict[str, int]:
    return poll_reports(lane.provider, lane.adapter(), now=clock.now())


def _chase(lane: Lane) -> dict[str, int]:
    return ask_again(lane.provider, lane.adapter(), now=clock.now())


def _fetch(lane: Lane) -> dict[str, int]:
    return fetch_due(lane.provider, lane.adapter(), now=clock.now())


def _reconcile(lane: Lane) -> dict[str, int]:
    every = timedelta(seconds=settings().reconcile_seconds)
    return run_due(lane.provider, lane.adapter(), every=every, clock=clock.now)


def _strays(lane: Lane) -> dict[str, int]:
    return cancel_due(lane.provider, lane.adapter(), clock=clock.now)


def _look_ups(lane: Lane) -> dict[str, int]:
    every = timedelta(seconds=settings().reconcile_seconds)
    return look_up_due(lane.provider, lane.adapter(), every=every, clock=clock.now)


def _pull(
    lanes: Lanes, provider_id: int, call: Call, work: Work, *, may_idle: bool = False
) -> Callable[[], dict[str, int]]:
    """`work` with the lane that the provider has when the job runs, if the breaker of this kind of call lets it."""

    def pull() -> dict[str, int]:
        lane = lanes.get(provider_id)
        if lane is None:
            return {}
        return through(call, lane.provider, lambda: work(lane), clock.now, may_idle=may_idle)

    return pull
