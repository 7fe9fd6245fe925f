"""People in line for one place."""

from __future__ import annotations

from datetime import datetime

from tests.world import EIGHT, World, join, make_world


def other(world: World, number: int) -> World:
    return join(world.provider, world.offer, world.slots, phone=f"1380006{number:04}")


def elsewhere(world: World, start: datetime = EIGHT) -> World:
    """The world's customer at another place."""
    there = make_world(slots=1, phone="13800000077", start=start)
    return World(
        there.provider, there.offer, there.slots, world.customer, world.beneficiary, world.entitlement, world.principal
    )
