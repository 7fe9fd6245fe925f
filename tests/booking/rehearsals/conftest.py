"""What the tests of rehearsals share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from marketplace.app import create_app
from providers.partner_api import struck
from tests.booking.webhooks.receiver import Receiver, listening


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    """The application."""
    return create_app()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on loopback."""
    with listening() as server:
        yield server


@pytest.fixture(autouse=True)
def paused(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each answer was held back; nobody waits for it."""
    waited: list[float] = []
    monkeypatch.setattr(struck, "pause", waited.append)
    return waited
