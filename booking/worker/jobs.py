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
from booking.capacity_rules.decisions import carry_out_due
from booking.capacity_rules.extend import extend_calendars
from booking.certifying.carry_out import certify_due, take_back_left
from booking.changes.proposals import expire_proposals
from booking.changes.unanswered import end_past_changes, end_unanswered, end_unanswered_changes
from booking.closures.close import work_closures
from booking.consultation.assigning.absence import bring_back
from booking.consultation.assigning.ended import close_ended
from booking.consultation.assigning.escalate import escalate
from booking.consultation.assigning.leaving import release_gone
from booking.consultation.close import close_idle
from booking.consultation.notices.due import notify_due
from booking.consultation.outside.deliver import end_left
from booking.consultation.outside.ends import end_closed_there
from booking.consultation.outside.listen import listen, read_roster
from booking.consultation.outside.waiting import raise_waiting_messages
from booking.consultation.pictures import examine
from booking.consultation.queue import offer_next
from booking.coverage.tell import tell_covered
from booking.escort.after.confirm import ask_customers, complete_silent
from booking.escort.after.lost import end_lost, somebody_was_to_come
from booking.escort.after.record import file_records
from booking.escort.dispatch.find import find_workers
from booking.escort.dispatch.watch import close_cases, lapse_due, replace_absent, replace_late
from booking.escort.outside.listen import listen_to_escorts
from booking.escort.outside.watch import watch_outside
from booking.exchange.escalate import raise_unknown
from booking.feeds.unreadable import forget_rows
from booking.health.answers import count_answers
from booking.health.slowly import note_slow
from booking.hold.expire import expire_holds
from booking.idempotency import forget_keys
from booking.joining.carry_out import carry_out_tests, forget_tests
from booking.live.forget import forget_live
from booking.messages.deliver import deliver_due
from booking.messages.remind import remind_of_bookings, remind_of_endings
from booking.personal.erase import finish_erasures
from booking.personal.export import forget_copies, make_copies
from booking.personal.retention import forget_consultations, forget_escorts, forget_old, forget_reports
from booking.pledges.keep import keep_pledges
from booking.programs.clean import take_back_trials
from booking.programs.run import try_program
from booking.reconcile.look_ups import look_up_due
from booking.reconcile.run import run_due
from booking.reconcile.strays import cancel_due
from booking.rehearsals.carry_out import carry_on, forget_rehearsals
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
from booking.webhooks.stopped import deliver_messages, forget_messages
from booking.worker.lanes import Lane, Lanes
from marketplace.chain.watch import Sealer, verify_nightly
from marketplace.clients.tokens import forget_tokens
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.database.moment import by_database, now_by_database
from marketplace.core.integrity import forget_alarms
from marketplace.core.logging import get_logger
from marketplace.messages import send, to_providers
from providers.applying.forget import forget_applications
from providers.applying.letters import APPLICATIONS
from providers.conformance.certificates.issue import tend_certificates
from providers.conversing import conversing_adapter
from providers.escorting import escorting_adapter
from providers.staff.post import INVITATIONS, forget_over
from vip.entitlements.of_customer import expire_due
from vip.imports.work import forget_contents, work_imports
from vip.insurers.assertions import forget_assertions
from vip.insurers.bring import forget_links
from vip.insurers.snapshots import expire
from vip.signin.limits import forget_buckets

log = get_logger(__name__)

FETCH_SECONDS = 3
CHASE_SECONDS = 300
RECONCILE_LOOK = 3
"""How often (seconds) a worker checks whether a reconciliation is due or was requested."""
LOOK_UPS_SECONDS = 5
STRAYS_SECONDS = 3
ROSTER_SECONDS = 3600
"""How often a provider is asked who its doctors are; and at once when somebody speaks whom it has not named."""
ESCORTS_SECONDS = 2
"""How often it is looked whose lines are due; they are read as booking.escort.outside.listen says."""
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
        Job("consultation-notices", 5, lambda: dict(notify_due(now=now_by_database()))),
        Job("consultations-idle", 300, lambda: close_idle(now=clock.now())),
        Job("consultations-left", 15, _left),
        Job("escorts", 3, _escorts),
        Job("escorts-late", 15, lambda: dict(replace_late(now=now_by_database()))),
        Job("escorts-outside", 15, lambda: dict(watch_outside(now=now_by_database()))),
        Job("escort-cases", 60, lambda: dict(close_cases(now=now_by_database()))),
        Job("no_shows", 60, lambda: {"called": call_no_shows(now=clock.now(), spared=somebody_was_to_come())}),
        Job("escorts-lost", 30, lambda: end_lost(now=clock.now())),
        Job("escorts-said-over", 15, lambda: {"asked": ask_customers(now=clock.now())}),
        Job("escorts-silent", 60, lambda: {"completed": complete_silent(now=clock.now())}),
        Job("escort-records", 60, lambda: file_records(now=clock.now())),
        Job("unknown", 15, lambda: {"open": raise_unknown(now=clock.now())}),
        Job("commands", 15, lambda: raise_waiting(now=clock.now())),
        Job("answers", 60, lambda: count_answers(now=clock.now())),
        Job("slow_providers", 15, lambda: note_slow(now=clock.now())),
        Job("coverage", 60, lambda: tell_covered(now=clock.now())),
        Job("closures", 5, lambda: work_closures(now=clock.now())),
        Job("calendars", 15, lambda: extend_calendars(now=clock.now(), clock=clock.now)),
        Job("capacity_decisions", 5, lambda: carry_out_due(now=clock.now())),
        Job("statements", 300, lambda: {"made": make_statements(now=clock.now())}),
        Job("entitlements", 300, lambda: expire_entitlements(stopping)),
        Job("messages", 2, lambda: deliver_due(send.send, clock.now)),
        Job("invitations", 2, lambda: INVITATIONS.send_due(clock.now)),
        Job("applications", 2, lambda: APPLICATIONS.send_due(clock.now)),
        Job("applications-over", 3600, lambda: forget_applications(now=clock.now())),
        Job("invitations-over", 3600, lambda: {"forgotten": forget_over(now=clock.now())}),
        Job("reminders", 60, lambda: {"notified": remind_of_bookings(now=clock.now())}),
        Job("endings", 3600, lambda: {"notified": remind_of_endings(now=clock.now())}),
        Job("keys", 3600, lambda: {"forgotten": forget_keys(now=clock.now())}),
        Job("events", 3600, lambda: {"forgotten": forget_events(now=clock.now())}),
        Job("live_events", 300, lambda: {"forgotten": forget_live(now=clock.now())}),
        Job("rows", 3600, lambda: {"forgotten": forget_rows(now=clock.now())}),
        Job("seal", SEAL_SECONDS, Sealer(settings().audit_heads_file, clock.now, stopping.is_set).run),
        Job("verify", 300, lambda: _verify(stopping)),
        Job("retention", 3600, lambda: forget_old(now=clock.now())),
        Job("reports-over", 3600, lambda: forget_reports(now=clock.now())),
        Job("consultations-over", 3600, lambda: forget_consultations(now=clock.now())),
        Job("escort-records-over", 3600, lambda: forget_escorts(now=clock.now())),
        Job("copies", 5, lambda: make_copies(now=clock.now())),
        Job("erasures", 60, lambda: finish_erasures(now=clock.now())),
        Job("copies-over", 3600, lambda: {"forgotten": forget_copies(now=clock.now())}),
        Job("alarms-over", 3600, lambda: {"forgotten": forget_alarms(now=clock.now())}),
        Job("tokens-over", 3600, _programs_over),
        Job("slot_snapshots", 60, lambda: dict(tend_snapshots(now=clock.now()))),
        Job("webhooks", 1, lambda: make_deliveries(now=clock.now())),
        Job("webhooks-over", 3600, _forget_webhooks),
        Job("webhooks-stopped", 5, lambda: deliver_messages(to_providers.send, clock.now)),
        Job("certificates", 60, lambda: tend_certificates(now=clock.now())),
        Job("conformance", 3, lambda: certify_due(clock.now, try_program)),
        Job("conformance-left", 60, take_back_left),
        Job("conformance-trials", 60, lambda: take_back_trials(clock.now)),
        Job("system_tests", 2, lambda: carry_out_tests(clock.now)),
        Job("system_tests-over", 60, lambda: forget_tests(now=clock.now())),
        Job("rehearsals", 1, lambda: carry_on(clock.now)),
        Job("rehearsals-over", 3600, lambda: {"forgotten": forget_rehearsals(now=clock.now())}),
        Job("imports", 2, lambda: work_imports(clock.now)),
        Job("imports-over", 3600, lambda: forget_contents(now=clock.now())),
        Job("limits", 3600, lambda: {"forgotten": forget_buckets(now=clock.now())}),
    ]
    for lane in lanes.all():
        jobs += _jobs_of(lanes, lane.provider)
    return jobs


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


def _jobs_of(lanes: Lanes, provider: ProviderConnection) -> list[Job]:
    """The jobs that read from one provider: none where there is nothing to read."""
    if provider.answers_here:
        return []

    def job(task: str, every: int, call: Call, work: Work, *, may_idle: bool = False) -> Job:
        pull = _pull(lanes, provider.id, call, work, may_idle=may_idle)
        return Job(f"{task}:{provider.code}", every, pull, provider.code)

    talks = [
        job("consultations", 1, Call.CONSULTATIONS, _listen, may_idle=True),
        job("clinicians", ROSTER_SECONDS, Call.CONSULTATIONS, _roster),
    ]
    escorts = [job("escort-lines", ESCORTS_SECONDS, Call.ESCORTS, _listen_to_escorts, may_idle=True)]
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
        *(talks if provider.converses and provider.id in lanes.talking else []),
        *(escorts if provider.escorts and provider.id in lanes.escorting else []),
    ]


def _programs_over() -> dict[str, int]:
    """Forget programs' tokens and what insurers' apps brought customers by, and end snapshots that ran out of time."""
    now = clock.now()
    return {
        "forgotten": forget_tokens(now=now),
        "links": forget_links(now=now),
        "assertions": forget_assertions(now=now),
        "snapshots": expire(now=now),
    }


def _forget_webhooks() -> dict[str, int]:
    """Forget old deliveries, and old messages about endpoints."""
    now = clock.now()
    return {"forgotten": forget_deliveries(now=now), "messages": forget_messages(now=now)}


def _left() -> dict[str, int]:
    """Give up what nobody waits for at an outside provider any more, and tell operators of what it does not take."""
    return {
        **end_closed_there(now=by_database),
        **end_left(now=by_database),
        **raise_waiting_messages(now=by_database),
    }


def _escorts() -> dict[str, int]:
    """End what was not answered or is for a worker who is away, then ask for all that nobody is asked for."""
    now = now_by_database()
    return dict(lapse_due(now=now) + replace_absent(now=now) + find_workers(now=now))


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
    return pull_slots(lane.provider, lane.adapter(Call.SLOTS), today=today, now=now)


def _bookings(lane: Lane) -> dict[str, int]:
    return poll_bookings(lane.provider, lane.adapter(Call.BOOKINGS), now=clock.now())


def _reports(lane: Lane) -> dict[str, int]:
    return poll_reports(lane.provider, lane.adapter(Call.REPORTS), now=clock.now())


def _chase(lane: Lane) -> dict[str, int]:
    return ask_again(lane.provider, lane.adapter(Call.REPORTS), now=clock.now())


def _fetch(lane: Lane) -> dict[str, int]:
    return fetch_due(lane.provider, lane.adapter(Call.FETCHES), now=clock.now())


def _listen(lane: Lane) -> dict[str, int]:
    return listen(lane.provider, conversing_adapter(lane.adapter(Call.CONSULTATIONS)), by_database)


def _listen_to_escorts(lane: Lane) -> dict[str, int]:
    return listen_to_escorts(lane.provider, escorting_adapter(lane.adapter(Call.ESCORTS)), by_database, examine)


def _roster(lane: Lane) -> dict[str, int]:
    return read_roster(lane.provider, conversing_adapter(lane.adapter(Call.CONSULTATIONS)), by_database)


def _reconcile(lane: Lane) -> dict[str, int]:
    every = timedelta(seconds=settings().reconcile_seconds)
    return run_due(lane.provider, lane.adapter(Call.RECONCILE), every=every, clock=clock.now)


def _strays(lane: Lane) -> dict[str, int]:
    return cancel_due(lane.provider, lane.adapter(Call.STRAYS), clock=clock.now)


def _look_ups(lane: Lane) -> dict[str, int]:
    every = timedelta(seconds=settings().reconcile_seconds)
    return look_up_due(lane.provider, lane.adapter(Call.LOOK_UPS), every=every, clock=clock.now)


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
