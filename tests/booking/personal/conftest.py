"""Two customers with whole lives in the same world."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.booking.personal.planted import live
from tests.booking.personal.planting.life import Life
from tests.world import join, make_world


@pytest.fixture
def lives(superuser: str) -> Callable[[], tuple[Life, Life]]:
    """Make them: hers and another customer's."""

    def make() -> tuple[Life, Life]:
        world = make_world(phone="13800000021", quantity=5)
        other = join(world.provider, world.offer, world.slots, phone="13800000022", quantity=5)
        return live(world, "13800000021", "hers", superuser), live(other, "13800000022", "theirs", superuser)

    return make
