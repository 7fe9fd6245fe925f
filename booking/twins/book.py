"""A test customer books the first time that is free, or one that is chosen."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from booking.offers.availability import MAX_DAYS, offer, slots
from booking.twins.customers import customer
from booking.twins.place import book_slot
from marketplace.core import clock
from marketplace.core.errors import Refusal


class NoFreeTime(Refusal):
    """The offer has no time that can be booked within the next weeks: publish some first."""

    code = "no_free_time"
    status = 409
    field = "slot"


def book_for_test(
    twin_id: int,
    offer_id: str,
    slot_id: str | None,
    customer_number: int,
    now: datetime,
    *,
    details: Mapping[str, Any] | None = None,
    key: str = "",
) -> str:
    """As `book_slot`, and with `slot_id` None at the first time that can be booked. A `key` that was used for another
    choice raises IdempotencyKeyReused. Raises NoFreeTime as well."""
    customer(twin_id, customer_number)
    chosen = slot_id if slot_id is not None else _first_free(twin_id, offer_id, now)
    choice = hashlib.sha256("\n".join((offer_id, slot_id or "", str(customer_number))).encode()).digest()
    return book_slot(twin_id, offer_id, chosen, customer_number, now, details=details, key=key, choice=choice)


def _first_free(twin_id: int, offer_id: str, now: datetime) -> str:
    today = clock.today(offer(offer_id, market=twin_id, now=now).card.time_zone, now)
    found = slots(offer_id, today, today + timedelta(MAX_DAYS - 1), market=twin_id, now=now)
    free = next((each.id for each in found if each.bookable), None)
    if free is None:
        raise NoFreeTime()
    return free
