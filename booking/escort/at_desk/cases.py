"""What a person at the provider's desk is to look at: cases about bookings for which it sends somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from booking.discrepancies import Discrepancy
from booking.escort.after.lost import CAME_AFTER_ALL, LOST
from booking.escort.dispatch.nobody import AWAY, LATE
from booking.models import Booking
from marketplace.core.database.db import reading
from providers.staff.duties import require
from vip.principal import Member

KINDS = (LATE, AWAY, LOST, CAME_AFTER_ALL)
"""That nobody can be found stands with the booking on the board."""
MOST = 200


@dataclass(frozen=True)
class DeskCase:
    """An open case about a booking (public id). `kind` is one of KINDS; `cancelled`: the booking was, since nobody is
    known to have come to it."""

    kind: str
    booking: str
    reference: str
    service_date: date
    opened_at: datetime
    cancelled: bool


def open_cases(member: Member, booking: str = "") -> Sequence[DeskCase]:
    """Those of her provider's bookings, or of one (public id), the oldest first. Raises NotFound without the duty."""
    require(member, "dispatch")
    query = (
        select(Discrepancy, Booking)
        .join(Booking, Booking.id == Discrepancy.booking_id)
        .where(
            Discrepancy.provider_id == member.provider_id,
            Discrepancy.kind.in_(KINDS),
            Discrepancy.closed_at.is_(None),
        )
        .order_by(Discrepancy.opened_at, Discrepancy.id)
        .limit(MOST)
    )
    if booking:
        query = query.where(Booking.public_id == booking)
    with reading() as session:
        return [
            DeskCase(
                case.kind,
                row.public_id,
                row.reference,
                row.service_date,
                case.opened_at,
                case.kind == LOST and case.facts.get("cancelled") is True,
            )
            for case, row in session.execute(query)
        ]
