"""A provider that answers at its desk, and its front desk's browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.desk import at_desk, make_member
from tests.marketplace.web.visitors import Visitor
from tests.world import World, set_provider

Seat = Callable[..., Visitor]


@pytest.fixture
def provider(world: World) -> World:
    """The world, whose provider answers at its desk."""
    set_provider(world.provider, adapter="desk")
    return world


@pytest.fixture
def seat(app: Flask, provider: World) -> Seat:
    """A browser of one more member of the provider: `seat("clinician")`."""

    def sit(role: str = "front_desk", language: str = "en", login: str = "") -> Visitor:
        return at_desk(app, make_member(provider.provider.code, role, login), language)  # type: ignore[arg-type]

    return sit


@pytest.fixture
def front(seat: Seat) -> Visitor:
    """The front desk, reading English."""
    return seat()
