"""What stands still in a worker ends its process; what goes on does not."""

from __future__ import annotations

import subprocess
import sys
import time
from threading import Event, get_ident

import pytest

from booking.worker.watchdog import EXIT_CODE, Watchdog
from marketplace.core.config import ROOT
from marketplace.core.database.silence import heard


@pytest.fixture
def ended() -> Event:
    """Set in place of the process's end."""
    return Event()


def watchdog(ended: Event) -> Watchdog:
    made = Watchdog(ended.set)
    made.start()
    return made


def test_what_is_not_expected_anew_in_time_ends_the_process(ended: Event) -> None:
    watching = watchdog(ended)
    watching.expect("beat", 0.2)
    watching.expect("another", 60)
    assert ended.wait(5)
    assert watching.overdue() == "beat"


def test_what_ended_or_is_expected_anew_is_not_overdue(ended: Event) -> None:
    watching = watchdog(ended)
    for _ in range(4):
        watching.expect("beat", 0.4)
        with watching.watching("job", 0.4):
            time.sleep(0.2)
    watching.expect("next holds", 0.1)
    watching.forget_all("next ")
    watching.forget("beat")
    assert not ended.wait(0.8)
    watching.close()


def test_long_work_goes_on_as_long_as_the_database_answers_its_thread() -> None:
    watching = Watchdog(lambda: None)
    with watching.watching("job", 0.3):
        for _ in range(4):
            time.sleep(0.15)
            heard[get_ident()] = time.monotonic()
        assert watching.overdue() is None
        heard[get_ident() + 1] = time.monotonic() + 60  # another thread's answers are not ours
        time.sleep(0.4)
        assert watching.overdue() == "job"
    assert watching.overdue() is None


def test_the_process_ends_though_its_other_threads_never_would() -> None:
    program = (
        "import threading; from booking.worker.watchdog import Watchdog\n"
        "stuck = threading.Thread(target=threading.Event().wait); stuck.start()\n"
        "w = Watchdog(); w.start(); w.expect('beat', 0.1); stuck.join()"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=30, check=False, capture_output=True)
    assert done.returncode == EXIT_CODE
