"""What the tests of delivered reports share: a customer, her provider's program and a booking that was attended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from booking.states import BookingState
from tests.providers.partner_api.partner import Partner, partner_of
from tests.reports import examined_once
from tests.world import World, go, make_world


@pytest.fixture(autouse=True)
def files_are_examined_once() -> Iterator[None]:
    """The examiner is a process of its own; the same bytes are the same answer."""
    with examined_once():
        yield


@pytest.fixture
def world(db: object) -> World:
    """A customer, and a provider of hers."""
    return make_world(quantity=4)


@pytest.fixture
def partner(app: Flask, world: World) -> Partner:
    """The provider's program."""
    return partner_of(app, world.provider, "reports")


@pytest.fixture
def booking(world: World) -> str:
    """A booking that was attended."""
    public_id = world.submit()
    go(public_id, BookingState.CONFIRMED, BookingState.FULFILLED)
    return public_id
