"""Doctors, of whom one is on shift."""

from __future__ import annotations

import pytest

from tests.booking.consultation.rooms import Practice, make_practice


@pytest.fixture
def practice() -> Practice:
    """Doctors, of whom one is on shift for two patients at once."""
    return make_practice(quantity=50, capacity=2)
