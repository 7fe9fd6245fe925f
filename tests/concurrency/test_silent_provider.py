"""A provider that takes calls and says nothing never delays another: each has threads of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from booking.worker import lanes
from booking.worker.process import Worker
from drill.rig.proxy import proxy_to
from tests.concurrency.test_worker import book, confirmed, in_state, rows, second_provider
from tests.conftest import TestDatabase
from tests.sandboxes import eventually
from tests.stage import Stage, set_stage
from tests.world import set_provider

pytestmark = pytest.mark.one_postgres
SILENT_SECONDS = 8
"""So long each call to the silent one takes: its deadline."""


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


def is_done_meanwhile(stage: Stage, other: Stage) -> bool:
    """Whether the healthy one's command is done while all threads of the silent one are in their first call."""
    book(stage, 1, 12)
    eventually(lambda: in_state(stage, "in_flight") == 4, 20)
    (quick,) = book(other, 2, 1)

    def given_up() -> bool:
        return rows(stage, "SELECT 1 FROM provider_task WHERE unknown_since IS NOT NULL") != []

    eventually(lambda: confirmed(quick)() or given_up(), 4 * SILENT_SECONDS)
    return not given_up()


@pytest.mark.slow
def test_a_silent_provider_does_not_delay_anothers_commands(stage: Stage) -> None:
    with second_provider(stage) as other, working():
        assert is_done_meanwhile(stage, other)


@pytest.mark.slow
def test_with_shared_lanes_the_silent_one_holds_up_the_healthy_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    shared = ThreadPoolExecutor(4)
    monkeypatch.setattr(lanes, "_threads", lambda provider: shared)
    with second_provider(stage) as other, working():
        assert not is_done_meanwhile(stage, other)
