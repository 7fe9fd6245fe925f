"""A real worker tells a real receiver of a booking, from the hold on to what the provider says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from booking.webhooks import endpoints, events
from marketplace.core import clock
from tests.booking.webhooks.hooks import BY
from tests.booking.webhooks.receiver import listening
from tests.conftest import TestDatabase
from tests.sandboxes import eventually
from tests.stage import Stage, set_stage

pytestmark = pytest.mark.one_postgres


@pytest.fixture
def stage(
    other_database: Callable[[str], TestDatabase], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    """A provider that confirms at once."""
    with set_stage(other_database("stage"), tmp_path, monkeypatch) as made:
        yield made


def test_a_worker_sends_what_happened_in_the_order_in_which_it_did(stage: Stage) -> None:
    principal, beneficiary, _ = stage.customer(1)
    with listening() as receiver:
        made = endpoints.add(stage.provider.id, receiver.url, events.TYPES, by=BY, now=clock.now())
        stage.worker()
        slot = eventually(stage.slots, 60)[0]
        booking = stage.submit(principal, beneficiary, slot)
        eventually(lambda: len(receiver.received) >= 2, 60)
        assert made.secret is not None
        told = [Webhook(made.secret).verify(it.body, it.headers) for it in receiver.received]
        assert [it["type"] for it in told[:2]] == ["booking.requested", "booking.confirmed"]
        assert {it["data"]["booking"]["id"] for it in told} == {booking}
