"""All jobs of a worker."""

from __future__ import annotations

from threading import Event

from booking.worker.jobs import bookings, books, consultations, escorts, forgetting, messages, of_provider, providers
from booking.worker.jobs.job import Job
from booking.worker.lanes import Lanes


def all_jobs(lanes: Lanes, stopping: Event) -> list[Job]:
    """All jobs: our own, and those of each provider in `lanes`. Long ones end early once `stopping` is set."""
    return [
        *bookings.jobs(),
        *consultations.jobs(),
        *escorts.jobs(),
        *messages.jobs(),
        *providers.jobs(),
        *books.jobs(stopping),
        *forgetting.jobs(),
        *(job for lane in lanes.all() for job in of_provider.jobs(lanes, lane.provider)),
    ]
