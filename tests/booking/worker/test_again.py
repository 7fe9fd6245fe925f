"""A worker whose database was away asks again soon: who leads is missed by everybody."""

from __future__ import annotations

import threading

from sqlalchemy.exc import OperationalError

from booking.worker.process import AGAIN_SECONDS, Worker
from marketplace.core.errors import Busy


class Waits(threading.Event):
    """Notes how long was waited, and waits for nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout)
        return self.is_set()


def test_after_trouble_it_is_tried_again_in_a_second_and_else_at_its_own_pace() -> None:
    worker, waits, troubles = Worker(), Waits(), list[str]()
    worker.stopping = waits
    ends = iter([OperationalError("", None, Exception("gone")), Busy(), None, None])

    def work() -> None:
        end = next(ends, "over")
        if isinstance(end, Exception):
            raise end
        if end == "over":
            worker.stop()

    worker._every(9.0, work, lambda: troubles.append("dropped"))
    assert waits.seconds == [AGAIN_SECONDS, AGAIN_SECONDS, 9.0, 9.0, 9.0]
    assert troubles == ["dropped"] * 2
