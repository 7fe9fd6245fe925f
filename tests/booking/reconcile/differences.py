"""A booking that the provider has lost or moved, and the cases that a comparison opens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from booking.actors import CLOCK
from booking.discrepancies import Discrepancy
from booking.models import Booking
from booking.reconcile.offered_repairs import as_case, offered
from booking.reconcile.run import run_now
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from providers.port import Confirmed
from providers.reported import RemoteBooking
from tests.books import Books
from tests.people import NOON
from tests.world import FakeAdapter, World, connection_to, make_world, one_pass, set_provider

LATER = NOON + timedelta(hours=1)


def one_place() -> World:
    """A benefit for one booking and slots of one place, at a provider whose books can be compared at once."""
    made = make_world(quantity=1, capacity=1)
    set_provider(made.provider, settle_window_seconds=0)
    return made


def confirmed(world: World, books: Books) -> str:
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    slot = world.slots[0]
    books.put(RemoteBooking("R-1", public_id, "confirmed", 1, service_date=slot.service_date, starts_at=slot.starts_at))
    return public_id


def compare(world: World, books: Books) -> None:
    assert run_now(connection_to(world.provider), books, CLOCK, clock=lambda: LATER) is not None  # type: ignore[arg-type]


def cases() -> list[Discrepancy]:
    with reading() as session:
        return list(session.scalars(select(Discrepancy).where(Discrepancy.closed_at.is_(None))))


def case() -> Discrepancy:
    (found,) = cases()
    return found


def audited() -> list[str]:
    with reading() as session:
        rows = session.scalars(
            select(AuditLine).where(AuditLine.action == "difference.repaired").order_by(AuditLine.id)
        )
        return [row.facts["repair"] for row in rows]


def fits(found: Discrepancy) -> list[str]:
    with reading() as session:
        booking = session.get(Booking, found.booking_id) if found.booking_id else None
        return list(offered(as_case(session, found, booking), now=LATER))


def lost(world: World, books: Books) -> tuple[str, Discrepancy]:
    """A confirmed booking that the provider lost."""
    public_id = confirmed(world, books)
    books.rows.clear()
    compare(world, books)
    return public_id, case()


def adapter_row(world: World, public_id: str, reference: str, **more: Any) -> RemoteBooking:
    slot = world.slots[0]
    values = {"service_date": slot.service_date, "starts_at": slot.starts_at, **more}
    return RemoteBooking(reference, public_id, "confirmed", 1, **values)


def moved(world: World, books: Books, slot: int = 1) -> tuple[str, Discrepancy]:
    public_id = confirmed(world, books)
    books.change("R-1", starts_at=world.slots[slot].starts_at, service_date=world.slots[slot].service_date)
    compare(world, books)
    return public_id, case()
