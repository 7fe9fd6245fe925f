"""One server with accounts that send escorts in different ways; each test clears the faults it finds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.providers.escorts.sending import sending
from tests.sandboxes import Inbox, Sandbox, open_inbox, start_sandbox

ACCOUNTS = {
    "quick": sending("quick"),
    "deliberate": sending("deliberate", "deliberate"),
    "clock": sending("clock", every=None),
    "single": sending("single", staff=1, assign_after=0),
    "idle": sending("idle", assign_after=None),
}


@pytest.fixture(scope="session")
def running_escorts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One server for the whole run."""
    sandbox = start_sandbox(tmp_path_factory.mktemp("escorts"), list(ACCOUNTS.values()))
    yield sandbox
    sandbox.kill()


@pytest.fixture
def escorts(running_escorts: Sandbox) -> Sandbox:
    """The server without faults."""
    for code in ACCOUNTS:
        running_escorts.control(code).clear_faults()
    return running_escorts


@pytest.fixture
def inbox(escorts: Sandbox) -> Iterator[Inbox]:
    """Receives the events of the accounts `quick` and `idle` from now on."""
    with open_inbox() as inbox:
        for code in ("quick", "idle"):
            escorts.control(code).settings(webhook_url=inbox.url)
        yield inbox
        for code in ("quick", "idle"):
            escorts.control(code).settings(webhook_url="")
