"""The address of the test's database for who may do anything."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from marketplace.development.database import DevDatabase
from marketplace.development.embedded.postgres import SUPERUSER
from tests.conftest import TestDatabase


@pytest.fixture
def superuser(database_server: DevDatabase, worker_database: TestDatabase, db: Engine) -> str:
    """The address of the test's database for who may do anything."""
    return database_server.server.url(SUPERUSER, worker_database.name)
