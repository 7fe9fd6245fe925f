"""A booking at a provider that is nobody's of ours, its case and its cancel."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from booking.actors import CLOCK
from booking.discrepancies import Discrepancy
from booking.exchange.inbound import apply_remote
from booking.exchange.models import StrayCancel
from booking.reconcile.repair import repair
from booking.reconcile.run import run_now
from booking.reconcile.strays import cancel_due
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from providers.reported import RemoteBooking
from tests.books import Books
from tests.people import NOON
from tests.world import World, connection_to
from vip.principal import Principal

LATER = NOON + timedelta(hours=1)


def with_a_stray(world: World) -> Books:
    """A provider with a booking that nobody of ours made, found by a comparison."""
    there = Books()
    at = world.slots[0]
    there.put(RemoteBooking("R-9", None, "confirmed", 1, service_date=at.service_date, starts_at=at.starts_at))
    compare(world, there)
    return there


def compare(world: World, books: Books, now: datetime = LATER) -> None:
    assert run_now(connection_to(world.provider), books, CLOCK, clock=lambda: now) is not None


def case() -> Discrepancy:
    with reading() as session:
        return session.scalars(select(Discrepancy).order_by(Discrepancy.id.desc()).limit(1)).one()


def click(operator: Principal, now: datetime = LATER) -> None:
    repair(operator, case().public_id, "cancel_there", now=now)


def work(world: World, books: Any, now: datetime = LATER) -> dict[str, int]:
    return cancel_due(connection_to(world.provider), books, clock=lambda: now)


def audited(action: str) -> list[tuple[str, str]]:
    with reading() as session:
        rows = session.scalars(select(AuditLine).where(AuditLine.action == action).order_by(AuditLine.id))
        return [(row.actor, row.subject) for row in rows]


def the_cancel() -> StrayCancel:
    with reading() as session:
        return session.scalars(select(StrayCancel)).one()


def take_over(world: World, public_id: str, reference: str = "R-9") -> None:
    """The provider says that the stray is the booking of ours."""
    with transaction() as session:
        ours = RemoteBooking(reference, public_id, "confirmed", 5)
        apply_remote(session, world.provider.id, ours, now=LATER)
