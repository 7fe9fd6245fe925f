"""What a provider can say of a booking now, and which other times it could propose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy import and_, select, text

from booking.answering.answer import NotPossibleNow
from booking.answering.shown import ShownBooking
from booking.attendance.early import too_early
from booking.eligibility.entitled import open_then
from booking.models import Booking, Slot
from booking.offers.bookable import Rule, lead
from booking.ownership import of_provider
from marketplace.catalog.kinds import has_times
from marketplace.catalog.models import Offer, Site
from marketplace.catalog.one_place.sql import place_id
from marketplace.core.clock import start_of, today
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound

Said = Literal["confirm", "reject", "propose", "accept_change", "refuse_change", "move", "cancel"]
"""What is said of the booking."""

Seen = Literal["check_in", "start", "complete", "no_show"]
"""What is said of the visit."""

Saying = Said | Seen

AHEAD = timedelta(days=31)
"""How far ahead other times are looked for."""

MOST_SLOTS = 120

_BOOKABLE = Rule("slot", "offer", "site", f"(CAST(:asked_at AS timestamptz) - {lead('offer')})", "offer.market")
"""The notice that the provider needs binds customers, and not itself."""

_BEFORE: dict[str, tuple[Saying, ...]] = {
    "requested": ("confirm", "propose", "reject"),
    "confirmed": ("check_in", "start", "complete", "no_show", "propose", "move", "cancel"),
    "checked_in": ("start", "complete", "cancel"),
    "in_service": ("complete", "cancel"),
    "no_show": ("check_in", "complete"),
    "fulfilled": ("start",),
}
_WITHOUT_TIME: dict[str, tuple[Saying, ...]] = {
    "requested": ("confirm", "reject"),
    "confirmed": ("cancel",),
    "checked_in": ("cancel",),
    "in_service": ("cancel",),
}
"""What is done of it is said where it is done, and there is nothing to come to or to move."""
_CAME = {"check_in": "checked_in", "start": "in_service", "complete": "fulfilled", "no_show": "no_show"}


@dataclass(frozen=True)
class FreeSlot:
    """Another time of the booking's offer with `left` free places."""

    id: str
    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None
    left: int


def possible(booking: ShownBooking, *, now: datetime) -> tuple[Saying, ...]:
    """What can be said of it now, the likeliest first. `answer` decides again when it is said."""
    if booking.cancel_asked:
        return ("cancel",) if booking.status == "confirmed" else ()
    if not has_times(booking.kind):
        return _WITHOUT_TIME.get(booking.status, ())
    sayings = _BEFORE.get(booking.status, ())
    if booking.change is not None:
        sayings = (
            "accept_change",
            "refuse_change",
            *(each for each in sayings if each not in ("confirm", "propose", "move")),
        )
    return tuple(
        each
        for each in sayings
        if each not in _CAME
        or not too_early(_CAME[each], booking.service_date, booking.starts_at, booking.time_zone, now)
        if each != "no_show" or now >= no_show_from(booking)
    )


def no_show_from(booking: ShownBooking) -> datetime:
    """From when a person may say that nobody came: from the time of the visit, or its day where it has no time."""
    return start_of(booking.service_date, booking.starts_at, booking.time_zone)


def other_times(provider_id: int, booking: str, *, now: datetime) -> Sequence[FreeSlot]:
    """Times of the booking's offer from now on that are free, by day; however soon, and not while its venue is closed.
    None for what has no time. Raises NotFound for a booking that is not this provider's (internal id), NotPossibleNow
    once it is over."""
    with reading() as session:
        found = session.execute(
            select(
                *(Booking.live, Booking.state, Booking.offer_id, Booking.kind, Booking.venue_id),
                *(Booking.service_date, Booking.starts_at, Booking.time_zone),
            ).where(of_provider(provider_id), Booking.public_id == booking)
        ).one_or_none()
        if found is None:
            raise NotFound(field="booking_id")
        if not has_times(found.kind):
            return []
        if not found.live:
            raise NotPossibleNow(state=found.state.value)
        first = today(found.time_zone, now)
        itself = and_(Slot.service_date == found.service_date, Slot.starts_at.is_not_distinct_from(found.starts_at))
        slots = session.execute(
            select(Slot.public_id, Slot.service_date, Slot.starts_at, Slot.ends_at, Slot.capacity - Slot.taken)
            .join(Offer, Offer.pool_id == Slot.pool_id)
            .join(Site, Site.id == place_id(Offer.site_id))
            .where(
                Offer.id == found.offer_id,
                Slot.service_date.between(first, max(first, found.service_date) + AHEAD),
                ~itself,
                text(_BOOKABLE.allows()).bindparams(asked_at=now),
                text(open_then("CAST(:venue AS bigint)", "slot.service_date")).bindparams(venue=found.venue_id),
            )
            .order_by(Slot.service_date, Slot.starts_at)
            .limit(MOST_SLOTS)
        ).all()
    return [FreeSlot(*slot) for slot in slots]
