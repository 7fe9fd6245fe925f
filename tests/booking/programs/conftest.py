"""A provider whose program is tried."""

from __future__ import annotations

import pytest
from flask import Flask

from booking.programs.steps import booking
from marketplace.app import create_app
from tests.booking.programs.trials import Stage, make_stage


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    """The application that the program calls."""
    return create_app()


@pytest.fixture
def stage(db: object) -> Stage:
    """The provider and its twin."""
    return make_stage()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause that is told from none in less time, and fewer bookings that are confirmed one after the other."""
    monkeypatch.setattr(booking, "PAUSE_SECONDS", 3)
    monkeypatch.setattr(booking, "CLEAN_BOOKINGS", 2)
