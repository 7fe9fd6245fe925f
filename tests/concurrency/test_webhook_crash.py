"""kill -9 of a process that is sending a webhook: another one sends it again, and the receiver knows it by its id."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from booking.webhooks import send
from booking.webhooks.make import make_deliveries
from marketplace.core.config import ROOT, settings
from tests.booking.webhooks.hooks import add, claim, rows
from tests.booking.webhooks.receiver import Received, Reply, listening
from tests.people import NOON
from tests.world import make_world

pytestmark = pytest.mark.one_postgres
_SENDER = """
from datetime import datetime
from booking.webhooks import send
now = datetime.fromisoformat("{now}")
[claimed] = send.claim(failing=False, each=4, places=1, now=now)
send.send(claimed, lambda: now, lambda: 0.0)
"""


@pytest.mark.usefixtures("db")
def test_a_sender_killed_during_its_call_is_followed_by_another_under_the_same_id() -> None:
    world = make_world()
    with listening() as receiver:

        def hold(_message: Received) -> Reply:
            receiver.ended.wait(120)
            return Reply()

        add(world, receiver.url, "booking.requested")
        world.submit()
        make_deliveries(now=NOON)
        receiver.answer = hold
        sender = subprocess.Popen(
            [sys.executable, "-c", _SENDER.format(now=NOON.isoformat())],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": settings().database_url},
        )
        try:
            until(lambda: len(receiver.received) == 1)
        finally:
            sender.kill()
            sender.wait(timeout=60)
        assert [(row.state, row.tries) for row in rows()] == [("queued", 1)]
        assert claim(NOON + send.LEASE - timedelta(seconds=1)) == []
        receiver.says(200)
        later = NOON + send.LEASE
        [again] = claim(later)
        assert send.send(again, lambda: later, lambda: 0.0) == "done"
        first, second = receiver.received
        assert first.id == second.id
        assert (first.body, rows()[0].tries) == (second.body, 2)


def until(fact: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not fact():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)
