"""Waiting for places, for tests: entries, the worker's round, and what became of them."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, text

from booking.changes.cancel import cancel
from booking.hold.expire import expire_holds
from booking.models import Booking
from booking.notices.models import Notification
from booking.waiting import join as waiting
from booking.waiting.models import WaitingEntry, WaitingOffer
from booking.waiting.offers import offer_freed, settle_offers
from marketplace.core.database.db import reading, transaction
from tests.people import NOON
from tests.world import DAY, World, join


def criteria(world: World, **changes: Any) -> waiting.Criteria:
    """Criteria for the world's offer on its day."""
    values: dict[str, Any] = {
        "offers": [world.offer.public_id],
        "beneficiary": world.beneficiary.public_id,
        "first_day": DAY,
        "last_day": DAY,
    }
    return waiting.Criteria(**{**values, **changes})


def wait(world: World, *, now: datetime = NOON, **changes: Any) -> str:
    """Begin to wait; the entry's public id."""
    key = str(uuid.uuid4())
    return waiting.join(world.principal, criteria(world, **changes), key=key, fingerprint=b"w", now=now).public_id


def serve(now: datetime = NOON) -> Counter[str]:
    """One round of the worker's job."""
    return settle_offers(now=now) + offer_freed(now=now)


def sweep(now: datetime) -> None:
    """The clock ends holds, then the worker's round."""
    expire_holds(now=now)
    serve(now)


def entry(public_id: str) -> WaitingEntry:
    """The entry as it stands."""
    with reading() as session:
        return session.scalars(select(WaitingEntry).where(WaitingEntry.public_id == public_id)).one()


def offers_made(public_id: str) -> list[WaitingOffer]:
    """The places that were held for it, in order."""
    with reading() as session:
        return list(
            session.scalars(
                select(WaitingOffer)
                .join(WaitingEntry, WaitingEntry.id == WaitingOffer.entry_id)
                .where(WaitingEntry.public_id == public_id)
                .order_by(WaitingOffer.id)
            )
        )


def offered(public_id: str) -> Booking:
    """The booking of the newest offer."""
    with reading() as session:
        return session.get_one(Booking, offers_made(public_id)[-1].booking_id)


def notices(world: World) -> list[str]:
    """The kinds of the customer's notices about the waiting list, in order."""
    with reading() as session:
        kinds = session.scalars(
            select(Notification.kind)
            .where(Notification.customer_id == world.customer.id, Notification.kind.startswith("waitlist"))
            .order_by(Notification.id)
        )
        return list(kinds)


def fill(world: World, *slots: int, first: int = 100) -> list[tuple[World, str]]:
    """Take all places of the slots by others; each with the booking she holds."""
    taken = []
    for slot in slots or range(len(world.slots)):
        for _ in range(world.slots[slot].capacity):
            other = join(world.provider, world.offer, world.slots, phone=f"13800077{first:03}")
            first += 1
            taken.append((other, other.submit(slot)))
    return taken


def give_up(who: tuple[World, str], now: datetime = NOON) -> None:
    """Somebody cancels what nobody has sent yet, so that her place is free at once."""
    cancel(who[0].principal, who[1], now=now)


def grow_old() -> None:
    """As if what is before the worker had lain there for a minute."""
    with transaction() as session:
        session.execute(text("UPDATE freed_slot SET freed_at = freed_at - interval '1 min'"))


def before_the_worker() -> int:
    """Slots that the worker has yet to look at."""
    with reading() as session:
        return session.execute(text("SELECT count(*) FROM freed_slot")).scalar_one()


def on(day: int) -> date:
    """A day of the world's month."""
    return date(2026, 3, day)
