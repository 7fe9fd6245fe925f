"""A booking to which a provider's own system sends somebody, with how far its lines stand here, both locked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.actors import provider_actor
from booking.attendance.complained import is_complained
from booking.attendance.early import too_early
from booking.changes.requests import open_cancel
from booking.escort.evidence import counting
from booking.escort.evidence.models import EscortDeed
from booking.escort.evidence.said import said_by
from booking.escort.models import EscortAssignment
from booking.exchange.follow import go_to
from booking.listening import EscortListening
from booking.models import Booking, ProviderBooking
from booking.states import STATE_OF
from booking.transition import lock_booking
from marketplace.catalog.kinds import is_dispatched
from marketplace.core.database.moment import When, moment

_MOST_STEPS = 5
"""Moves until all is said: who did not come has come, is under way, is done."""


@dataclass(frozen=True)
class Visit:
    """`at`: the database's moment, read under the locks."""

    session: Session
    booking: Booking
    row: EscortListening
    at: datetime


@dataclass(frozen=True)
class Proof:
    """What is written of who goes, or went: which kinds of deeds, and whether the person's code was shown."""

    kinds: frozenset[str]
    by_code: bool


def lock_visit(session: Session, provider_id: int, reference: str, *, now: When) -> Visit | None:
    """Lock the booking that a provider calls so, if somebody is sent to it, and how far its lines stand. None where it
    has none of that name, or another provider has."""
    found = session.execute(
        select(ProviderBooking.id, ProviderBooking.booking_id)
        .join(Booking, Booking.id == ProviderBooking.booking_id)
        .where(
            ProviderBooking.provider_id == provider_id,
            ProviderBooking.reference == reference,
            ProviderBooking.role == "current",
            Booking.provider_id == provider_id,
        )
    ).one_or_none()
    if found is None:
        return None
    booking, _ = lock_booking(session, found.booking_id)
    if not is_dispatched(booking.kind):
        return None
    at = moment(session, now)
    begin(session, booking, found.id, at=at)
    row = session.scalars(
        select(EscortListening)
        .where(EscortListening.provider_booking_id == found.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    return Visit(session, booking, row, at)


def begin(session: Session, booking: Booking, provider_booking_id: int, *, at: datetime) -> None:
    """From now on the lines of what the provider has for a booking are read."""
    session.execute(
        insert(EscortListening)
        .values(
            booking_id=booking.id,
            provider_booking_id=provider_booking_id,
            listen_at=at,
        )
        .on_conflict_do_nothing(index_elements=["provider_booking_id"])
    )


def proof_of(session: Session, booking: Booking) -> Proof:
    """What counts of what is written (escort.evidence.counting)."""
    deeds = session.execute(
        select(EscortDeed.kind, EscortDeed.by_code)
        .join(EscortAssignment, EscortAssignment.id == EscortDeed.assignment_id)
        .join(Booking, Booking.id == EscortDeed.booking_id)
        .where(EscortDeed.booking_id == booking.id, EscortAssignment.state.in_(counting.COUNTING))
        .where(~counting.too_early(), ~counting.taken_back())
    ).all()
    by_code = any(each.by_code for each in deeds) and not is_complained(session, booking)
    return Proof(frozenset(each.kind for each in deeds), by_code)


def follow(visit: Visit) -> None:
    """Move the booking to where the deeds of who goes say it is. What can't be so now (it was cancelled, it is not its
    day) is left; the deeds stand."""
    session, booking = visit.session, visit.booking
    session.flush()
    proof = proof_of(session, booking)
    for _step in range(_MOST_STEPS):
        came = said_by(proof.kinds, booking.state, by_code=proof.by_code)
        if came is None or open_cancel(session, booking) is not None:
            return
        if too_early(came, booking.service_date, booking.starts_at, booking.time_zone, visit.at):
            return
        if not go_to(session, booking, STATE_OF[came], provider_actor(session, booking), "", visit.at):
            return
