"""A provider whose people answer at the desk, and what they say."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from booking.answering.answer import ProvidersAnswer
from booking.idempotency import Repeatable
from booking.models import BookingHistory
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from tests.world import EIGHT, World, booking_row, make_world, set_provider

MEMBER = "opr_front"


def desk_world(**offer: Any) -> World:
    """A world whose provider answers at its desk."""
    made = make_world(**offer)
    set_provider(made.provider, adapter="desk")
    return made


def said(world: World, booking: str, *, version: int | None = None, member: str = MEMBER) -> ProvidersAnswer:
    """An answer with a key of its own, of the version that the booking has now (`version`: another one)."""
    known = booking_row(booking).version if version is None else version
    return ProvidersAnswer(world.provider.id, booking, once(), known, member=member)


def once() -> Repeatable:
    """A request of its own."""
    return Repeatable("member:test", str(uuid.uuid4()), b"f")


def lines(action: str) -> list[AuditLine]:
    """The audit's lines of that action."""
    with reading() as session:
        return list(session.scalars(select(AuditLine).where(AuditLine.action == action).order_by(AuditLine.id)))


def last_move(booking: str) -> tuple[str, str, str]:
    """State, kind of actor and actor of the latest line of its history."""
    with reading() as session:
        row = session.scalars(
            select(BookingHistory)
            .where(BookingHistory.booking_id == booking_row(booking).id)
            .order_by(BookingHistory.version.desc())
            .limit(1)
        ).one()
    return row.to_state, row.actor_kind, row.actor


def at(hours: float) -> datetime:
    """The day of the visits (10 March 2026 in Shanghai, whose slots begin at 8) at this hour there."""
    return EIGHT + timedelta(hours=hours - 8)
