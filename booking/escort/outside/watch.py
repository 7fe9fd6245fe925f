"""What the clock watches of escorts whom providers' own systems send: that somebody is named in time, that she is there
at the beginning, what is given up shortly before, and what customers are still to be told."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, exists, func, select

from booking.discrepancies import Discrepancy
from booking.escort.assigning.place import ends_at
from booking.escort.dispatch.nobody import LATE, NOBODY, ask_people, nobody_found, not_there
from booking.escort.dispatch.search import look_again
from booking.escort.dispatch.steps import has_done
from booking.escort.evidence.kinds import THERE
from booking.escort.models import ACCEPTED, EscortAssignment
from booking.escort.outside import cases
from booking.escort.outside.telling import due, is_told_later, tell_late
from booking.listening import EscortListening
from booking.models import Booking, BookingHistory, ProviderBooking
from booking.notices.models import Notification
from booking.states import BookingState
from booking.transition import lock_booking
from marketplace.catalog.kinds import dispatched
from marketplace.core.database.db import reading, transaction
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import RUN_SECONDS, one_by_one

log = get_logger(__name__)

NAMED_BY = timedelta(hours=2)
"""So long before a firm escort begins its provider has named who comes; this is the one place where it is said."""
NAMED_WITHIN = timedelta(minutes=10)
"""So long it has in any case, from its yes or from the day on which it was moved."""
SHORTLY = timedelta(hours=24)
"""What a provider gives up less than this before the beginning is a case: a person sees whether there is a way."""
_S = BookingState


def watch_outside(*, now: datetime, most: int = 200) -> Counter[str]:
    """One pass at `now`, by the database's clock. Returns counts."""
    with reading() as session:
        without = session.scalars(_not_named(now).limit(most)).all()
        absent = session.scalars(_not_there(now).limit(most)).all()
        given_up = session.scalars(_called_off(now).limit(most)).all()
    late = due(now=now, most=most)
    counts = one_by_one("escorts-told-late", late, lambda row: tell_late(row, now), seconds=RUN_SECONDS)
    counts += one_by_one("escorts-not-named", without, lambda row: _nobody(row, now), seconds=RUN_SECONDS)
    counts += one_by_one("escorts-not-there", absent, lambda row: _absent(row, now), seconds=RUN_SECONDS)
    counts += one_by_one("escorts-called-off", given_up, lambda row: _given_up(row, now), seconds=RUN_SECONDS)
    return counts


def _listened() -> ColumnElement[bool]:
    """Whether (SQL, of a Booking) its provider's system says who comes."""
    return (
        exists()
        .where(
            EscortListening.booking_id == Booking.id,
            ProviderBooking.id == EscortListening.provider_booking_id,
            ProviderBooking.role == "current",
        )
        .correlate(Booking)
    )


def _not_named(now: datetime) -> Select[int]:
    """Firm ones that begin soon, or have begun, and that nobody is named for; until people were asked since that was
    so."""
    live = exists().where(EscortAssignment.booking_id == Booking.id, EscortAssignment.live)
    firm_at = select(func.max(BookingHistory.at)).where(BookingHistory.booking_id == Booking.id)
    left_at = select(func.max(EscortAssignment.ended_at)).where(EscortAssignment.booking_id == Booking.id)
    since = func.greatest(
        Booking.starts_at - NAMED_BY, firm_at.correlate(Booking).scalar_subquery() + NAMED_WITHIN,
        left_at.correlate(Booking).scalar_subquery(),
    )  # fmt: skip
    asked = exists().where(
        Discrepancy.kind == NOBODY, Discrepancy.booking_id == Booking.id, Discrepancy.opened_at >= since
    )
    return (
        select(Booking.id)
        .where(
            Booking.kind.in_(dispatched()),
            Booking.state == _S.CONFIRMED,
            Booking.starts_at <= now + NAMED_BY,
            Booking.service_date >= now.date() - timedelta(days=1),
            since <= now,
            _listened(),
            ~live,
            ~asked,
        )
        .order_by(Booking.starts_at, Booking.id)
    )


def _nobody(booking_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, _ = lock_booking(session, booking_id)
        if session.scalar(_not_named(now).where(Booking.id == booking.id)) is None or ends_at(booking) <= now:
            return "named"
        look_again(session, booking.id, now=now)
        nobody_found(session, booking, {"named": 0}, customer=not is_told_later(session, booking), now=now)
        ask_people(session, booking, {"named": 0}, now=now)
    log.info("escort.nobody_named", booking=booking.public_id)
    return "nobody"


def _not_there(now: datetime) -> Select[int]:
    """Those who should be there, and of whom a list that was read since says nothing; until the customer is told."""
    told = exists().where(Notification.kind == LATE, Notification.subject == EscortAssignment.public_id)
    read = exists().where(
        EscortListening.booking_id == EscortAssignment.booking_id,
        EscortListening.read_at >= func.lower(EscortAssignment.period),
    )
    return (
        select(EscortAssignment.id)
        .join(Booking, Booking.id == EscortAssignment.booking_id)
        .where(
            EscortAssignment.live,
            EscortAssignment.outside,
            EscortAssignment.state == ACCEPTED,
            Booking.state == _S.CONFIRMED,
            func.lower(EscortAssignment.period) <= now,
            func.upper(EscortAssignment.period) > now,
            read,
            ~has_done(THERE),
            ~told,
        )
        .order_by(EscortAssignment.id)
    )


def _absent(row_id: int, now: datetime) -> str:
    with transaction() as session:
        row = session.get_one(EscortAssignment, row_id)
        booking, _ = lock_booking(session, row.booking_id)
        if session.scalar(_not_there(now).where(EscortAssignment.id == row_id)) is None:
            return "there"
        not_there(session, booking, row, now=now)
    log.info("escort.not_there", booking=booking.public_id, assignment=row.public_id)
    return "not_there"


def _called_off(now: datetime) -> Select[int]:
    """Those that their provider has given up shortly before the beginning; once each."""
    by_provider = exists().where(
        BookingHistory.booking_id == Booking.id,
        BookingHistory.to_state == _S.CANCELLED.value,
        BookingHistory.from_state == _S.CONFIRMED.value,
        BookingHistory.actor_kind == "provider",
        BookingHistory.at > Booking.starts_at - SHORTLY,
    )
    known = exists().where(Discrepancy.kind == cases.CALLED_OFF, Discrepancy.booking_id == Booking.id)
    return (
        select(Booking.id)
        .where(
            Booking.kind.in_(dispatched()),
            Booking.state == _S.CANCELLED,
            Booking.service_date.between(now.date() - timedelta(days=1), now.date() + timedelta(days=2)),
            Booking.starts_at > now - SHORTLY,
            _listened(),
            by_provider,
            ~known,
        )
        .order_by(Booking.starts_at, Booking.id)
    )


def _given_up(booking_id: int, now: datetime) -> str:
    with transaction() as session:
        booking, _ = lock_booking(session, booking_id)
        if session.scalar(_called_off(now).where(Booking.id == booking.id)) is None:
            return "known"
        cases.called_off(session, booking, now=now)
    log.info("escort.called_off", booking=booking.public_id)
    return "called_off"
