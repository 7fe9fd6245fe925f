"""Two customers with whole lives in the same world."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from marketplace.development.database import DevDatabase
from marketplace.development.embedded.postgres import SUPERUSER
from tests.booking.personal.planted import Life, live
from tests.conftest import TestDatabase
from tests.world import join, make_world


@pytest.fixture
def superuser(database_server: DevDatabase, worker_database: TestDatabase, db: Engine) -> str:
    """The address of the test's database for who may do anything."""
    return database_server.server.url(SUPERUSER, worker_database.name)


@pytest.fixture
def lives(superuser: str) -> Callable[[], tuple[Life, Life]]:
    """Make them: hers and another customer's."""

    def make() -> tuple[Life, Life]:
        world = make_world(phone="13800000021", quantity=5)
        other = join(world.provider, world.offer, world.slots, phone="13800000022", quantity=5)
        return live(world, "13800000021", "hers", superuser), live(other, "13800000022", "theirs", superuser)

    return make
