"""A booking and its provider bookings as they stand."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from booking.discrepancies import Discrepancy
from booking.exchange.inbound import apply_remote
from booking.models import ProviderBooking
from marketplace.core.database.db import reading, transaction
from providers.reported import RemoteBooking
from tests.people import NOON, counters
from tests.world import (
    World,
    booking_row,
)

SOON = NOON + timedelta(seconds=1)

LATER = NOON + timedelta(minutes=5)


def state(public_id: str) -> str:
    return booking_row(public_id).state.value


def unit(world: World) -> tuple[int | None, int | None, int | None]:
    found = counters(world.entitlement.id)
    return found["available"], found["reserved"], found["used"]


def tell(world: World, told: RemoteBooking, now: datetime = LATER) -> str:
    with transaction() as session:
        return apply_remote(session, world.provider.id, told, now=now).what


def roles(public_id: str) -> dict[str, str]:
    with reading() as session:
        rows = session.scalars(select(ProviderBooking).where(ProviderBooking.booking_id == booking_row(public_id).id))
        return {row.reference: row.role for row in rows}


def version_of(reference: str) -> int:
    with reading() as session:
        return session.scalars(select(ProviderBooking.version).where(ProviderBooking.reference == reference)).one()


def open_cases() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Discrepancy.kind).where(Discrepancy.closed_at.is_(None))))
