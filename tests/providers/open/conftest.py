"""A server that answers as it is told, anew for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.providers.open.answering import Hospital, hospital_at_work


@pytest.fixture
def hospital() -> Iterator[Hospital]:
    """Answers 204 until it is told otherwise."""
    with hospital_at_work() as hospital:
        yield hospital
