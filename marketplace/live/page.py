"""One open stream: what waits to be written to it, and its end."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from booking.live.topics import Scope

MOST_WAITING = 64
"""Batches that a page may be behind. One is what a reading found for it, so this is ten seconds of a busy conversation;
a page that reads slower is dropped, and goes on by its last id."""

SESSION_OVER = "session_over"
TOO_SLOW = "too_slow"
STOPPING = "stopping"
REPLACED = "replaced"
CHANGED = "changed"
"""What its session is told of is another now: the page comes back for that."""


class Page:
    """A stream of one session. All of it happens in the event loop's thread."""

    __slots__ = ("_ready", "_waiting", "ended", "scope", "session_id")

    def __init__(self, session_id: int, scope: Scope) -> None:
        self.session_id = session_id
        self.scope = scope
        self.ended = ""
        self._waiting: deque[bytes] = deque()
        self._ready = asyncio.Event()

    @property
    def topics(self) -> tuple[str, ...]:
        """What it is told of."""
        return self.scope.topics

    def put(self, message: bytes) -> bool:
        """Add a message; False where the page is too far behind, and ends for it. One that has ended gets nothing."""
        if self.ended:
            return True
        if len(self._waiting) >= MOST_WAITING:
            self.end(TOO_SLOW)
            return False
        self._waiting.append(message)
        self._ready.set()
        return True

    def end(self, why: str) -> None:
        """Nothing follows. What waits for a slow page is dropped: its last id says what it has."""
        self.ended = self.ended or why
        self._waiting.clear()
        self._ready.set()

    async def next(self, seconds: float) -> bytes:
        """All that waits, as soon as something does; nothing after so many seconds, or where the page has ended."""
        if not self._ready.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._ready.wait()
            except TimeoutError:
                pass  # what came at the last moment is taken with it: the id that follows must not skip it
        found = b"".join(self._waiting)
        self._waiting.clear()
        if not self.ended:
            self._ready.clear()
        return found


def message(kind: str, told: Mapping[str, Any] | Sequence[Mapping[str, Any]], place: str | None = None) -> bytes:
    """A message of the stream (HTML standard, 9.2.6); blank `kind` for events, which are a list. With `place` as its
    id, blank where nobody can go on from here."""
    head = f"event: {kind}\n" if kind else ""
    mark = "" if place is None else f"id: {place}\n"
    return f"{head}{mark}data: {json.dumps(told, separators=(',', ':'), ensure_ascii=False)}\n\n".encode()
