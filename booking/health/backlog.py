"""What waits at each provider: commands that it has not taken, requests that it has not answered, reports it owes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.answering.queue import unanswered
from booking.models import Booking, ProviderTask


@dataclass(frozen=True)
class Backlog:
    """Commands that are not taken, and since when the oldest waits; requests without an answer, and how many of them
    are past the time in which it was promised; reports that are awaited, and how many are late."""

    commands: int = 0
    oldest: datetime | None = None
    requests: int = 0
    past_pledge: int = 0
    reports: int = 0
    reports_late: int = 0


def backlogs(session: Session, *, now: datetime, provider_id: int | None = None) -> dict[int, Backlog]:
    """What waits, by provider (internal id), of one alone with its `provider_id`; who has nothing is not there."""
    found: dict[int, Backlog] = {}
    commands = select(
        ProviderTask.provider_id, func.count().label("number"), func.min(ProviderTask.created_at).label("oldest")
    ).where(ProviderTask.state.in_(("queued", "in_flight")), ProviderTask.unknown_since.is_(None))
    requests = select(
        Booking.provider_id,
        func.count().label("number"),
        func.count().filter(Booking.answer_due_at < now).label("late"),
    ).where(unanswered())
    reports = select(
        Booking.provider_id,
        func.count().label("number"),
        func.count().filter(Booking.report_due_at < now).label("late"),
    ).where(Booking.report_state.in_(("expected", "partial", "overdue")))
    if provider_id is not None:
        commands = commands.where(ProviderTask.provider_id == provider_id)
        requests = requests.where(Booking.provider_id == provider_id)
        reports = reports.where(Booking.provider_id == provider_id)
    for task in session.execute(commands.group_by(ProviderTask.provider_id)):
        found[task.provider_id] = Backlog(commands=task.number, oldest=task.oldest)
    for row in session.execute(requests.group_by(Booking.provider_id)):
        before = found.get(row.provider_id, Backlog())
        found[row.provider_id] = replace(before, requests=row.number, past_pledge=row.late)
    for owed in session.execute(reports.group_by(Booking.provider_id)):
        before = found.get(owed.provider_id, Backlog())
        found[owed.provider_id] = replace(before, reports=owed.number, reports_late=owed.late)
    return found
