"""A customer in a browser who may book."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import Engine

from marketplace.app import create_app
from marketplace.core import clock
from tests.marketplace.web.booking.pages.walking import PHONE
from tests.marketplace.web.surfer import Surfer, surfer
from tests.people import NOON
from tests.world import World, make_world


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    """The application."""
    return create_app()


@pytest.fixture
def world(db: Engine) -> Iterator[World]:
    """A customer, an offer with three times, and the clock stopped at noon."""
    with clock.frozen(NOON):
        yield make_world(phone=PHONE)


@pytest.fixture
def browser(app: Flask, world: World) -> Surfer:
    """The customer's browser."""
    return surfer(app, PHONE)
