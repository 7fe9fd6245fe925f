"""Who of a provider's workers could go with the person of a booking, and why the others can't."""

from __future__ import annotations

from datetime import datetime

from booking.escort.matching.load import match
from booking.escort.matching.match import Match
from booking.ownership import providers_booking_id
from marketplace.core.database.db import reading
from providers.staff.duties import require
from vip.principal import Member


def fitting(member: Member, booking: str, *, now: datetime) -> Match:
    """The match of a booking of her provider's (public id). Raises NotFound."""
    require(member, "dispatch")
    with reading() as session:
        providers_booking_id(session, member.provider_id, booking)
        return match(session, booking, now=now)
