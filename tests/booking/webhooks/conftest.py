"""A provider with a booking, and its receiver."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.booking.webhooks.receiver import Receiver, listening
from tests.world import World, make_world


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on loopback."""
    with listening() as server:
        yield server


@pytest.fixture
def world(db: object) -> World:
    """Somebody who may book."""
    return make_world(quantity=5)
