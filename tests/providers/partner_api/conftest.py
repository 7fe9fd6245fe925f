"""What the tests of the partner API share."""

from __future__ import annotations

import pytest
from flask import Flask

from marketplace.app import create_app


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    """The application."""
    return create_app()
