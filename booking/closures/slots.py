"""The slots of a closed site: closed in portions, and kept so by a trigger (slot_stays_closed.sql)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import InstrumentedAttribute

from booking.closures.models import SiteClosure
from booking.models import Slot
from marketplace.catalog.kinds import dispatched
from marketplace.catalog.models import CapacityPool, Offer
from marketplace.catalog.one_place.sql import sites_covered
from marketplace.core.database.db import transaction

SLOTS = 500
"""How many are closed in one transaction."""


def close_slots(closure_id: int) -> int:
    """Close at most SLOTS of a closure's slots that are still open, by id. Returns how many."""
    with transaction() as session:
        closure = session.scalar(
            select(SiteClosure)
            .where(SiteClosure.id == closure_id, SiteClosure.state != "withdrawn")
            .with_for_update(read=True)
        )
        if closure is None:
            return 0
        due = (
            select(Slot.id)
            .join(CapacityPool, CapacityPool.id == Slot.pool_id)
            .where(*still_open(closure.site_id, closure.from_day, closure.to_day))
            .order_by(Slot.id)
            .limit(SLOTS)
            .with_for_update(key_share=True, of=Slot)
            .cte("due")
        )
        closed = update(Slot).where(Slot.id == due.c.id).values(closed=True).returning(Slot.id)
        return len(session.scalars(closed, execution_options={"synchronize_session": False}).all())


def still_open(site_id: int, from_day: date, to_day: date | None) -> tuple[ColumnElement[bool], ...]:
    """The conditions that a Slot of a CapacityPool is one that closing the site (internal id) closes. The windows of
    who is sent somewhere are a city's: they are not done at the site where they are registered."""
    sent = exists().where(Offer.pool_id == CapacityPool.id, Offer.kind.in_(dispatched()))
    days = within_days(Slot.service_date, from_day, to_day)
    return CapacityPool.site_id.in_(sites_covered(site_id)), ~sent, ~Slot.closed, days


def within_days(column: InstrumentedAttribute[date], from_day: date, to_day: date | None) -> ColumnElement[bool]:
    """The condition that a day is within a closure; `to_day` None means for good."""
    return column >= from_day if to_day is None else column.between(from_day, to_day)
