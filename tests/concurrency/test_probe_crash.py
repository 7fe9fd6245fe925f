"""kill -9 of a process that holds a breaker's probe: its lease frees the probe, and nothing else does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection

from booking.calls.breaker import PROBE_LEASE, Call
from booking.outbox import Claimed
from marketplace.core.config import ROOT, settings
from tests.people import NOON
from tests.world import World, breaker_row, claim_all, make_world, set_breaker

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.one_postgres]

CLAIM_AND_HANG = """
import sys, time
from datetime import datetime
from booking.calls.connections import connection_by_code
from booking.exchange.send import claim_tasks
from marketplace.core.database.db import bare_app, reading

with bare_app().app_context():
    with reading() as session:
        known = connection_by_code(session, sys.argv[1])
    claimed = claim_tasks(known, worker="w1", places=10, now=datetime.fromisoformat(sys.argv[2]))
    print(len(claimed), flush=True)
    time.sleep(600)
"""


def test_a_probe_whose_process_was_killed_is_made_by_another_when_its_lease_is_over(
    owner_connection: Connection,
) -> None:
    world = make_world(slots=3, quantity=3)
    for slot in range(3):
        world.submit(slot)
    set_breaker(world.provider, failures=5, opened_at=NOON, open_until=NOON)
    assert killed_with_the_probe(world) == 1, "of three commands that are due"
    lease = NOON + PROBE_LEASE
    assert breaker_row(world.provider)[2] == lease, "the process is dead, and its probe is still claimed"
    assert claims(world, lease - timedelta(milliseconds=1)) == []
    assert len(claims(world, lease)) == 1
    assert breaker_row(world.provider, Call.COMMANDS)[2] == lease + PROBE_LEASE


def claims(world: World, now: datetime) -> list[Claimed]:
    return claim_all(world, now=now, worker="w2")


def killed_with_the_probe(world: World) -> int:
    """How many commands a process has claimed that is then killed with kill -9."""
    environment = {**os.environ, "DATABASE_URL": settings().database_url}
    process = subprocess.Popen(
        [sys.executable, "-c", CLAIM_AND_HANG, world.provider.code, NOON.isoformat()],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stdout is not None
        claimed = next(int(line) for line in process.stdout if line.strip().isdigit())
        process.send_signal(signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
    return claimed
