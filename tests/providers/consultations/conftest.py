"""One server with accounts whose doctors work in different ways; each test clears the faults it finds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.providers.consultations.asking import consulting
from tests.sandboxes import Inbox, Sandbox, account, open_inbox, start_sandbox

ACCOUNTS = {
    "quick": account("quick", "prompt", consultations=consulting()),
    "deliberate": account("deliberate", "deliberate", consultations=consulting()),
    "drawing": account("drawing", "prompt", consultations=consulting(pictures=1)),
    "single": account("single", "prompt", consultations=consulting(doctors=1, at_once=1, turns=1)),
    "silent": account("silent", "prompt", consultations=consulting(answer_after=None)),
    "plain": account("plain", "prompt"),
}


@pytest.fixture(scope="session")
def running_doctors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One server for the whole run."""
    sandbox = start_sandbox(tmp_path_factory.mktemp("doctors"), list(ACCOUNTS.values()))
    yield sandbox
    sandbox.kill()


@pytest.fixture
def doctors(running_doctors: Sandbox) -> Sandbox:
    """The server without faults."""
    for code in ACCOUNTS:
        running_doctors.control(code).clear_faults()
    return running_doctors


@pytest.fixture
def inbox(doctors: Sandbox) -> Iterator[Inbox]:
    """Receives the events of the account `quick` from now on."""
    with open_inbox() as inbox:
        doctors.control("quick").settings(webhook_url=inbox.url)
        yield inbox
        doctors.control("quick").settings(webhook_url="")
