"""What is made at its first use and then stays, made by one thread while the others wait for it.

`functools.cache` lets every thread make it that comes before the first is done: two hundred requests that need the same
thing at once make it two hundred times, and none of them goes on before nearly all are done.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from threading import RLock
from typing import Generic, TypeVar

Made = TypeVar("Made")


class once(Generic[Made]):
    """Decorates a function without arguments. One that raises is tried again by who asks next."""

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        self._lock = RLock()
        self._made: list[Made] = []
        update_wrapper(self, make)

    def __call__(self) -> Made:
        made = self._made
        if not made:
            with self._lock:
                made = self._made
                if not made:
                    made = self._made = [self._make()]
        return made[0]

    def cache_clear(self) -> None:
        """Let it be made anew; for tests."""
        self._made = []
