"""What is closed: days, places, times."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.capacity_rules.models import CapacityChange, CapacityChangeItem
from booking.closures.models import SiteClosure, SiteClosureItem
from booking.models import Booking
from booking.settlement.models import ClosingStatement, StatementLine
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id
from tests.booking.personal.planting.life import Life


def close(life: Life, now: datetime) -> None:
    """Her first booking in a statement, at a place that was to close, and at a time that was."""
    with transaction() as session:
        booking = session.scalars(select(Booking).where(Booking.public_id == life.bookings[0])).one()
        _state(session, life, booking, now)
        _shut(session, life, booking, now)
        _take_off(session, life, booking, now)


def _state(session: Session, life: Life, booking: Booking, now: datetime) -> None:
    world = life.world
    statement = ClosingStatement(
        public_id=new_id("stm"),
        provider_id=world.provider.id,
        insurer_id=world.customer.insurer_id,
        day=booking.service_date + timedelta(days=world.customer.id),
        time_zone="Asia/Shanghai",
        made_at=now,
        content={},
    )
    session.add(statement)
    session.flush()
    session.add(
        StatementLine(
            statement_id=statement.id,
            booking_id=booking.id,
            state="fulfilled",
            service_date=booking.service_date,
            units=1,
            amount_minor=1,
            currency="CNY",
            correction=False,
        )
    )


def _shut(session: Session, life: Life, booking: Booking, now: datetime) -> None:
    world = life.world
    closure = SiteClosure(
        public_id=new_id("clo"),
        insurer_id=world.customer.insurer_id,
        site_id=world.offer.site_id,
        from_day=booking.service_date,
        mode="cancel",
        state="withdrawn",
        actor="x",
        asked_at=now,
    )
    session.add(closure)
    session.flush()
    session.add(SiteClosureItem(closure_id=closure.id, booking_id=booking.id, outcome="kept", at=now))


def _take_off(session: Session, life: Life, booking: Booking, now: datetime) -> None:
    slot = life.world.slots[2]
    capacity = CapacityChange(
        public_id=new_id("cch"), pool_id=slot.pool_id, version=booking.id, kind="rules", actor="x", at=now
    )
    session.add(capacity)
    session.flush()
    session.add(
        CapacityChangeItem(
            public_id=new_id("cci"),
            change_id=capacity.id,
            booking_id=booking.id,
            slot_id=slot.id,
            action="keep",
            reason="x",
            state="done",
            outcome="x",
            actor="x",
            decided_at=now,
            finished_at=now,
        )
    )
