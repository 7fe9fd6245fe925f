"""The API says of an offer, and of a booking that waits, that its provider answers slowly; else null."""

from __future__ import annotations

import pytest

from booking.offers.answers_slowly import SlowReason
from booking.states import BookingState
from tests.marketplace.api.caller import Caller
from tests.people import NOON
from tests.world import World, go, set_provider


def test_where_all_is_well_it_is_null(caller: Caller, world: World) -> None:
    made = world.submit(0)
    assert caller.get("/offers").get_json()["items"][0]["answers_slowly"] is None
    assert caller.get(f"/bookings/{made}").get_json()["answers_slowly"] is None


@pytest.mark.parametrize("reason", SlowReason)
def test_since_when_and_why(caller: Caller, world: World, reason: SlowReason) -> None:
    made = world.submit(0)
    set_provider(world.provider, answers_slowly_since=NOON, answers_slowly_reason=reason.value)
    told = {"since": NOON.isoformat(), "reason": reason.value}
    assert caller.get("/offers").get_json()["items"][0]["answers_slowly"] == told
    assert caller.get(f"/bookings/{made}").get_json()["answers_slowly"] == told
    go(made, BookingState.CONFIRMED)
    assert caller.get(f"/bookings/{made}").get_json()["answers_slowly"] is None
