"""Bookings in both books, and the cases about them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from booking.discrepancies import Discrepancy
from marketplace.core.database.db import reading
from providers.reported import RemoteBooking
from tests.world import (
    World,
)


def there(
    world: World, public_id: str | None, reference: str = "R-1", status: str = "confirmed", **more: Any
) -> RemoteBooking:
    slot = world.slots[more.pop("slot", 0)]
    values: dict[str, Any] = {"service_date": slot.service_date, "starts_at": slot.starts_at, "version": 1, **more}
    return RemoteBooking(reference, public_id, status, **values)  # type: ignore[arg-type]


def cases(*, closed: bool = False) -> list[tuple[str, str]]:
    with reading() as session:
        rows = session.scalars(select(Discrepancy).order_by(Discrepancy.id))
        return [(row.kind, row.resolution if closed else row.subject) for row in rows if bool(row.closed_at) is closed]
