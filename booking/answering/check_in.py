"""Checking in by the code that the customer shows, or by the booking's number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from booking.answering.answer import ProvidersAnswer, report
from booking.attendance.check_in_code import LONGEST, booking_named, is_code
from booking.idempotency import Repeatable
from booking.models import Booking
from booking.ownership import of_provider
from booking.references import normal_number
from booking.states import BookingState
from marketplace.core.clock import today
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.strictjson import storable

_S = BookingState
_THERE = (_S.CHECKED_IN, _S.IN_SERVICE, _S.FULFILLED)
_GONE = (_S.REJECTED, _S.EXPIRED, _S.CANCELLED, _S.ENTERED_IN_ERROR)


class AlreadyCheckedIn(Refusal):
    """The person has been checked in before."""

    code = "already_checked_in"


class OtherDay(Refusal):
    """The visit was on another day, which is over; `service_date` says on which."""

    code = "other_day"


class NoVisit(Refusal):
    """The booking was cancelled or refused: nobody is expected."""

    code = "no_visit"


@dataclass(frozen=True)
class Shown:
    """What was read from a customer's page: a code, or the booking's number."""

    booking: str
    state: BookingState
    service_date: date
    time_zone: str


def check_in(provider_id: int, shown: str, repeat: Repeatable, *, member: str, now: datetime) -> str:
    """Check in the booking of this provider (internal id) whose code or number is shown to a member (public id).
    Returns the booking's public id.

    Raises NotFound(field="code") for what names none of this provider's bookings: unknown, another provider's, made up,
    or of a date that was changed; AlreadyCheckedIn, NoVisit, OtherDay; NotConfirmed, TooEarly, NotPossibleNow,
    AnsweredElsewhere and CancelUnderWay as `answer.report` does.
    """
    found = _find(provider_id, shown)
    if found.state in _THERE:
        raise AlreadyCheckedIn()
    if found.state in _GONE:
        raise NoVisit()
    if found.service_date < today(found.time_zone, now):
        raise OtherDay(service_date=found.service_date, time_zone=found.time_zone)
    report(ProvidersAnswer(provider_id, found.booking, repeat, member=member), "checked_in", now=now)
    return found.booking


def _find(provider_id: int, shown: str) -> Shown:
    if len(shown) > LONGEST or not storable(shown):
        raise NotFound(field="code")
    named = booking_named(shown)
    which = Booking.public_id == named if named is not None else Booking.reference == normal_number(shown)
    with reading() as session:
        row = session.execute(
            select(Booking.public_id, Booking.state, Booking.service_date, Booking.time_zone).where(
                of_provider(provider_id), which
            )
        ).one_or_none()
    if row is None or (named is not None and not is_code(shown, row.public_id, row.service_date)):
        raise NotFound(field="code")
    return Shown(row.public_id, row.state, row.service_date, row.time_zone)
