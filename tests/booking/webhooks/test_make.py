"""Events made into deliveries: each of them, once, whatever order they become visible in."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from sqlalchemy import Engine, text

from booking.changes.cancel import cancel
from booking.webhooks import endpoints, events, health, make
from booking.webhooks.make import make_deliveries
from booking.webhooks.models import WebhookDelivery
from tests.booking.webhooks.hooks import BY, add, claim, rows, write_line
from tests.people import NOON
from tests.world import World

URL = "https://hooks.example/"


def test_an_event_that_becomes_visible_after_a_later_one_arrives_too_and_each_once(world: World, db: Engine) -> None:
    add(world, URL)
    booking = world.submit(0)
    make_deliveries(now=NOON)
    with db.connect() as slow:
        write_line(slow, booking, 9)
        world.submit(1)
        for _ in range(3):
            make_deliveries(now=NOON)
        assert len(rows()) == 2, "the long transaction holds nothing up"
        slow.commit()
    for _ in range(3):
        make_deliveries(now=NOON)
    assert sorted(row.version for row in rows()) == [2, 2, 9]
    assert len({row.event_id for row in rows()}) == 3


def test_what_was_read_is_not_read_again(world: World) -> None:
    add(world, URL)
    world.submit()
    assert [make_deliveries(now=NOON)["made"] for _ in range(3)] == [1, 0, 0]


def test_many_events_are_made_in_parts(world: World, db: Engine) -> None:
    add(world, URL, "booking.confirmed")
    booking = world.submit()
    with db.begin() as connection:
        for version in range(3, 3 + 2 * make.AT_ONCE):
            write_line(connection, booking, version)
    make_deliveries(now=NOON)
    make_deliveries(now=NOON)
    assert len(rows()) == 2 * make.AT_ONCE


def test_two_leaders_at_once_make_each_delivery_once(world: World) -> None:
    add(world, URL)
    world.submit()
    both = [threading.Thread(target=make_deliveries, kwargs={"now": NOON}) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    assert len(rows()) == 1


def test_an_endpoint_that_breaks_stops_no_other(world: World, db: Engine) -> None:
    broken, well = add(world, URL), add(world, URL)
    with db.begin() as connection:
        connection.execute(
            text("UPDATE webhook_endpoint SET cursor = 'rubbish' WHERE public_id = :id"), {"id": broken.id}
        )
    world.submit()
    assert make_deliveries(now=NOON) == {"made": 1, "broken": 1}
    assert endpoints.one(world.provider.id, well.id).state == "active"
    endpoints.delete(world.provider.id, broken.id, by=BY, now=NOON)
    assert make_deliveries(now=NOON) == {"made": 0}
    assert set(events.TYPES) >= {row.event_type for row in rows()}


def test_a_provider_is_not_told_of_what_was_not_asked_for(world: World) -> None:
    add(world, URL)
    withdrawn = world.hold(0)
    cancel(world.principal, withdrawn, now=NOON)
    world.hold(1)
    asked = world.submit(2)
    make_deliveries(now=NOON)
    assert [(row.booking, row.event_type) for row in rows()] == [(asked, "booking.requested")]


@pytest.mark.parametrize("counted", [[], ["", 0, None]])  # as cursors were stored before, which is no recovery
def test_a_part_in_which_nothing_is_left_does_not_hold_up_what_follows(
    world: World, db: Engine, counted: list[object]
) -> None:
    add(world, URL)
    with db.begin() as connection:
        seen = connection.execute(text("SELECT CAST(pg_current_snapshot() AS text)")).scalar_one()
        part = json.dumps([seen, seen, -1, -1, *counted])
        connection.execute(text("UPDATE webhook_endpoint SET cursor = :part"), {"part": part})
    world.submit()
    assert [make_deliveries(now=NOON)["made"] for _ in range(2)] == [0, 1]
    assert health.recovered(now=NOON) == {}


def test_no_sender_sees_a_part_of_a_span(world: World, db: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "AT_ONCE", 1)
    add(world, URL)
    booking, other = world.submit(0), world.submit(1)
    with db.connect() as slow, db.begin() as quick:
        write_line(slow, other, 3)  # takes its number first, so that its lines are read first
        write_line(quick, booking, 3)
        quick.commit()
        write_line(slow, booking, 4)
        slow.commit()
    there: list[int] = []
    since = events.events_since

    def watched(*arguments: Any) -> Any:
        with db.connect() as sender:
            there.append(sender.execute(text("SELECT count(*) FROM webhook_delivery")).scalar_one())
        return since(*arguments)

    monkeypatch.setattr(events, "events_since", watched)
    assert make_deliveries(now=NOON)["made"] == 5
    assert there == [0] * 5
    versions = [row.version for row in rows() if row.booking == booking]
    assert versions == [2, 4, 3], "read in another order than that of the versions"
    assert [one.version for one in claimed_of(booking)] == [2]


def claimed_of(booking: str) -> list[WebhookDelivery]:
    """What a sender may take of a booking's deliveries."""
    taken = {one.id for one in claim()}
    return [row for row in rows() if row.id in taken and row.booking == booking]


def test_a_page_in_which_nothing_is_wanted_stops_nothing(
    world: World, db: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make, "AT_ONCE", 2)
    add(world, URL, "booking.requested")
    booking = world.submit(0)
    with db.begin() as connection:
        for version in range(3, 9):
            write_line(connection, booking, version)
    world.submit(1)
    assert make_deliveries(now=NOON)["made"] == 2


def test_a_long_span_is_made_in_several_transactions(world: World, db: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "AT_ONCE", 2)
    monkeypatch.setattr(make, "MOST_PAGES", 2)
    add(world, URL)
    booking = world.submit(0)
    with db.begin() as connection:
        for version in range(3, 12):
            write_line(connection, booking, version)
    assert make_deliveries(now=NOON)["made"] == 10
    assert [row.version for row in rows()] == list(range(2, 12))
