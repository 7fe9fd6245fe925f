"""A world whose books are compared, and who repairs."""

from __future__ import annotations

import pytest

from tests.people import make_insurer
from tests.world import World, make_world
from vip.principal import Principal


@pytest.fixture
def world() -> World:
    """A customer with three uses; tests that need another world have their own."""
    return make_world(quantity=3)


@pytest.fixture
def operator(world: World) -> Principal:
    return Principal("operator", 1, "opr_1", make_insurer().id, 1, "Asia/Shanghai", "admin")
