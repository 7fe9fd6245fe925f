"""Provider servers for the tests of this folder, started once; each test clears the faults it finds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from providers.adapters.open_protocol import OpenProtocol
from providers.reported import RemoteSlot
from tests.fhir_servers import FhirProcess, start_fhir_server
from tests.providers.wishes import bookable
from tests.sandboxes import Inbox, Sandbox, open_inbox, start_sandbox

_numbers = count(1)


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One server for the whole run."""
    pools = [{"pool": f"P{number}", "offers": ["BASIC"], "capacity": 5} for number in range(1, 41)]
    sandbox = start_sandbox(tmp_path_factory.mktemp("sandbox"), pools=pools)
    yield sandbox
    sandbox.kill()


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """The server without faults."""
    for code in ("prompt", "deliberate", "moody"):
        running_sandbox.control(code).clear_faults()
    return running_sandbox


@pytest.fixture
def adapter(sandbox: Sandbox) -> OpenProtocol:
    """Speaks to the account that confirms at once."""
    return OpenProtocol(sandbox.connection("prompt", deadline_seconds=10))


@pytest.fixture
def hasty(sandbox: Sandbox) -> OpenProtocol:
    """The same, but gives up after a second: for commands that hang."""
    return OpenProtocol(sandbox.connection("prompt", deadline_seconds=1))


@pytest.fixture
def slot(sandbox: Sandbox) -> RemoteSlot:
    """A slot that no other test uses, with five places."""
    return bookable(OpenProtocol(sandbox.connection("prompt")), next(_numbers))


@pytest.fixture
def inbox(sandbox: Sandbox) -> Iterator[Inbox]:
    """Receives the webhooks of all three accounts."""
    with open_inbox() as inbox:
        for code in ("prompt", "deliberate", "moody"):
            sandbox.control(code).settings(webhook_url=inbox.url)
        yield inbox
        for code in ("prompt", "deliberate", "moody"):
            sandbox.control(code).settings(webhook_url="")


@pytest.fixture(scope="session")
def fhir_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FhirProcess]:
    """One FHIR server for the whole run."""
    server = start_fhir_server(tmp_path_factory.mktemp("fhir"))
    yield server
    server.kill()
