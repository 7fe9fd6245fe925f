"""A provider that takes calls and says nothing never delays another: each has threads of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest

from booking.worker import lanes
from booking.worker.process import Worker
from drill.rig.proxy import proxy_to
from tests.concurrency.test_worker import book, confirmed, in_state, second_provider
from tests.conftest import TestDatabase
from tests.sandboxes import eventually
from tests.stage import Stage, set_stage
from tests.world import set_provider

pytestmark = pytest.mark.one_postgres
SILENT_SECONDS = 9
"""So long each call to the silent one takes: its deadline."""
SOON = 4.0
"""A healthy provider confirms within this, on a machine that does much else."""


@pytest.fixture
def stage(
    other_database: Callable[[str], TestDatabase], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    """A provider behind a proxy that swallows all that is sent to it."""
    with set_stage(other_database("stage"), tmp_path, monkeypatch) as made:
        port = int(made.sandbox.base_url().split(":")[2].split("/")[0])
        with proxy_to(port) as proxy:
            behind = made.sandbox.base_url().replace(f":{port}", f":{proxy.port}")
            set_provider(made.provider, base_url=behind, deadline_seconds=SILENT_SECONDS, max_in_flight=4)
            proxy.become("silent")
            yield made


@contextmanager
def working() -> Iterator[None]:
    """A worker in this process."""
    worker = Worker()
    thread = Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(timeout=60)


def seconds_until_confirmed(stage: Stage, other: Stage, patience: float) -> float:
    """How long the healthy one's command takes while the silent one's threads are all in a call; `patience` if it took
    longer."""
    book(stage, 1, 12)
    eventually(lambda: in_state(stage, "in_flight") == 4, 20)
    (quick,) = book(other, 2, 1)
    began, done = monotonic(), confirmed(quick)
    while not done() and monotonic() - began < patience:
        sleep(0.05)
    assert in_state(stage, "queued") > 0, "the silent one had nothing left to wait for: this proves nothing"
    return min(monotonic() - began, patience)


@pytest.mark.slow
def test_a_silent_provider_does_not_delay_anothers_commands(stage: Stage) -> None:
    with second_provider(stage) as other, working():
        assert seconds_until_confirmed(stage, other, SOON) < SOON


@pytest.mark.slow
def test_with_shared_lanes_the_silent_one_holds_up_the_healthy_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    shared = ThreadPoolExecutor(4)
    monkeypatch.setattr(lanes, "_threads", lambda provider: shared)
    with second_provider(stage) as other, working():
        assert seconds_until_confirmed(stage, other, SOON) == SOON
