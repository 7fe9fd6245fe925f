"""What a provider's events say of outside consultations. A web process takes a line, and asks nobody anything: what it
can't take is read by the worker, at once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.consultation.models import Conversation
from booking.consultation.outside.lines import Heard, hear
from booking.models import ProviderBooking
from marketplace.core.database.moment import When, moment
from providers.reported import RemoteMessage

ENDS = frozenset({"fulfilled"})
"""Statuses of a booking after which the worker looks at once whether all lines stand here."""
_READ = frozenset({Heard.AHEAD, Heard.FETCH, Heard.STRANGER, Heard.NOT_VERIFIED})


def hear_event(session: Session, provider_id: int, line: RemoteMessage, *, now: When) -> str:
    """Take the line of an event in the caller's transaction; returns what came of it."""
    heard = hear(session, provider_id, line, now=now)
    if heard in _READ:
        make_due(session, provider_id, line.reference, now=moment(session, now))
    return heard.value


def make_due(session: Session, provider_id: int, reference: str, *, now: datetime) -> None:
    """Let the consultation that a provider calls so be read at once."""
    session.execute(
        update(Conversation)
        .where(
            Conversation.outside,
            Conversation.provider_id == provider_id,
            Conversation.closed_at.is_(None),
            Conversation.booking_id.in_(
                select(ProviderBooking.booking_id).where(
                    ProviderBooking.provider_id == provider_id,
                    ProviderBooking.reference == reference,
                    ProviderBooking.role == "current",
                )
            ),
        )
        .values(listen_at=now)
    )
