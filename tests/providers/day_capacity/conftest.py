"""A day-capacity server, started once; each test clears the faults it finds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from providers.adapters.day_capacity import DayCapacity
from providers.reported import RemoteSlot
from tests.providers.day_capacity.orders import days, days_used
from tests.sandboxes import Sandbox, account, start_day_sandbox


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One server for the whole run."""
    offers = ["BASIC", {"code": "WOMEN", "sex": "female"}]
    pools = [{"pool": f"ORG{number}", "offers": offers, "capacity": 5} for number in range(1, 4)]
    accounts = [account("prompt", "prompt"), account("deliberate", "deliberate"), account("other", "prompt")]
    sandbox = start_day_sandbox(tmp_path_factory.mktemp("days"), accounts, pools)
    yield sandbox
    sandbox.kill()


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    """The server without faults."""
    for code in ("prompt", "deliberate", "other"):
        running.control(code).clear_faults()
        running.control(code).settings(refuse_duplicates=False)
    return running


@pytest.fixture
def adapter(sandbox: Sandbox) -> DayCapacity:
    """Speaks to the account that confirms at once."""
    return DayCapacity(sandbox.connection())


@pytest.fixture
def day(adapter: DayCapacity) -> RemoteSlot:
    """A day that no other test uses, with five places."""
    return days(adapter)[next(days_used)]
