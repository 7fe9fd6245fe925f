"""Turns: of what costs much and anybody may ask for, one at a time in this process, so that customers' reads go on.

The three kinds of such work stand at the end. Every use case that sends a code, tries one or hashes a password takes a
turn there, before it counts the try: who gets none has lost no try.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event, Lock

from marketplace.core.errors import TooMany
from vip.principal import Somebody

LONGEST_WAIT = 2.0
"""Seconds that one waits for a turn."""
MOST_WAITING = 48
"""Who wait in one queue: all queues together leave most of a web process's threads to others."""


class Crowded(TooMany):
    """Too many others are at it in this process just now. Facts: `retry_after` (seconds)."""

    code = "crowded"


class Turns:
    """One at a time, the longest waiting first. Of one caller one waits, so that the queue is as long as there are
    callers, and who asks more often is not served more often."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken = False
        self._waiting: OrderedDict[str, Event] = OrderedDict()

    @contextmanager
    def turn(self, who: str) -> Iterator[None]:
        """A turn of the caller `who`, until the block ends. Raises Crowded for who would wait too long, whose other
        try waits already, or who finds the queue full."""
        self._take(who)
        try:
            yield
        finally:
            self._give()

    def _take(self, who: str) -> None:
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            if who in self._waiting or len(self._waiting) >= MOST_WAITING:
                raise _crowded()
            mine = self._waiting[who] = Event()
        if mine.wait(LONGEST_WAIT):
            return
        with self._lock:
            if mine.is_set():  # it came between the end of the wait and the lock
                return
            del self._waiting[who]
        raise _crowded()

    def _give(self) -> None:
        with self._lock:
            if not self._waiting:
                self._taken = False
                return
            _, longest = self._waiting.popitem(last=False)
            longest.set()


class Queues:
    """Turns of those whom nobody knows, of those who hold something of ours (a code that was sent, a link, the ticket
    of a right password), and of who is signed in or on a device that was before: none of the three waits for another.
    """

    def __init__(self) -> None:
        self.strangers, self.holders, self.known = Turns(), Turns(), Turns()

    def signed_in(self, principal: Somebody) -> AbstractContextManager[None]:
        """A turn of who is signed in. Raises Crowded."""
        return self.known.turn(f"session:{principal.session_id}")


asking = Queues()
"""To have a code sent, whatever it is for."""
trying = Queues()
"""To try a code, whatever it is for: one that was sent, one of a second factor, or a shared report's."""
hashing = Queues()
"""To compare or hash a password, which takes a core for a tenth of a second."""


def _crowded() -> Crowded:
    return Crowded(retry_after=math.ceil(LONGEST_WAIT))
