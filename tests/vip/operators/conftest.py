"""An operator whose second factor is required."""

from __future__ import annotations

import pytest

from marketplace.core.config import settings
from tests.people import NOON, make_insurer
from tests.vip.operators.devices import PASSWORD
from vip.operators import operators


@pytest.fixture
def lin(db: object, monkeypatch: pytest.MonkeyPatch) -> str:
    """An administrator, where a second factor is required."""
    monkeypatch.setenv("OPERATOR_SECOND_FACTOR", "required")
    settings.cache_clear()
    make_insurer()
    yield operators.create_admin("lin", PASSWORD, "林主管", now=NOON)
    settings.cache_clear()
