"""The feed of a provider's events: nothing is lost, nothing comes twice, nobody waits."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import Connection, select, text

from booking.answering import events
from booking.answering.event_cursor import LONGEST, EventCursor, decode, encode
from booking.answering.shown import booking
from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from booking.models import Booking
from booking.states import BookingState
from booking.transition import touch
from marketplace.core.database.db import engine, reading, transaction
from marketplace.core.errors import Invalid, NotFound
from tests.people import NOON
from tests.providers.partner_api.answering import answering_world, code, requested, say, work
from tests.providers.partner_api.partner import partner_of
from tests.world import World, booking_row, go, join

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


@pytest.fixture
def world() -> World:
    """An offer of a provider that answers here, and a customer."""
    return answering_world()


@contextmanager
def writing(public_id: str, version: int) -> Iterator[Connection]:
    """A transaction that has written a line of the booking's history and is still open."""
    with engine().connect() as connection:
        write(connection, public_id, version)
        yield connection


def write(connection: Connection, public_id: str, version: int) -> None:
    connection.execute(
        text(
            "INSERT INTO booking_history (booking_id, version, at, from_state, to_state, actor_kind, actor, cause)"
            " SELECT id, :version, :at, 'confirmed', 'confirmed', 'system', '', 'test' FROM booking"
            " WHERE public_id = :booking"
        ),
        {"booking": public_id, "version": version, "at": NOON},
    )


def note_something(public_id: str) -> None:
    """Raise a booking's version without a line of history, as noting a provider's silence does."""
    with transaction() as session:
        touch(session.scalars(select(Booking).where(Booking.public_id == public_id)).one(), now=NOON)


def read(world: World, cursor: str | None, limit: int = 50) -> tuple[list[int], str]:
    """The versions on one page, and where it goes on."""
    page = events.events(world.provider.id, cursor=cursor, limit=limit)
    return [each.booking.version for each in page.items], page.next


def test_a_bookings_life_is_told_with_the_booking_as_it_was_each_time(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    reschedule(world.principal, public_id, world.slots[1].public_id, now=NOON)
    say(partner, public_id, "change/accept")
    work(world)
    cancel(world.principal, public_id, now=NOON)
    work(world)
    found = partner.get("/events").get_json()
    kinds = ["requested", "confirmed", "change_asked", "moved", "cancel_asked", "cancelled"]
    assert [each["kind"] for each in found["items"]] == [f"booking.{kind}" for kind in kinds]
    by = ["customer", "provider", "customer", "provider", "customer", "customer"]
    assert [each["by"] for each in found["items"]] == by
    old, new = world.slots[0].external_ref, world.slots[1].external_ref
    assert [each["booking"]["slot"] for each in found["items"]] == [old, old, old, new, new, new]
    statuses = [each["booking"]["status"] for each in found["items"]]
    assert statuses == ["requested", *["confirmed"] * 4, "cancelled"]
    asked, moved = found["items"][2:4]
    assert asked["wanted"]["starts_at"] == moved["booking"]["starts_at"]
    assert moved["before"]["starts_at"] != moved["booking"]["starts_at"]
    assert moved["before"]["starts_at"] == found["items"][0]["booking"]["starts_at"]
    versions = [each["booking"]["version"] for each in found["items"]]
    assert versions == sorted(versions)
    assert versions[-1] == booking_row(public_id).version
    assert len({each["id"] for each in found["items"]}) == 6
    assert world.beneficiary.name not in partner.get("/events").text
    assert found["more"] is False
    assert partner.get(f"/events?cursor={found['next']}").get_json()["items"] == []


def test_the_newest_event_says_what_is_open_also_where_the_booking_was_noted_upon_since(
    app: Flask, world: World
) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    note_something(public_id)
    assert partner.get("/events").get_json()["items"][-1]["booking"]["answer_due_at"] is not None
    say(partner, public_id, "confirm")
    reschedule(world.principal, public_id, world.slots[1].public_id, now=NOON)
    first = partner.get("/events").get_json()["items"]
    note_something(public_id)
    again = partner.get("/events").get_json()["items"]
    assert again == first
    assert [each["booking"]["change"] is None for each in again] == [True] * (len(again) - 1) + [False]
    with reading() as session:
        alone = events.event(session, world.provider.id, again[-1]["id"])
    assert alone is not None
    assert alone.booking.change is not None


def test_a_cancel_that_is_asked_for_stays_in_the_newest_event_until_it_is_done(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    cancel(world.principal, public_id, now=NOON)
    note_something(public_id)
    newest = partner.get("/events").get_json()["items"][-1]
    assert (newest["kind"], newest["booking"]["cancel_asked"]) == ("booking.cancel_asked", True)


def test_a_hold_is_no_event_and_not_in_the_index(world: World) -> None:
    held, other = world.hold(), join(world.provider, world.offer, world.slots, phone="13800000033").hold(1)
    cancel(world.principal, held, now=NOON)
    assert read(world, None)[0] == []
    with engine().connect() as connection:
        known = connection.execute(text("SELECT count(*), count(provider_id) FROM booking_history")).one()
    assert tuple(known) == (3, 0), other


@pytest.mark.parametrize("ended", [BookingState.EXPIRED, BookingState.CANCELLED])
def test_a_hold_that_ended_and_is_corrected_later_is_still_no_event(world: World, ended: BookingState) -> None:
    held = world.hold()
    go(held, ended, actor="customer")
    go(held, BookingState.ENTERED_IN_ERROR, actor="operator")
    assert read(world, None)[0] == []
    with pytest.raises(NotFound):
        booking(world.provider.id, held)


def test_what_was_submitted_and_is_corrected_later_is_an_event(world: World) -> None:
    public_id = requested(world)
    go(public_id, BookingState.CANCELLED, actor="customer")
    go(public_id, BookingState.ENTERED_IN_ERROR, actor="operator")
    assert read(world, None)[0] == [2, 3, 4]
    assert booking(world.provider.id, public_id).version == 4


def test_two_events_that_commit_in_reverse_order_while_a_reader_polls_both_arrive_once(world: World) -> None:
    public_id = requested(world)
    _, cursor = read(world, None)
    with writing(public_id, 11) as first, writing(public_id, 12) as second:
        second.commit()
        seen, cursor = read(world, cursor)
        assert seen == [12]
        assert read(world, cursor)[0] == []
        first.commit()
        late, cursor = read(world, cursor)
    assert (late, read(world, cursor)[0]) == ([11], [])


def test_a_cursor_by_id_would_lose_the_one_that_commits_late(world: World) -> None:
    """The control for the test above."""
    public_id = requested(world)

    def after(last: int) -> list[tuple[int, int]]:
        with engine().connect() as connection:
            query = "SELECT id, version FROM booking_history WHERE provider_id = :p AND id > :last ORDER BY id"
            rows = connection.execute(text(query), {"p": world.provider.id, "last": last})
            return [(row.id, row.version) for row in rows]

    last = after(0)[-1][0]
    with writing(public_id, 11) as first, writing(public_id, 12) as second:
        second.commit()
        [(last, version)] = after(last)
        assert version == 12
        first.commit()
    assert after(last) == [], "version 11 is never read"


def test_a_long_transaction_elsewhere_delays_nobodys_events(world: World) -> None:
    public_id = requested(world)
    other = answering_world(phone="13800000022")
    with writing(requested(other), 11) as long:
        _, cursor = read(world, None)
        for version in range(20, 30):
            with writing(public_id, version) as short:
                short.commit()
            seen, cursor = read(world, cursor)
            assert seen == [version], "at once, though an older transaction is open"
        assert len(cursor) < 300
        long.commit()
    assert read(world, cursor)[0] == []
    assert 11 in read(other, None)[0]


def test_the_same_cursor_gives_the_same_events_again_and_those_that_came_since(world: World) -> None:
    public_id = requested(world)
    _, cursor = read(world, None)
    with writing(public_id, 11) as one:
        one.commit()
    seen, following = read(world, cursor)
    assert (seen, read(world, cursor)[0], read(world, following)[0]) == ([11], [11], [])
    with writing(public_id, 12) as one:
        one.commit()
    assert (read(world, cursor)[0], read(world, following)[0]) == ([11, 12], [12])


def test_a_thousand_events_by_pages_of_seven_while_writers_commit_come_once_each(world: World) -> None:
    public_id = requested(world)
    _, cursor = read(world, None)
    chance = random.Random(7)
    versions = list(range(100, 1100))
    chance.shuffle(versions)

    def write_all(mine: list[int]) -> None:
        with engine().connect() as connection:
            while mine:
                for version in mine[:3]:  # several lines a transaction, ids given in any order
                    write(connection, public_id, version)
                del mine[:3]
                connection.commit()

    seen: Counter[int] = Counter()
    with ThreadPoolExecutor(4) as threads:
        writers = [threads.submit(write_all, versions[part::4]) for part in range(4)]
        while not all(each.done() for each in writers):
            found, cursor = read(world, cursor, 7)
            assert len(found) <= 7
            seen.update(found)
        for each in writers:
            each.result()
    while True:
        found, cursor = read(world, cursor, 7)
        if not found:
            break
        seen.update(found)
    assert seen == Counter(range(100, 1100))


def test_another_providers_events_are_on_no_page_and_its_cursor_is_refused(app: Flask, world: World) -> None:
    requested(world)
    other = answering_world(phone="13800000022")
    theirs = requested(other)
    mine = partner_of(app, world.provider)
    page = mine.get("/events").get_json()
    assert [each["booking"]["id"] == theirs for each in page["items"]] == [False]
    foreign = partner_of(app, other.provider).get("/events").get_json()["next"]
    for cursor in (foreign, "x", "AAAA", page["next"][:-3], page["next"][:-1] + "-", "%00", "a" * (LONGEST + 1)):
        answer = mine.get(f"/events?cursor={cursor}")
        assert code(answer) == (422, "invalid"), cursor
    for limit in ("0", "101", "x"):
        assert mine.get(f"/events?limit={limit}").status_code == 422
    assert partner_of(app, world.provider, "slots").get("/events").status_code == 403


def test_a_cursor_stays_short_with_as_many_transactions_as_a_server_may_have(world: World) -> None:
    def busy(low: int) -> str:
        return f"{low}:{low + 4000}:{','.join(str(low + 8 * each) for each in range(500))}"

    cursor = EventCursor(busy(10**12), busy(10**12 + 999), (10**12 + 7, 10**9))
    text_of_it = encode(cursor, world.provider.id)
    assert decode(text_of_it, world.provider.id) == cursor
    assert len(text_of_it) < 4000
    with pytest.raises(Invalid):
        decode(text_of_it, world.provider.id + 1)
