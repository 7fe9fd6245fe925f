"""Whether whoever is sent to a person is told what she answered for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from booking.models import Booking
from marketplace.core.clock import today
from vip.customers.consent import dispatch_withdrawn


def may_be_told(session: Session, booking: Booking, now: datetime | None = None) -> bool:
    """Whether the provider is given the answers of the booking: not where the agreement to that was taken back since
    the booking was made, until it begins (without `now` it has not begun). Always for what is done at the offer's
    own site."""
    return bool(those_told(session, [booking], now))


def those_told(session: Session, bookings: Sequence[Booking], now: datetime | None = None) -> set[int]:
    """Those of the bookings (internal ids) for which that is so, in one query at most."""
    asked = [each for each in bookings if each.venue_id is not None and not (now is not None and _begun(each, now))]
    withdrawn = dispatch_withdrawn(session, {each.beneficiary_id for each in asked}) if asked else {}
    silent = {
        each.id
        for each in asked
        if each.beneficiary_id in withdrawn and withdrawn[each.beneficiary_id] >= each.created_at
    }
    return {each.id for each in bookings} - silent


def _begun(booking: Booking, now: datetime) -> bool:
    if booking.starts_at is not None:
        return booking.starts_at <= now
    return booking.service_date <= today(booking.time_zone, now)
