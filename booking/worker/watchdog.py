"""Ends a worker process in which something stands still, so that whoever watches over it starts a new one.

It has a thread and a clock of its own, and asks no database: what it watches may stand still because of that.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Lock, Thread, get_ident
from time import monotonic

from marketplace.core.database.silence import heard
from marketplace.core.logging import get_logger

log = get_logger(__name__)

EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h."""
_LOOK_SECONDS = 0.5


def end_process() -> None:
    """At once, whatever other threads wait for. Claims and locks of this process end with leases and connections."""
    os._exit(EXIT_CODE)


@dataclass(frozen=True)
class _Expected:
    since: float
    seconds: float
    thread: int | None

    def until(self) -> float:
        return max(self.since, heard.get(self.thread, 0.0) if self.thread else 0.0) + self.seconds


class Watchdog:
    """Knows until when each piece of work must have said that it goes on, or has ended."""

    def __init__(self, end: Callable[[], None] = end_process) -> None:
        self._end = end
        self._expected: dict[str, _Expected] = {}
        self._lock = Lock()
        self._over = Event()

    def start(self) -> None:
        """Watch from now on, in a thread of its own."""
        Thread(target=self._watch, name="watchdog", daemon=True).start()

    def close(self) -> None:
        """Watch no more."""
        self._over.set()

    def expect(self, what: str, seconds: float) -> None:
        """`what` is overdue in so many seconds, unless it is expected anew or forgotten before."""
        with self._lock:
            self._expected[what] = _Expected(monotonic(), seconds, None)

    def forget(self, what: str) -> None:
        """It has ended."""
        with self._lock:
            self._expected.pop(what, None)

    def forget_all(self, prefix: str) -> None:
        """All whose names begin so have ended."""
        with self._lock:
            for each in [name for name in self._expected if name.startswith(prefix)]:
                del self._expected[each]

    @contextmanager
    def watching(self, what: str, seconds: float) -> Iterator[None]:
        """The block must end within so many seconds after the database last answered its thread, which long work asks
        again and again."""
        with self._lock:
            self._expected[what] = _Expected(monotonic(), seconds, get_ident())
        try:
            yield
        finally:
            self.forget(what)

    def overdue(self) -> str | None:
        """What is overdue longest, None when all goes on."""
        with self._lock:
            until = {what: expected.until() for what, expected in self._expected.items()}
        first = min(until, key=until.__getitem__, default=None)
        return first if first is not None and until[first] < monotonic() else None

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            late = self.overdue()
            if late is not None:
                log.critical("worker.overdue", what=late)
                self._end()
                return
