"""A customer with bookings to tell of."""

from __future__ import annotations

import pytest

from tests.world import World, make_world


@pytest.fixture
def world(db: object) -> World:
    """A customer with two uses."""
    return make_world()
