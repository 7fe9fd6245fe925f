"""The end of an escort: the customer says that it went well, or that something is wrong; her silence says the first."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, case, exists, func, or_, select
from sqlalchemy.orm import Session

from booking.actors import CLOCK, actor_of
from booking.attendance.complained import COMPLAINT, has_complaint, is_complained
from booking.discrepancies import Discrepancy, close_discrepancy, open_discrepancy
from booking.escort.after.awaited import SILENCE, UNPROVED, Awaited, Wrong, awaited_of
from booking.escort.evidence.counting import COUNTING, WITH_THE_PERSON, counted, opened_again_at
from booking.escort.evidence.kinds import ENDING
from booking.escort.evidence.models import EscortDeed
from booking.escort.models import REPLACED, EscortAssignment
from booking.escort.shown.own import own_escort
from booking.listening import EscortListening, is_over
from booking.models import Booking, BookingHistory, ChangeRequest
from booking.notices.models import Notification
from booking.notices.notify import notify
from booking.states import BEGUN, BookingState
from booking.transition import lock_booking, move, touch
from marketplace.catalog.kinds import dispatched
from marketplace.core.clock import start_of
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, Refusal
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from vip.principal import Principal

log = get_logger(__name__)
_S = BookingState

WELL, SILENT = "confirmed_by_customer", "confirmed_by_silence"
"""Causes of the move to fulfilled."""
NOTICE = "escort_over"
"""The kind of the customer's notice that it was said to be over."""
WITHDRAWN = "taken_back"
"""How a case ended whose customer says that it went well after all."""
_OPEN = (_S.CONFIRMED, *sorted(BEGUN))


class NothingToConfirm(Refusal):
    """It was not said to be over yet, or it does not take place. Facts: `state`, the booking's."""

    code = "nothing_to_confirm"


class NothingToComplainOf(Refusal):
    """It has not begun yet, or is over for too long. Facts: `state`, the booking's."""

    code = "nothing_to_complain_of"


def awaited(session: Session, booking: Booking, *, now: datetime) -> Awaited | None:
    """What is asked of the customer now; None for nothing. Her time runs from when she is told of it: from now, before
    she was."""
    over_at = _over_at(session, booking, now)
    if over_at is not None:
        told_at = session.scalar(select(_told_at()).where(Booking.id == booking.id))
        over_at = max(over_at, told_at or now)
    return awaited_of(
        booking.state,
        over_at=over_at,
        starts_at=start_of(booking.service_date, booking.starts_at, booking.time_zone),
        done_at=_done_at(session, booking),
        complained=is_complained(session, booking),
        now=now,
    )


def went_well(principal: Principal, booking: str, *, now: datetime) -> None:
    """The customer says that it went well: the booking is fulfilled and its unit used. A complaint of hers is taken
    back. Again changes nothing. Raises NotFound, NothingToConfirm."""
    with transaction() as session:
        row, _ = lock_booking(session, own_escort(session, principal, booking).id)
        if is_complained(session, row):
            close_discrepancy(session, row.provider_id, COMPLAINT, row.public_id, WITHDRAWN, now=now)
            touch(row, now=now)
        if row.state is _S.FULFILLED:
            return
        asked = awaited(session, row, now=now)
        if asked is None or asked.confirm_until is None:
            raise NothingToConfirm(state=row.state.value)
        move(session, row, _S.FULFILLED, actor=actor_of(principal), now=now, cause=WELL)
        close_discrepancy(session, row.provider_id, UNPROVED, row.public_id, WELL, now=now)
    log.info("escort.went_well", booking=booking)


def something_wrong(principal: Principal, booking: str, what: str, *, now: datetime) -> None:
    """The customer says that something is wrong (a code of Wrong): a case for a person, at once. Until it is closed her
    silence says nothing. Again, while it is open, changes nothing.

    Raises NotFound, Invalid(field="what"), NothingToComplainOf.
    """
    if what not in Wrong:
        raise Invalid(field="what", reason="not_offered")
    with transaction() as session:
        row, _ = lock_booking(session, own_escort(session, principal, booking).id)
        if is_complained(session, row):
            return
        asked = awaited(session, row, now=now)
        if asked is None or asked.complain_until is None:
            raise NothingToComplainOf(state=row.state.value)
        facts = {"what": what}
        open_discrepancy(session, row.provider_id, COMPLAINT, row.public_id, now=now, booking_id=row.id, facts=facts)
        touch(row, now=now)
    log.info("escort.something_wrong", booking=booking, what=what)


def ask_customers(*, now: datetime, limit: int = 100) -> int:
    """Notify the customers of escorts that were said to be over, so that nobody's silence counts who does not know of
    it; returns how many. Once for each."""
    with reading() as session:
        due = session.scalars(_said_to_be_over(now).where(_told_at().is_(None), ~has_complaint()).limit(limit)).all()
    return one_by_one("escorts_over", due, lambda booking_id: _ask(booking_id, now))["asked"]


def _ask(booking_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, _ = lock_booking(session, booking_id)
        asked = awaited(session, booking, now=now)
        if asked is None or asked.confirm_until is None:
            return "moved_on"
        until = {"until": asked.confirm_until.isoformat()}
        again = session.scalar(select(opened_again_at()).where(Booking.id == booking.id))
        about = booking.public_id if again is None else f"{booking.public_id}:{again.isoformat()}"
        notify(session, booking.customer_id, NOTICE, about, now=now, booking_id=booking.id, facts=until)
    return "asked"


def complete_silent(*, now: datetime, limit: int = 100) -> int:
    """Fulfil the escorts of which the customer was told SILENCE ago that they are over, and said nothing; returns how
    many. One that was never said to be over, though they met, counts from the end of its time on."""
    with reading() as session:
        due = session.scalars(
            _said_to_be_over(now - SILENCE)
            .where(_told_at() <= now - SILENCE, ~_open_case(COMPLAINT, UNPROVED))
            .limit(limit)
        ).all()
    return one_by_one("escorts_silent", due, lambda booking_id: _complete(booking_id, now))["completed"]


def _said_to_be_over(by: datetime) -> Select[int]:
    """The escorts that are not done and were over by then, as `_over_sql` has it; the oldest first."""
    return (
        select(Booking.id)
        .where(Booking.state.in_(_OPEN), Booking.kind.in_(dispatched()))
        .where(Booking.service_date <= by.date() + timedelta(days=1), _over_sql() <= by)
        .order_by(Booking.service_date, Booking.id)
    )


def _over_sql() -> ColumnElement[datetime]:
    """When (SQL, of a Booking) we heard that it is over: by our clock, so that a phone's can't shorten the customer's
    time; by a deed, else by the status in the provider's own system. One that has begun and was never said to be over:
    the end of its time, of who goes, else of who had come. One that was opened again is over then at the earliest. Of
    one that its customer wants to cancel the answer to that is waited for."""
    heard = counted(ENDING).with_only_columns(func.min(EscortDeed.received_at)).scalar_subquery()
    begun = or_(Booking.state.in_(sorted(BEGUN)), counted(WITH_THE_PERSON).exists())
    ends = (
        select(func.upper(EscortAssignment.period))
        .where(EscortAssignment.booking_id == Booking.id, EscortAssignment.state.in_((*COUNTING, REPLACED)), begun)
        .order_by(EscortAssignment.live.desc(), EscortAssignment.id.desc())
        .limit(1)
        .correlate(Booking)
        .scalar_subquery()
    )
    by_system = (
        select(func.min(EscortListening.over_at))
        .where(EscortListening.booking_id == Booking.id, is_over())
        .correlate(Booking)
        .scalar_subquery()
    )
    over = func.coalesce(heard, by_system, ends)
    cancels = exists().where(
        ChangeRequest.booking_id == Booking.id, ChangeRequest.kind == "cancel", ChangeRequest.state == "open"
    )
    return case((over.is_not(None) & ~cancels, func.greatest(over, opened_again_at())))


def _told_at() -> ColumnElement[datetime]:
    """When (SQL, of a Booking) its customer was notified that it is over, of one that was opened again since then; NULL
    before."""
    since = func.coalesce(Notification.created_at > opened_again_at(), True)
    return (
        select(func.max(Notification.created_at))
        .where(Notification.booking_id == Booking.id, Notification.kind == NOTICE, since)
        .correlate(Booking)
        .scalar_subquery()
    )


def _complete(booking_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, _ = lock_booking(session, booking_id)
        over_at = _over_at(session, booking, now)
        told_at = session.scalar(select(_told_at()).where(Booking.id == booking.id))
        if booking.state not in _OPEN or over_at is None or told_at is None or max(over_at, told_at) > now - SILENCE:
            return "moved_on"
        if session.scalar(select(_open_case(COMPLAINT, UNPROVED)).where(Booking.id == booking.id)):
            return "complained"
        move(session, booking, _S.FULFILLED, actor=CLOCK, now=now, cause=SILENT)
    log.info("escort.completed_by_silence", booking=booking.public_id)
    return "completed"


def _over_at(session: Session, booking: Booking, now: datetime) -> datetime | None:
    """When it was over; None before, and where nothing was heard of it."""
    over: datetime | None = session.scalar(select(_over_sql()).where(Booking.id == booking.id))
    return over if over is not None and over <= now else None


def _done_at(session: Session, booking: Booking) -> datetime | None:
    done: datetime | None = session.scalar(
        select(func.max(BookingHistory.at)).where(
            BookingHistory.booking_id == booking.id, BookingHistory.to_state == _S.FULFILLED.value,
            BookingHistory.from_state != _S.FULFILLED.value,
        )
    )  # fmt: skip
    return done


def _open_case(*kinds: str) -> ColumnElement[bool]:
    """Whether (SQL, of a Booking) a case of one of these kinds is open."""
    return exists().where(
        Discrepancy.booking_id == Booking.id, Discrepancy.kind.in_(kinds), Discrepancy.closed_at.is_(None)
    )
