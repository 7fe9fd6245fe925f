"""One place, who has it, and who waits for it."""

from __future__ import annotations

import pytest

from tests.waiting import (
    fill,
)
from tests.world import World, make_world


@pytest.fixture
def world() -> World:
    """A slot of one place, taken by somebody else, and a customer who has one use."""
    return make_world(slots=1, capacity=1, quantity=1)


@pytest.fixture
def holder(world: World) -> tuple[World, str]:
    """Who has the place."""
    return fill(world)[0]
