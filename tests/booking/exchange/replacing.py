"""A change under way at a provider that can't change."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from booking.changes.reschedule import reschedule
from booking.discrepancies import Discrepancy
from booking.exchange.inbound import apply_remote
from booking.models import Booking, ProviderBooking
from marketplace.core.database.db import reading, transaction
from providers.port import Confirmed
from providers.reported import RemoteBooking
from tests.people import NOON
from tests.world import FakeAdapter, World, booking_row, make_world, one_pass, set_provider, taken

SOON = NOON + timedelta(seconds=1)

LATER = NOON + timedelta(minutes=5)


def changing(**world: object) -> tuple[World, str]:
    """A confirmed booking (R-1) at a provider without a change call, with a change to the second slot asked for."""
    made = make_world(**world)  # type: ignore[arg-type]
    set_provider(made.provider, adapter="day_capacity")
    public_id = made.submit()
    one_pass(made, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    ask(made, public_id, 1)
    return made, public_id


def ask(world: World, public_id: str, slot: int) -> None:
    reschedule(world.principal, public_id, world.slots[slot].public_id, now=SOON)


def tell(world: World, told: RemoteBooking, now: datetime = LATER) -> str:
    with transaction() as session:
        return apply_remote(session, world.provider.id, told, now=now).what


def roles(public_id: str) -> dict[str, str]:
    with reading() as session:
        rows = session.execute(
            select(ProviderBooking.reference, ProviderBooking.role)
            .join(Booking, Booking.id == ProviderBooking.booking_id)
            .where(Booking.public_id == public_id)
        )
        return {row.reference: row.role for row in rows}


def new_one(world: World, public_id: str, status: str, version: int = 1, reference: str = "R-2") -> RemoteBooking:
    slot = world.slots[1]
    day, starts, ends = slot.service_date, slot.starts_at, slot.ends_at
    return RemoteBooking(reference, f"{public_id}-2", status, version, day, starts, ends)  # type: ignore[arg-type]


def places(world: World) -> list[int]:
    return [taken(slot) for slot in world.slots]


def at(public_id: str, world: World) -> int:
    starts = booking_row(public_id).starts_at
    return next(number for number, slot in enumerate(world.slots) if slot.starts_at == starts)


def open_kinds() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Discrepancy.kind).where(Discrepancy.closed_at.is_(None))))
