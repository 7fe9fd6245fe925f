"""Customers read that a provider answers slowly today: before they choose a place, a time, and while they wait."""

from __future__ import annotations

import pytest

from booking.offers.answers_slowly import SlowReason
from booking.states import BookingState
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.world import World, go, set_provider

SHORT = "Answers slowly today"


def slow(world: World, reason: SlowReason = SlowReason.NOT_REACHED) -> None:
    set_provider(world.provider, answers_slowly_since=NOON, answers_slowly_reason=reason.value)


def paths(world: World) -> tuple[str, str]:
    return "/places?benefit=health_check&city=杭州市", f"/offers/{world.offer.public_id}/times"


def test_nothing_is_said_where_there_is_nothing_to_say(visitor: Visitor, world: World) -> None:
    made = world.submit(0)
    for path in (*paths(world), f"/bookings/{made}"):
        page = visitor.get(path)
        assert page.status_code == 200 and SHORT not in main(page)


@pytest.mark.parametrize("reason", SlowReason)
def test_it_is_said_with_its_reason_and_what_becomes_of_a_request(
    visitor: Visitor, world: World, reason: SlowReason
) -> None:
    made = world.submit(0)
    slow(world, reason)
    places, times = paths(world)
    assert SHORT in main(visitor.get(places))
    for path in (times, f"/bookings/{made}"):
        told = main(visitor.get(path))
        assert SHORT in told and "keeps its place" in told
    visitor.language = "zh"
    assert "今天回复较慢" in main(visitor.get(times))


def test_who_has_her_date_is_told_nothing(visitor: Visitor, world: World) -> None:
    made = world.submit(0)
    slow(world)
    go(made, BookingState.CONFIRMED)
    assert SHORT not in main(visitor.get(f"/bookings/{made}"))
