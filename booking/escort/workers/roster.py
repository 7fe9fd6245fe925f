"""When an escort worker works: the lines of her weekly roster, on the clock of her city."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.escort.models import EscortDuty, EscortWorker
from booking.escort.workers.keep import locked, record
from booking.escort.workers.profile import zone_of
from marketplace.core.clock import today
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, Refusal
from providers.staff.duties import require
from vip.principal import Member

MOST_LINES = 20
DAY_MINUTES = 24 * 60


class RosterFull(Refusal):
    """There are as many lines as there may be; `most` says how many."""

    code = "escort_roster_full"


@dataclass(frozen=True)
class Hours:
    """A line of a roster: on these weekdays (1 Monday to 7 Sunday) from one minute of the day to another, from the day
    `first` to the day `last`, both included; None: until it is changed."""

    weekdays: frozenset[int]
    start_minute: int
    end_minute: int
    first: date
    last: date | None = None

    @property
    def key(self) -> str:
        """What a form calls the line: a worker has no two that say the same."""
        days = "".join(map(str, sorted(self.weekdays)))
        return f"{days}-{self.start_minute}-{self.end_minute}-{self.first}-{self.last or ''}"


def hours_of(session: Session, worker_id: int, since: date) -> list[Hours]:
    """The lines that hold on `since` or later, by the day and minute on which they begin."""
    rows = session.scalars(
        select(EscortDuty)
        .where(EscortDuty.worker_id == worker_id, func.coalesce(EscortDuty.valid_until >= since, True))
        .order_by(EscortDuty.valid_from, EscortDuty.start_minute, EscortDuty.id)
    )
    return [_hours(row) for row in rows]


def add_hours(manager: Member, worker: str, hours: Hours, *, now: datetime) -> None:
    """One more line. The same line again is there already. Raises NotFound, RosterFull, Invalid(field=weekdays, start,
    end, first or last)."""
    require(manager, "dispatch")
    _check(hours)
    with transaction() as session:
        row = locked(session, manager, worker)
        there = hours_of(session, row.id, date.min)
        if hours in there:
            return
        if len(hours_of(session, row.id, _today(session, row, now))) >= MOST_LINES:
            raise RosterFull(most=MOST_LINES)
        session.add(
            EscortDuty(
                worker_id=row.id,
                weekdays=sorted(hours.weekdays),
                start_minute=hours.start_minute,
                end_minute=hours.end_minute,
                valid_from=hours.first,
                valid_until=hours.last,
            )
        )
        record(session, "escort_worker.roster_changed", manager, worker, now)


def end_hours(manager: Member, worker: str, key: str, *, now: datetime) -> None:
    """She does not work by the line with this key from today on; what was before it stays written. Again changes
    nothing. Raises NotFound for another worker."""
    require(manager, "dispatch")
    with transaction() as session:
        row = locked(session, manager, worker)
        day = _today(session, row, now)
        for each in session.scalars(select(EscortDuty).where(EscortDuty.worker_id == row.id)):
            if _hours(each).key != key or (each.valid_until is not None and each.valid_until < day):
                continue
            if each.valid_from >= day:
                session.delete(each)
            else:
                each.valid_until = day - timedelta(days=1)
            record(session, "escort_worker.roster_changed", manager, worker, now)
            return


def _today(session: Session, row: EscortWorker, now: datetime) -> date:
    return today(zone_of(session, row), now)


def _hours(row: EscortDuty) -> Hours:
    return Hours(frozenset(row.weekdays), row.start_minute, row.end_minute, row.valid_from, row.valid_until)


def _check(hours: Hours) -> None:
    if not hours.weekdays or not hours.weekdays <= frozenset(range(1, 8)):
        raise Invalid(field="weekdays", reason="choice")
    if not 0 <= hours.start_minute < DAY_MINUTES:
        raise Invalid(field="start", reason="time")
    if not hours.start_minute < hours.end_minute <= DAY_MINUTES:
        raise Invalid(field="end", reason="ends_before_start")
    if hours.last is not None and hours.last < hours.first:
        raise Invalid(field="last", reason="ends_before_it_begins")
