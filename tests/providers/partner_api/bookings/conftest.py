"""What the tests of bookings share."""

from __future__ import annotations

import pytest

from tests.providers.partner_api.answering import answering_world
from tests.world import World


@pytest.fixture
def world() -> World:
    """An offer of a provider that answers here, and a customer."""
    return answering_world()
