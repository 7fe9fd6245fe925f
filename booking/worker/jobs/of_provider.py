"""Jobs that read from one provider."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from booking.calls.breaker import Call
from booking.calls.connections import ProviderConnection
from booking.calls.through import through
from booking.consultation.outside.listen import listen, read_roster
from booking.consultation.pictures import examine
from booking.escort.outside.listen import listen_to_escorts
from booking.reconcile.look_ups import look_up_due
from booking.reconcile.run import run_due
from booking.reconcile.strays import cancel_due
from booking.reports.chase import ask_again
from booking.reports.fetch import fetch_due, poll_reports
from booking.sync.bookings import poll_bookings
from booking.sync.slots import pull_slots
from booking.worker.jobs.job import Job
from booking.worker.lanes import Lane, Lanes
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.database.moment import by_database
from providers.conversing import conversing_adapter
from providers.escorting import escorting_adapter

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

Work = Callable[[Lane], dict[str, int]]


def jobs(lanes: Lanes, provider: ProviderConnection) -> list[Job]:
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
