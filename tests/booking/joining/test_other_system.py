"""Another system is read from its beginning: where the one before was read to says nothing of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from booking.actors import Actor
from booking.calls.join import System, write_system
from booking.feeds.cursors import OTHER_SYSTEM, cursor_of, done
from booking.feeds.models import SyncCursor
from booking.sync.slots import SIGHT
from marketplace.core.database.db import reading, transaction
from tests.booking.joining.proposed import provider
from tests.people import NOON
from tests.world import World

FEEDS = ("slots", "bookings", "reports", SIGHT)
BEFORE = NOON - timedelta(minutes=5)


def read_until(world: World, cursor: str, now: datetime) -> None:
    for feed in FEEDS:
        done(world.provider.id, feed, cursor, now=now)


def cursors(world: World) -> set[str | None]:
    with reading() as session:
        return {cursor_of(session, world.provider.id, feed) for feed in FEEDS}


def connected(world: World, **changes: Any) -> None:
    now_there = provider(world)
    values = {
        "adapter": now_there.adapter,
        "base_url": now_there.base_url,
        "settings": now_there.settings,
        "secret": "new",
    }
    with transaction() as session:
        system = System(**{**values, **changes})
        write_system(session, world.provider.id, system, Actor("operator", "test"), now=NOON)


@pytest.mark.parametrize("changes", [{"base_url": "https://other.example"}, {"adapter": "day_capacity"}])
def test_all_feeds_begin_anew_and_count_as_never_read(world: World, changes: dict[str, str]) -> None:
    read_until(world, "c1", BEFORE)
    connected(world, **changes)
    assert cursors(world) == {None}
    with reading() as session:
        rows = session.scalars(select(SyncCursor.last_success_at)).all()
    assert len(rows) == len(FEEDS) and set(rows) == {None}


def test_the_same_system_with_a_new_secret_goes_on(world: World) -> None:
    read_until(world, "c1", BEFORE)
    connected(world)
    assert cursors(world) == {"c1"}


def test_a_pull_of_the_system_before_that_ends_later_leaves_no_cursor(world: World) -> None:
    read_until(world, "c1", BEFORE)
    connected(world, base_url="https://other.example")
    read_until(world, "of the old one", BEFORE)
    read_until(world, "of the old one", NOON + OTHER_SYSTEM - timedelta(seconds=1))
    assert cursors(world) == {None}
    read_until(world, "of the new one", NOON + OTHER_SYSTEM)
    assert cursors(world) == {"of the new one"}
