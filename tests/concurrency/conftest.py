"""What races need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from marketplace.core.config import settings
from marketplace.core.database import db as database


@pytest.fixture
def many_connections(db: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The application's engine with room for 24 at once."""
    monkeypatch.setenv("DATABASE_POOL_SIZE", "24")
    database.forget_engines()
    settings.cache_clear()
    yield database.engine()
    database.forget_engines()
    settings.cache_clear()
