"""Commands to send in tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from providers.adapters.open_protocol import OpenProtocol
from providers.port import Cancel, Change, Decline, LookUp, Person, Reserve
from providers.reported import RemoteSlot

_numbers = count(1)
PERSON = Person("王小明", "male", date(1985, 5, 20))


def bookable(adapter: OpenProtocol, number: int) -> RemoteSlot:
    """The number-th slot from tomorrow on."""
    tomorrow = datetime.now(UTC).date() + timedelta(days=2)
    page = adapter.slots(tomorrow, tomorrow + timedelta(days=50), None, None)
    return page.slots[number]


def reserve(slot: RemoteSlot, **changes: Any) -> Reserve:
    """A reservation with a new key and a new reference of ours."""
    number = next(_numbers)
    wish = Reserve(
        key=f"key-{slot.reference}-{number}",
        our_reference=f"AX{slot.reference}-{number}",
        offer="BASIC",
        pool=slot.pool,
        slot=slot.reference,
        service_date=slot.service_date,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        person=PERSON,
    )
    return replace(wish, **changes)


def cancel(wish: Reserve, reference: str | None) -> Cancel:
    """Cancel what `wish` booked."""
    return Cancel(f"{wish.key}-cancel", wish.our_reference, reference, "changed my mind")


def change(wish: Reserve, reference: str, slot: RemoteSlot) -> Change:
    """Move what `wish` booked to `slot`."""
    return Change(
        f"{wish.key}-change-{slot.reference}",
        wish.our_reference,
        reference,
        slot.reference,
        slot.service_date,
        slot.starts_at,
        slot.ends_at,
    )


def decline(wish: Reserve, reference: str, slot: str) -> Decline:
    """Turn down the proposal of `slot` for what `wish` booked."""
    return Decline(f"{wish.key}-decline-{slot}", wish.our_reference, reference, slot)


def by_key(wish: Reserve) -> LookUp:
    """What became of `wish`."""
    return LookUp(wish.key, wish.our_reference)
