"""The log of deliveries: what is forgotten, and what is sent once more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from booking.idempotency import Repeatable
from booking.webhooks import deliveries
from booking.webhooks.deliveries import KEPT, forget_deliveries, replay_span
from marketplace.core.errors import Invalid
from tests.booking.webhooks.hooks import booked, rows, send_all
from tests.booking.webhooks.receiver import Receiver
from tests.people import NOON
from tests.world import World

LONG_AFTER = NOON + KEPT + timedelta(days=1)


def test_a_delivery_that_waits_is_not_forgotten_however_long_its_endpoint_pauses(
    world: World, receiver: Receiver
) -> None:
    booked(world, receiver.url)
    assert forget_deliveries(now=LONG_AFTER) == 0
    assert [row.state for row in rows()] == ["queued", "queued"]
    send_all()
    assert forget_deliveries(now=LONG_AFTER) == 2


def test_a_span_of_more_than_a_day_is_not_replayed(world: World, receiver: Receiver) -> None:
    endpoint = booked(world, receiver.url)
    send_all()
    day = NOON + timedelta(days=1)
    with pytest.raises(Invalid) as refused:
        replay_span(
            world.provider.id, endpoint.id, NOON, day + timedelta(seconds=1), repeat=Repeatable("s", "a", b"a"), now=day
        )
    assert (refused.value.at, refused.value.facts) == ("until", {"reason": "range_too_long", "maximum": 1})
    assert {row.state for row in rows()} == {"done"}
    replay_span(world.provider.id, endpoint.id, NOON, day, repeat=Repeatable("s", "b", b"b"), now=day)
    assert {row.state for row in rows()} == {"queued"}


def test_a_span_is_replayed_in_batches(world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "BATCH", 1)
    endpoint = booked(world, receiver.url)
    send_all()
    day = NOON + timedelta(days=1)
    replay_span(world.provider.id, endpoint.id, NOON, day, repeat=Repeatable("s", "a", b"a"), now=day)
    assert [row.state for row in rows()] == ["queued", "queued"]
