"""Waiting for a fact."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def eventually(look: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What `look` returns once it is true; AssertionError if it is not within `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"it did not come about within {seconds} s")
