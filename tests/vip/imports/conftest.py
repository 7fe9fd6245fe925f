"""A kind of import for tests, and an operator who imports."""

from __future__ import annotations

import pytest

from tests.vip.imports.stage import THINGS, operator
from vip.imports import kinds
from vip.principal import Principal


@pytest.fixture(autouse=True)
def things_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """For this test things are a kind of import."""
    monkeypatch.setitem(kinds.KINDS, "things", THINGS)  # type: ignore[arg-type]


@pytest.fixture
def lin(db: object) -> Principal:
    """An administrator."""
    return operator()
