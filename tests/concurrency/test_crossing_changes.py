"""Five hundred changes of date that cross between two slots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, update

from booking.dispatch import run_task
from booking.reschedule import reschedule
from marketplace.catalog.models import Offer
from marketplace.core import db as database
from marketplace.core.config import settings
from marketplace.core.db import transaction
from providers.port import Confirmed
from tests.concurrency.controls import all_at_once
from tests.people import NOON
from tests.world import FakeAdapter, World, booking_row, claim_all, join, make_offer, provider_line, taken


@pytest.fixture
def many_connections(db: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The application's engine with room for 24 at once."""
    monkeypatch.setenv("DATABASE_POOL_SIZE", "24")
    database.forget_engines()
    settings.cache_clear()
    yield database.engine()
    database.forget_engines()
    settings.cache_clear()


@pytest.mark.usefixtures("many_connections")
def test_crossing_changes_deadlock_nobody_and_keep_capacity_exact() -> None:
    provider, offer, slots = make_offer(slots=2, capacity=60)
    with transaction() as session:
        session.execute(update(Offer).values(max_changes=100))
    worlds = [join(provider, offer, slots, phone=f"1380055{number:04}", quantity=2) for number in range(50)]
    bookings: list[tuple[World, str]] = [(world, world.submit(number % 2)) for number, world in enumerate(worlds)]
    settle(worlds[0])
    for _ in range(10):
        results = all_at_once([lambda w=world, b=public_id: cross(w, b) for world, public_id in bookings])  # type: ignore[misc]
        assert Counter(type(each).__name__ for each in results) == {"NoneType": 50}
        settle(worlds[0])
        assert sum(taken(slot) for slot in slots) == 50
    assert {booking_row(public_id).state.value for _, public_id in bookings} == {"confirmed"}


def cross(world: World, public_id: str) -> None:
    here = booking_row(public_id).starts_at
    there = next(slot for slot in world.slots if slot.starts_at != here)
    reschedule(world.principal, public_id, there.public_id, now=NOON + timedelta(seconds=1))


def settle(world: World) -> None:
    """The provider says yes to everything, on eight threads."""
    later = NOON + timedelta(seconds=2)
    line = provider_line(world.provider)
    while claimed := claim_all(world, now=later):
        adapters = [FakeAdapter(answers=[Confirmed(f"R-{task.booking_id}", task.id)]) for task in claimed]
        all_at_once(
            [
                lambda t=task, a=adapter: run_task(line, a, t, lambda: later)  # type: ignore[misc,arg-type]
                for task, adapter in zip(claimed, adapters, strict=True)
            ]
        )
