"""A world to give certificates in."""

from __future__ import annotations

import pytest

from tests.world import World, make_world


@pytest.fixture
def world(db: object) -> World:
    """A customer and a provider."""
    return make_world()
