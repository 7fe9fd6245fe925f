"""What a test customer does with her booking: what any customer can, by the same use cases."""

from __future__ import annotations

from datetime import datetime

from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from booking.changes.withdraw import withdraw
from booking.twins.customers import owner


def cancel_as_customer(twin_id: int, booking: str, *, now: datetime) -> None:
    """She cancels. Raises NotFound (also for what is no test booking of this twin) and what `cancel` raises."""
    cancel(owner(twin_id, booking).principal, booking, now=now)


def change_as_customer(twin_id: int, booking: str, slot: str, *, now: datetime) -> None:
    """She asks for another time of the same offer, by its slot's public id. Raises as `reschedule` does."""
    reschedule(owner(twin_id, booking).principal, booking, slot, now=now)


def withdraw_as_customer(twin_id: int, booking: str, *, now: datetime) -> None:
    """She takes back the change that she asked for. Raises as `withdraw` does."""
    withdraw(owner(twin_id, booking).principal, booking, now=now)
