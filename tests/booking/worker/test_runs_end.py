"""A job that always finds more to do ends its run in time, and says that it did: it does not stand still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from booking.hold.expire import expire_holds
from booking.hold.take import HOLD
from booking.messages.deliver import AT_ONCE, deliver_due
from booking.notices.notify import notify
from booking.waiting import offers
from booking.waiting.offers import offer_freed, settle_offers
from marketplace.core import one_by_one
from marketplace.core.database.db import transaction
from tests.people import NOON
from tests.waiting import fill, give_up, wait
from tests.world import join, make_world

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is done takes longer than a run may."""
    ticks = iter(range(0, 1_000_000, 60))

    class Clock:
        monotonic = staticmethod(lambda: float(next(ticks)))

    monkeypatch.setattr(one_by_one, "time", Clock)


def rounds(run: Callable[[], Any]) -> int:
    """How many runs find something to do."""
    done = 0
    while any(dict(run()).values()):
        done += 1
        assert done < 100
    return done


@pytest.mark.usefixtures("slow")
def test_holds() -> None:
    world = make_world(quantity=2)
    for slot in range(2):
        world.hold(slot)
    assert [expire_holds(now=NOON + HOLD) for _ in range(3)] == [1, 1, 0]


@pytest.mark.usefixtures("slow")
def test_places_that_are_offered_and_offers_that_are_settled() -> None:
    world = make_world(slots=2, capacity=1, quantity=1)
    holders = fill(world)
    others = [join(world.provider, world.offer, world.slots, phone=f"1380006{number:04}") for number in range(2)]
    for other in others:
        wait(other)
    for holder in holders:
        give_up(holder)
    assert rounds(lambda: offer_freed(now=NOON)) == 2
    assert rounds(lambda: {"ended": expire_holds(now=NOON + offers.HOLD)}) == 2
    assert rounds(lambda: settle_offers(now=NOON + offers.HOLD)) == 2


def test_messages() -> None:
    world = make_world()
    with transaction() as session:
        for number in range(AT_ONCE + 1):
            notify(session, world.customer.id, "waitlist_ended", f"wait:{number}", now=NOON)
    assert [deliver_due(lambda _post: None, lambda: NOON, seconds=-1) for _ in range(3)] == [
        {"sent": AT_ONCE}, {"sent": 1}, {},
    ]  # fmt: skip
