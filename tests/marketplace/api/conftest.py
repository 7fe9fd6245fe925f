"""The application as a WSGI program, and callers of its API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine

from marketplace.app import create_app
from marketplace.core import clock
from tests.marketplace.api.caller import Caller
from tests.people import NOON
from tests.world import World, make_world


@pytest.fixture(scope="session")
def app(worker_database: Any) -> Flask:
    """The application on this worker's database."""
    return create_app()


@pytest.fixture
def world(db: Engine) -> Iterator[World]:
    """A customer with two uses, an offer with three slots of five; the clock stands at NOON."""
    with clock.frozen(NOON):
        yield make_world()


@pytest.fixture
def caller(app: Flask, world: World) -> Caller:
    """The world's customer, signed in."""
    return Caller.of(app, "13800000021")


@pytest.fixture
def anybody(app: Flask, world: World) -> Caller:
    """Somebody who is not signed in."""
    return Caller(app, None)
