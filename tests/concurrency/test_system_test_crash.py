"""kill -9 of a worker in the middle of a test of a provider's system: its lease frees it, and it comes to its end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from booking.joining.ask import Proposed, ask_for_test
from booking.joining.carry_out import LEASE, carry_out_tests
from booking.joining.view import one_test
from marketplace.core import clock
from marketplace.core.config import ROOT, settings
from tests.booking.joining.proposed import manager, row, system
from tests.providers.conformance.served import KEY, serve
from tests.world import make_world

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.one_postgres]

CARRY_OUT = """
from booking.joining.carry_out import carry_out_tests
from marketplace.core import clock
from marketplace.core.database.db import bare_app

with bare_app().app_context():
    carry_out_tests(clock.now)
"""


def test_a_test_whose_worker_was_killed_is_carried_out_by_another_and_leaves_no_secret(tmp_path: Path) -> None:
    world = make_world()
    who = manager(world)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the call, and never answers
        asked_of = f"http://127.0.0.1:{silent.getsockname()[1]}"
        test = ask_for_test(who, Proposed("open_protocol", asked_of, {}, KEY), now=clock.now())
        killed_in_the_middle(silent)
    left = row(test)
    assert (left.state, left.tries, left.outcome) == ("running", 1, "")
    assert left.lease_until is not None and left.secret_sealed is not None
    assert carry_out_tests(clock.now) == {}, "the process is dead, and its test is still claimed"
    over = left.lease_until + timedelta(seconds=1)
    assert over - clock.now() <= LEASE + timedelta(seconds=1)
    assert carry_out_tests(lambda: over) == {"unreachable": 1}
    assert row(test).secret_sealed is None and not one_test(who, test, now=over).under_way
    with serve(tmp_path) as served:
        ask_for_test(who, system(served), now=over)
        assert carry_out_tests(lambda: over) == {"fit": 1}, "the next test does not wait for the one that was killed"


def killed_in_the_middle(silent: socket.socket) -> None:
    """A worker's process carries the test out, and is killed with kill -9 while the system is asked."""
    environment = {**os.environ, "DATABASE_URL": settings().database_url}
    process = subprocess.Popen(
        [sys.executable, "-c", CARRY_OUT],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with process:
        silent.settimeout(60)
        caller, _address = silent.accept()
        with caller:
            assert caller.recv(4096).startswith(b"GET /slots")
            process.send_signal(signal.SIGKILL)
            assert process.wait(30) == -signal.SIGKILL
