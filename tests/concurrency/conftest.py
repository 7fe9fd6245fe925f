"""What races need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from sqlalchemy import Engine

from marketplace.core.config import settings
from marketplace.core.database import db as database
from vip.signin.turns import Turns


@pytest.fixture
def many_connections(db: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The application's engine with room for 24 at once."""
    monkeypatch.setenv("DATABASE_POOL_SIZE", "24")
    database.forget_engines()
    settings.cache_clear()
    yield database.engine()
    database.forget_engines()
    settings.cache_clear()


@pytest.fixture
def without_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody at once, as in as many processes: what the database guards holds by itself."""
    monkeypatch.setattr(Turns, "turn", lambda queue, who: nullcontext())
