"""What the worker's clock runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Job:
    """Work that is done every so many seconds. `code` is the provider's, blank for work that concerns no provider.
    A leader that has not begun a `brief` one for WORKER_OVERDUE_SECONDS stands still."""

    name: str
    every: int
    work: Callable[[], dict[str, Any]]
    code: str = ""
    brief: bool = False
