"""An order at the day-capacity provider, and its days."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from providers.adapters.day_capacity import DayCapacity
from providers.port import (
    Cancel,
    LookUp,
    Person,
    Reserve,
)
from providers.reported import RemoteBooking, RemoteSlot

SHANGHAI = ZoneInfo("Asia/Shanghai")

_numbers = itertools.count(1)

days_used = itertools.count(0)


def days(adapter: DayCapacity) -> list[RemoteSlot]:
    tomorrow = datetime.now(SHANGHAI).date() + timedelta(days=1)
    return list(adapter.slots(tomorrow, tomorrow + timedelta(days=59), None, None).slots)


def wish(day: RemoteSlot, **changes: Any) -> Reserve:
    made = Reserve(
        key=f"key-{next(_numbers)}",
        our_reference=f"bkg-{next(_numbers)}",
        offer="BASIC",
        pool=day.pool,
        slot=day.reference,
        service_date=day.service_date,
        starts_at=None,
        ends_at=None,
        person=Person("王小明", "male", date(1985, 5, 20)),
    )
    return replace(made, **changes)


def by_ours(wanted: Reserve) -> LookUp:
    return LookUp(wanted.key, wanted.our_reference)


def cancel(wanted: Reserve, reference: str | None) -> Cancel:
    return Cancel("key-of-cancel", wanted.our_reference, reference, "customer_asked")


def all_changes(adapter: DayCapacity, cursor: str | None = None) -> tuple[list[RemoteBooking], str]:
    found, page = [], None
    for _ in range(1000):
        part = adapter.bookings_since(cursor, page)
        found += part.bookings
        page = part.next
        if page is None:
            assert part.cursor is not None
            return found, part.cursor
    raise AssertionError("a list without an end")
