"""Nobody can be found for a booking: a person at the provider and one at the insurer are asked, and the customer is
told with the nearest times that are free. It is over once somebody says yes, or the booking ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.changes.requests import open_cancel
from booking.discrepancies import close_discrepancy, open_discrepancy
from booking.escort.assigning.told import tell_open_desks
from booking.escort.dispatch.search import found, give_up
from booking.escort.dispatch.steps import last_step
from booking.escort.evidence.kinds import THERE
from booking.escort.models import EscortAssignment, EscortSearch
from booking.models import Booking
from booking.notices.notify import notify
from booking.offers.alternatives import elsewhere
from booking.states import BEGUN, BookingState
from marketplace.core.clock import start_of

NOBODY = "escort_nobody"
"""The kind of the case, and of the customer's notice, that nobody can be found; the case is about the booking."""
LATE = "escort_late"
"""The kind of the case that a worker should be on the way, is not, and nobody else could be there in time; and that
it was to begin and she is not there, of which the customer has a notice."""
AWAY = "escort_away"
"""The kind of the case that a worker who is with somebody is written as absent, or does not work any more: how it goes
on is for people, one of whom closes it."""
CASES = (NOBODY, LATE)
"""Those that close by themselves."""


def nobody_found(session: Session, booking: Booking, why: Mapping[str, Any], *, customer: bool, now: datetime) -> bool:
    """Record, for a locked booking that is looked for, that nobody can be found; returns whether that is new. `why`:
    numbers and codes, for operators. `customer`: she is told as well, once."""
    since, new = give_up(session, booking.id, now=now)
    if new:
        ask_people(session, booking, why, now=now)
    if customer:
        _notify(session, booking, since, now)
    return new


def ask_people(session: Session, booking: Booking, why: Mapping[str, Any], *, now: datetime) -> None:
    """Ask a person at the provider and one at the insurer about a locked booking that nobody is found for."""
    new = open_discrepancy(
        session, booking.provider_id, NOBODY, booking.public_id, now=now, booking_id=booking.id, facts=why
    )
    if new:
        tell_open_desks(session, booking, NOBODY, now=now)


def notify_nobody(session: Session, booking: Booking, *, now: datetime) -> None:
    """Notify the customer of a locked booking that is looked for, once, that who was to come does not; people are not
    asked yet."""
    since, _ = give_up(session, booking.id, now=now)
    _notify(session, booking, since, now)


def _notify(session: Session, booking: Booking, since: datetime, now: datetime) -> None:
    subject = f"{booking.public_id}:{since.astimezone(UTC).isoformat()}"
    facts = elsewhere(session, booking, now=now)
    notify(session, booking.customer_id, NOBODY, subject, now=now, booking_id=booking.id, facts=facts)


def left_alone(session: Session, booking: Booking, *, customer: bool = True, now: datetime) -> None:
    """Nobody goes with the person of a locked booking that is looked for. Once it has begun the clock asks nobody any
    more: people do, and the customer is told (`customer`: by this), unless she has cancelled."""
    if has_begun(booking, now=now) and open_cancel(session, booking) is None:
        nobody_found(session, booking, {"begun": 1}, customer=customer, now=now)


def has_begun(booking: Booking, *, now: datetime) -> bool:
    """Whether it has begun, by the clock or since they met."""
    if booking.state is BookingState.CONFIRMED:
        return start_of(booking.service_date, booking.starts_at, booking.time_zone) <= now
    return booking.state in BEGUN


def late(session: Session, booking: Booking, why: Mapping[str, Any], *, now: datetime) -> bool:
    """Ask a person about a worker who should be on the way; returns whether that is new."""
    new = open_discrepancy(
        session, booking.provider_id, LATE, booking.public_id, now=now, booking_id=booking.id, facts=why
    )
    if new:
        tell_open_desks(session, booking, LATE, now=now)
    return new


def not_there(session: Session, booking: Booking, row: EscortAssignment, *, now: datetime) -> None:
    """It was to begin, and who has said yes is not there: ask a person, and tell the customer."""
    late(session, booking, {"begun": 1}, now=now)
    notify(session, booking.customer_id, LATE, row.public_id, now=now, booking_id=booking.id)


def away(session: Session, booking: Booking, *, now: datetime) -> None:
    """Ask a person how it goes on with a worker who has begun and can't stay."""
    new = open_discrepancy(session, booking.provider_id, AWAY, booking.public_id, now=now, booking_id=booking.id)
    if new:
        tell_open_desks(session, booking, AWAY, now=now)


def somebody_goes(session: Session, booking: Booking, *, now: datetime) -> None:
    """Somebody has said yes: what was asked of people about it is over."""
    found(session, booking.id)
    close(session, booking.provider_id, booking.public_id, "assigned", now=now)


def close(session: Session, provider_id: int, booking: str, resolution: str, *, now: datetime) -> None:
    """Close those of a booking (public id) that close by themselves."""
    for kind in CASES:
        close_discrepancy(session, provider_id, kind, booking, resolution, now=now)


def still_nobody(session: Session, kind: str, subject: str, booking_id: int) -> bool:
    """Whether a notice of that kind and subject about a booking (internal id) is still true; those of other kinds
    are."""
    if kind == LATE:
        row = session.scalar(select(EscortAssignment).where(EscortAssignment.public_id == subject))
        return row is not None and row.live and last_step(session, row.id) not in THERE
    if kind != NOBODY:
        return True
    return session.scalar(select(EscortSearch.nobody_since).where(EscortSearch.booking_id == booking_id)) is not None
