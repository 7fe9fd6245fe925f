"""Whether somebody can be asked for a booking, who of a provider's workers could go, and why the others can't."""

from __future__ import annotations

from datetime import datetime

from booking.escort.assigning.place import require_wanted
from booking.escort.assigning.refusals import NotToBeEscorted
from booking.escort.matching.load import match
from booking.escort.matching.match import Match
from booking.models import Booking
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


def why_nobody(member: Member, booking: str, *, now: datetime) -> NotToBeEscorted | None:
    """Why nobody can be asked now for a booking of her provider's (public id), by the rule of who asks; None where
    somebody is to go: until its end, since whoever went may be replaced on the way. Raises NotFound."""
    require(member, "dispatch")
    with reading() as session:
        row = session.get_one(Booking, providers_booking_id(session, member.provider_id, booking))
        try:
            require_wanted(session, row, now=now, still=True)
        except NotToBeEscorted as refusal:
            return refusal
        return None
