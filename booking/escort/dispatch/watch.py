"""What the clock watches of those who were asked: an answer that does not come, a worker who falls ill, one who should
be on the way and is not."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, or_, select
from sqlalchemy.orm import aliased

from booking.actors import CLOCK
from booking.changes.requests import open_cancel
from booking.discrepancies import Discrepancy, close_discrepancy
from booking.escort.assigning.ending import end, lock_assignment
from booking.escort.assigning.place import place
from booking.escort.assigning.refusals import NotToBeEscorted, WorkerUnavailable
from booking.escort.assigning.way import Service, renew_ways, services
from booking.escort.dispatch.find import in_time
from booking.escort.dispatch.nobody import AWAY, CASES, LATE, NOBODY, away, close, late, not_there
from booking.escort.dispatch.steps import has_done, last_step
from booking.escort.evidence.kinds import PROGRESS, THERE
from booking.escort.matching.load import match
from booking.escort.models import (
    ACCEPTED,
    ASKED,
    EXPIRED,
    LIVE,
    NO_ANSWER,
    REPLACED,
    WITHDRAWN,
    EscortAbsence,
    EscortAssignment,
    EscortSearch,
    EscortWorker,
)
from booking.models import Booking, ChangeRequest
from booking.notices.models import Notification
from booking.states import BEGUN, BookingState
from booking.transition import lock_booking
from marketplace.core.database.db import reading, transaction
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import RUN_SECONDS, one_by_one
from vip.models import Operator

log = get_logger(__name__)

MARGIN = timedelta(minutes=15)
"""So long before she has to set out she says that she is on the way; who hasn't by then is late. Between two services
it is counted from GRACE after the end of the one before, and from GRACE after her yes, where that comes later."""
GRACE = timedelta(minutes=5)
_LOOK = timedelta(hours=6)
"""No way in a city is longer."""


def expire_due_asks(*, now: datetime, most: int = 200) -> Counter[str]:
    """End the questions whose time for an answer is over. Returns counts."""
    with reading() as session:
        due = session.scalars(
            select(EscortAssignment.id)
            .where(EscortAssignment.state == ASKED, EscortAssignment.answer_due_at <= now)
            .order_by(EscortAssignment.answer_due_at)
            .limit(most)
        ).all()
    return one_by_one("escort-answers", due, lambda row_id: _expire(row_id, now), seconds=RUN_SECONDS)


def replace_absent(*, now: datetime, most: int = 200) -> Counter[str]:
    """End what is asked of workers, or promised by them, for a time in which they are absent or don't work any more, or
    without papers in order; where they have begun, a person is asked. Returns counts."""
    with reading() as session:
        found = session.scalars(_absent(now).order_by(func.lower(EscortAssignment.period)).limit(most)).all()
    return one_by_one("escort-absences", found, lambda row_id: _replace_absent(row_id, now), seconds=RUN_SECONDS)


def replace_late(*, now: datetime, most: int = 200) -> Counter[str]:
    """Send somebody else instead of a worker who should be on the way and is not, if another one can be there in time;
    if none can, she is not taken off, and a person is asked. At the start, who is not there: a person is asked, and the
    customer told. Only of workers who have the phone's page and may still sign in (outside.watch knows of those of
    other systems), and not of what is being cancelled. Those whom nobody knows of yet come first. Returns counts."""
    with reading() as session:
        known = exists().where(
            Discrepancy.booking_id == Booking.id, Discrepancy.kind == LATE, Discrepancy.closed_at.is_(None)
        )
        found = session.scalars(_maybe_late(now).order_by(known, func.lower(EscortAssignment.period)).limit(most)).all()
    return one_by_one("escort-late", found, lambda row_id: _replace_late(row_id, now), seconds=RUN_SECONDS)


def close_cases(*, now: datetime, most: int = 200) -> Counter[str]:
    """Close the cases of bookings that have ended or were moved to another time since, and those about a late worker
    who is there; and forget what was remembered of the search for them. Returns counts."""
    with reading() as session:
        there = or_(
            Booking.state.in_(BEGUN),
            exists().where(EscortAssignment.booking_id == Booking.id, EscortAssignment.live, has_done(THERE)),
        )
        found = session.scalars(
            select(Discrepancy.booking_id)
            .join(Booking, Booking.id == Discrepancy.booking_id)
            .where(
                Discrepancy.kind.in_(CASES),
                Discrepancy.closed_at.is_(None),
                or_(~Booking.live, and_(Discrepancy.kind == LATE, there), _was_moved()),
            )
            .order_by(Discrepancy.id)
            .limit(most)
        ).all()
    counts = one_by_one("escort-cases", found, lambda booking_id: _close_over(booking_id, now), seconds=RUN_SECONDS)
    ended = select(EscortSearch.booking_id).join(Booking).where(~Booking.live).limit(most)
    with transaction() as session:
        gone = session.execute(delete(EscortSearch).where(EscortSearch.booking_id.in_(ended)))
        counts["forgotten"] = gone.rowcount  # type: ignore[attr-defined]
    return counts


def _expire(row_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, _tasks, worker, row = lock_assignment(session, row_id)
        if row.state != ASKED or row.answer_due_at > now:
            return "answered"
        end(session, booking, worker, row, EXPIRED, NO_ANSWER, now=now)
    log.info("escort.ask_expired", booking=booking.public_id, assignment=row.public_id)
    return "expired"


def _absent(now: datetime) -> Select[int]:
    """Live ones of workers who can't do them any more, save those that a person was asked about."""
    absent = exists().where(
        EscortAbsence.worker_id == EscortAssignment.worker_id,
        EscortAbsence.period.overlaps(EscortAssignment.needed),
    )
    gone = or_(EscortWorker.papers_checked_at.is_(None), EscortWorker.ended_at < func.upper(EscortAssignment.period))
    known = exists().where(
        Discrepancy.kind == AWAY,
        Discrepancy.booking_id == EscortAssignment.booking_id,
        Discrepancy.opened_at >= EscortAssignment.asked_at,
    )
    return (
        select(EscortAssignment.id)
        .join(EscortWorker, EscortWorker.id == EscortAssignment.worker_id)
        .where(EscortAssignment.live, ~EscortAssignment.outside)
        .where(func.upper(EscortAssignment.period) > now, or_(absent, gone), ~known)
    )


def _gone(worker: EscortWorker, row: EscortAssignment) -> bool:
    """Whether she has left before its end, or her papers were taken back."""
    end_ = row.period.upper
    left = worker.ended_at is not None and end_ is not None and worker.ended_at < end_
    return left or worker.papers_checked_at is None


def _replace_absent(row_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, _tasks, worker, row = lock_assignment(session, row_id)
        causes = session.scalars(
            select(EscortAbsence.cause).where(
                EscortAbsence.worker_id == worker.id, EscortAbsence.period.overlaps(row.needed)
            )
        ).all()
        if row.state not in LIVE or not (causes or _gone(worker, row)):
            return "moved_on"
        if last_step(session, row.id) in THERE:
            away(session, booking, now=now)
            return "begun"
        cause = "ill" if "ill" in causes else "desk"
        end(session, booking, worker, row, REPLACED, cause, now=now)
    log.info("escort.replaced", booking=booking.public_id, assignment=row.public_id, cause=cause)
    return "replaced"


def _maybe_late(now: datetime) -> Select[int]:
    """Before the start, those who have not set out; after it, those who are not there, until the customer is told. Who
    cancelled waits for nobody, and whoever knows of it does not set out.
    Where the one before was withdrawn, the way that is written may be shorter than hers."""
    start = func.lower(EscortAssignment.period)
    before = aliased(EscortAssignment)
    shorter = exists().where(
        before.worker_id == EscortAssignment.worker_id,
        before.state == WITHDRAWN,
        func.lower(before.period) <= start,
        func.upper(before.period) > start - timedelta(days=1),
    )
    way = or_(func.lower(EscortAssignment.padded) <= now + MARGIN, shorter)
    cancelled = exists().where(
        ChangeRequest.booking_id == Booking.id, ChangeRequest.kind == "cancel", ChangeRequest.state == "open"
    )
    told = exists().where(Notification.kind == LATE, Notification.subject == EscortAssignment.public_id)
    return (
        select(EscortAssignment.id)
        .join(EscortWorker, EscortWorker.id == EscortAssignment.worker_id)
        .join(Booking, Booking.id == EscortAssignment.booking_id)
        .where(
            EscortAssignment.live,
            EscortAssignment.state == ACCEPTED,
            EscortWorker.member_id.in_(select(Operator.id).where(Operator.disabled_at.is_(None))),
            func.upper(EscortAssignment.period) > now,
            start <= now + _LOOK,
            ~cancelled,
            or_(
                and_(start > now, way, ~has_done(PROGRESS)),
                and_(start <= now, Booking.state == BookingState.CONFIRMED, ~has_done(THERE), ~told),
            ),
        )
    )


def late_from(row: EscortAssignment, before: Service | None) -> datetime:
    """When a worker who has not said that she is on the way is late."""
    start, yes = row.period.lower, row.answered_at
    if start is None or yes is None:
        raise ValueError("an assignment that was accepted has both")
    moments = [start - timedelta(seconds=row.travel_seconds) - MARGIN, yes + GRACE]
    if before is not None:
        moments.append(before.end + GRACE)
    return max(moments)


def _replace_late(row_id: int, now: datetime) -> str:
    try:
        return _somebody_else(row_id, now)
    except _TakenMeanwhileError:
        return "taken_meanwhile"


def _somebody_else(row_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, _tasks, worker, row = lock_assignment(session, row_id)
        if open_cancel(session, booking) is not None:
            return "cancel_under_way"
        step = last_step(session, row.id)
        begun = row.period.lower is not None and row.period.lower <= now
        if row.state != ACCEPTED or step in THERE or (step is not None and not begun):
            return "on_the_way"
        if begun:
            if booking.state is BookingState.CONFIRMED:
                not_there(session, booking, row, now=now)
            return "not_there"
        renew_ways(session, worker, now=now)  # what was before it may have been withdrawn
        planned = services(session, worker, now=now)
        at = next(number for number, each in enumerate(planned) if each.assignment is row)
        if now < late_from(row, planned[at - 1] if at else None):
            return "in_time"
        found = match(session, booking.public_id, now=now)
        others = [each for each in found.fitting if each.worker.auto and each.worker.id != worker.id]
        best = in_time(others, found, now)
        if best is None:
            new = late(session, booking, {"could_be_there_in_time": 0}, now=now)
            return "nobody_in_time" if new else "known"
        end(session, booking, worker, row, REPLACED, "late", now=now)
        try:
            place(session, booking, best.worker.id, actor=CLOCK, now=now)
        except (WorkerUnavailable, NotToBeEscorted) as refused:
            raise _TakenMeanwhileError() from refused
    log.info("escort.replaced_late", booking=booking.public_id, assignment=row.public_id)
    return "replaced"


class _TakenMeanwhileError(Exception):
    """Whoever could have been there was asked elsewhere a moment ago: nothing that was written stands."""


def _was_moved() -> ColumnElement[bool]:
    """Whether (SQL, of a case) it is about a time from which its booking was moved: with that the search for somebody
    began anew (trigger escort_ends_with_booking), and who went then does not."""
    anew = exists().where(EscortSearch.booking_id == Discrepancy.booking_id, EscortSearch.nobody_since.is_(None))
    went = exists().where(
        EscortAssignment.booking_id == Discrepancy.booking_id,
        EscortAssignment.cause == "moved",
        EscortAssignment.ended_at >= Discrepancy.opened_at,
    )
    return or_(and_(Discrepancy.kind == NOBODY, anew), and_(Discrepancy.kind == LATE, went))


def _close_over(booking_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, _tasks = lock_booking(session, booking_id)
        if not booking.live:
            close(session, booking.provider_id, booking.public_id, booking.state.value, now=now)
            return "ended"
        row = session.scalar(
            select(EscortAssignment).where(EscortAssignment.booking_id == booking.id, EscortAssignment.live)
        )
        if booking.state in BEGUN or (row is not None and last_step(session, row.id) in THERE):
            close_discrepancy(session, booking.provider_id, LATE, booking.public_id, "arrived", now=now)
            return "arrived"
        moved = select(Discrepancy.kind).where(
            Discrepancy.booking_id == booking.id,
            Discrepancy.kind.in_(CASES),
            Discrepancy.closed_at.is_(None),
            _was_moved(),
        )
        for kind in session.scalars(moved).all():
            close_discrepancy(session, booking.provider_id, kind, booking.public_id, "moved", now=now)
        return "moved"
