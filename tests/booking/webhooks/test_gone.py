"""An endpoint that goes between the claim of a delivery and its sending."""

from __future__ import annotations

from booking.webhooks import endpoints, send
from tests.booking.webhooks.hooks import BY, booked, claim, rows
from tests.booking.webhooks.receiver import Receiver
from tests.people import NOON
from tests.world import World


def test_nothing_is_sent_to_an_endpoint_that_was_deleted_meanwhile_least_of_all_unsigned(
    world: World, receiver: Receiver
) -> None:
    endpoint = booked(world, receiver.url)
    claimed = claim()
    endpoints.delete(world.provider.id, endpoint.id, by=BY, now=NOON)
    assert [send.send(each, lambda: NOON, lambda: 0.0) for each in claimed] == ["dropped"] * len(claimed)
    assert receiver.received == []
    assert {row.state for row in rows() if row.id in {each.id for each in claimed}} == {"dropped"}
