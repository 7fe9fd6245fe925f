"""What we hold of a provider's slots, for the provider to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, tuple_

from booking.models import Slot
from marketplace.catalog.models import CapacityPool
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from marketplace.core.paging import Page, decode_cursor, encode_cursor


@dataclass(frozen=True)
class HeldSlot:
    """A slot in our books. `offered` is the provider's last figure, `taken` what we have given away of it."""

    pool: str
    reference: str
    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None
    offered: int
    taken: int
    closed: bool
    version: int


def held_slots(
    provider_id: int, pool: str, first: date | None, last: date | None, *, cursor: str | None, limit: int
) -> Page[HeldSlot]:
    """The slots of a pool from `first` to `last`, both included, by day. Raises NotFound, Invalid(field="cursor")."""
    with reading() as session:
        pool_id = session.scalar(
            select(CapacityPool.id).where(CapacityPool.provider_id == provider_id, CapacityPool.external_ref == pool)
        )
        if pool_id is None:
            raise NotFound(field="pool")
        asked = select(Slot).where(Slot.pool_id == pool_id).order_by(Slot.service_date, Slot.id).limit(limit + 1)
        if first is not None:
            asked = asked.where(Slot.service_date >= first)
        if last is not None:
            asked = asked.where(Slot.service_date <= last)
        if cursor is not None:
            after, id_ = decode_cursor(cursor, (int, int))
            asked = asked.where(tuple_(Slot.service_date, Slot.id) > (_day(after), id_))
        rows = session.scalars(asked).all()
    shown = rows[:limit]
    following = None
    if len(rows) > limit:
        following = encode_cursor([shown[-1].service_date.toordinal(), shown[-1].id])
    return Page([_held(pool, row) for row in shown], following)


def _day(ordinal: int) -> date:
    """The day of a cursor; one that we did not give out may be any number."""
    return date.fromordinal(min(max(ordinal, 1), date.max.toordinal()))


def _held(pool: str, row: Slot) -> HeldSlot:
    return HeldSlot(
        pool=pool,
        reference=row.external_ref,
        service_date=row.service_date,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        offered=row.offered,
        taken=row.taken,
        closed=row.closed,
        version=row.version,
    )
