"""The threads that send webhooks in a worker. Endpoints whose last try failed have threads of their own, and each
endpoint a bound, so that one which hangs delays no other."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from booking.webhooks.send import Claimed, claim, send
from marketplace.core.database import released
from marketplace.core.database.db import bare_app
from marketplace.core.logging import get_logger

log = get_logger(__name__)

EACH = 3
"""So many deliveries to an endpoint at a time; while it fails, one."""
THREADS = {False: 24, True: 8}
"""For the endpoints that are well, and for those that fail."""
ROUND_SECONDS = 0.5


class Senders:
    """Claims what is due, as much as there are free threads for, and sends it."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._pools = {failing: ThreadPoolExecutor(most, f"webhooks-{failing}") for failing, most in THREADS.items()}
        self._busy = dict.fromkeys(THREADS, 0)
        self._guard = threading.Lock()
        self._closing = threading.Event()
        self._next = 0.0

    def round(self) -> None:
        """Claim and begin to send, no more often than each ROUND_SECONDS."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + ROUND_SECONDS
        for failing, most in THREADS.items():
            with self._guard:
                places = most - self._busy[failing]
            if places <= 0:
                continue
            for claimed in self._claim(failing, places):
                with self._guard:
                    self._busy[failing] += 1
                self._pools[failing].submit(self._work, failing, claimed)

    def close(self) -> None:
        """Wait for what is being sent; what has not begun is left to another worker."""
        self._closing.set()
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)

    def _claim(self, failing: bool, places: int) -> list[Claimed]:
        """What is due; from a restored copy nothing."""
        if released.held():
            return []
        return claim(failing=failing, each=1 if failing else EACH, places=places, now=self._clock())

    def _work(self, failing: bool, claimed: Claimed) -> None:
        """Send a delivery, then what else is due, until nothing is. What breaks leaves its delivery claimed; the lease
        ends and it is sent again."""
        waiting = [claimed]
        try:
            with bare_app().app_context():
                while waiting:
                    send(waiting[0], self._clock, random.random)
                    waiting = [] if self._closing.is_set() else self._claim(failing, 1)
        except Exception as broken:
            facts = {"delivery": waiting[0].id, "error": type(broken).__name__}
            if isinstance(broken, SQLAlchemyError):  # no trace: the database's errors quote rows
                log.error("webhook.broken", **facts)  # noqa: TRY400
            else:
                log.exception("webhook.broken", **facts)
        finally:
            with self._guard:
                self._busy[failing] -= 1
