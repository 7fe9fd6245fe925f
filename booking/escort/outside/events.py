"""What a provider's events say of escorts whom its own system sends. A web process takes a line, and asks nobody
anything: what it can't take is read by the worker, at once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.attendance.early import DAY_OF_SERVICE
from booking.escort.outside.lines import Heard, hear
from booking.listening import EscortListening
from booking.models import ProviderBooking
from marketplace.core.database.moment import When, moment
from providers.reported import EscortLine

READ_AFTER = DAY_OF_SERVICE | {"confirmed"}
"""Statuses of a booking after which the worker looks at once what the lines say."""
_READ = frozenset({Heard.AHEAD, Heard.FETCH})


def hear_escort(session: Session, provider_id: int, line: EscortLine, *, now: When) -> str:
    """Take the line of an event in the caller's transaction; returns what came of it."""
    heard = hear(session, provider_id, line, now=now)
    if heard in _READ:
        read_soon(session, provider_id, line.reference, now=moment(session, now))
    return heard.value


def read_soon(session: Session, provider_id: int, reference: str, *, now: datetime) -> None:
    """Let the lines of the booking that a provider calls so be read at once, if any are read of it."""
    session.execute(
        update(EscortListening)
        .where(
            EscortListening.provider_booking_id.in_(
                select(ProviderBooking.id).where(
                    ProviderBooking.provider_id == provider_id,
                    ProviderBooking.reference == reference,
                    ProviderBooking.role == "current",
                )
            )
        )
        .values(listen_at=now)
    )
