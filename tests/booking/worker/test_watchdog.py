"""What stands still in a worker ends its process; what goes on does not."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from threading import Event, get_ident

import pytest

from booking.worker.watchdog import EXIT_CODE, Watchdog
from marketplace.core.config import ROOT
from marketplace.core.database.silence import heard


@pytest.fixture
def ended() -> Event:
    """Set in place of the process's end."""
    return Event()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], float]:
    """Move the watchdog's clock, which stands, by so many seconds; what it then shows."""
    now = time.monotonic()

    def go_on(seconds: float) -> float:
        nonlocal now
        now += seconds
        return now

    monkeypatch.setattr("booking.worker.watchdog.monotonic", lambda: now)
    return go_on


def test_what_is_not_expected_anew_in_time_ends_the_process(ended: Event) -> None:
    watching = Watchdog(ended.set)
    watching.start()
    watching.expect("beat", 0.2)
    watching.expect("another", 60)
    assert ended.wait(30)
    assert watching.overdue() == "beat"


def test_what_ended_or_is_expected_anew_is_not_overdue(later: Callable[[float], float]) -> None:
    watching = Watchdog(lambda: None)
    for _ in range(4):
        watching.expect("beat", 40)
        with watching.watching("job", 40):
            later(20)
            assert watching.overdue() is None
    watching.expect("next holds", 10)
    watching.forget_all("next ")
    watching.forget("beat")
    later(80)
    assert watching.overdue() is None


def test_long_work_goes_on_as_long_as_the_database_answers_its_thread(later: Callable[[float], float]) -> None:
    watching = Watchdog(lambda: None)
    with watching.watching("job", 30):
        for _ in range(4):
            heard[get_ident()] = later(15)
        assert watching.overdue() is None
        heard[get_ident() + 1] = later(0) + 60  # another thread's answers are not ours
        later(40)
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
