"""What a test needs from the machine: missing, it skips the test, except in CI, where it fails it."""

from __future__ import annotations

import os

import pytest


def needs(present: bool, what: str) -> None:
    """Go on if `present`; else fail in CI (CI=true) and skip elsewhere, saying `what` is missing."""
    if present:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"{what} is missing on this machine")
