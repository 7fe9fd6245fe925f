"""Rivals in the waiting list, on real threads and a real PostgreSQL, with the controls that show each race."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from booking.refusals import SlotFull
from booking.waiting import join as waiting
from booking.waiting import offers
from booking.waiting.models import MOST_OPEN
from marketplace.core.config import settings
from marketplace.core.database import db as database
from marketplace.core.errors import Refusal
from tests.concurrency import controls
from tests.conftest import TestDatabase
from tests.people import NOON, counters
from tests.waiting import criteria, entry, fill, give_up, grow_old, offers_made, serve, sweep, wait
from tests.world import World, join, make_world, taken


def line_of(world: World, length: int) -> tuple[list[World], list[str]]:
    """So many customers who wait for the world's slots, in order."""
    people = [join(world.provider, world.offer, world.slots, phone=f"1380088{number:04}") for number in range(length)]
    return people, [wait(each) for each in people]


def states(entries: list[str]) -> list[str]:
    return [entry(each).state for each in entries]


def full_world(capacity: int = 1) -> tuple[World, list[tuple[World, str]]]:
    world = make_world(slots=1, capacity=capacity, quantity=1)
    return world, fill(world)


@pytest.mark.usefixtures("many_connections")
def test_twenty_wait_and_one_place_is_freed_while_four_workers_serve_and_ten_book() -> None:
    world, [holder] = full_world()
    people, entries = line_of(world, 20)
    rivals = [join(world.provider, world.offer, world.slots, phone=f"1380099{number:04}") for number in range(10)]
    works: list[Callable[[], Any]] = [lambda: give_up(holder)]
    works += [lambda: [serve() for _ in range(6)]] * 4
    works += [rival.hold for rival in rivals]
    results = controls.all_at_once(works)
    assert [each for each in results[:5] if isinstance(each, Exception)] == []
    assert all(isinstance(each, SlotFull) for each in results[5:])
    serve()
    assert states(entries) == ["offered"] + ["waiting"] * 19
    assert taken(world.slots[0]) == 1
    assert sum(counters(each.entitlement.id)["reserved"] or 0 for each in people) == 1


@pytest.mark.usefixtures("many_connections")
def test_five_places_freed_at_once_go_to_the_first_five_whatever_the_workers() -> None:
    world, holders = full_world(capacity=5)
    _, entries = line_of(world, 8)
    works: list[Callable[[], Any]] = [lambda each=each: give_up(each) for each in holders]  # type: ignore[misc]
    works += [lambda: [serve() for _ in range(6)]] * 3
    assert [each for each in controls.all_at_once(works) if isinstance(each, Exception)] == []
    for _ in range(2):
        offers.review(now=NOON)
        serve()
    assert states(entries) == ["offered"] * 5 + ["waiting"] * 3
    assert taken(world.slots[0]) == 5


@pytest.mark.usefixtures("many_connections")
def test_a_lapsed_place_goes_round_once_whatever_the_workers() -> None:
    world, [holder] = full_world()
    _, entries = line_of(world, 4)
    give_up(holder)
    for turn in range(4):
        now = NOON + turn * offers.HOLD
        works: list[Callable[[], Any]] = [lambda at=now: sweep(at)] * 4  # type: ignore[misc]
        assert [each for each in controls.all_at_once(works) if isinstance(each, Exception)] == []
        sweep(now)
        assert states(entries)[turn] == "offered"
    assert [[chance.outcome for chance in offers_made(each)] for each in entries] == [["lapsed"]] * 3 + [["open"]]
    assert [entry(each).lapses for each in entries] == [1, 1, 1, 0]


@pytest.mark.usefixtures("many_connections")
def test_a_place_freed_while_the_first_withdraws_is_never_lost() -> None:
    for number in range(6):
        world = make_world(slots=1, capacity=1, quantity=1, phone=f"138003{number:05}")
        [holder] = fill(world, first=10 * number)
        first = wait(world)
        second = wait(join(world.provider, world.offer, world.slots, phone=f"138004{number:05}"))
        results = controls.all_at_once(
            [
                lambda who=holder: give_up(who),  # type: ignore[misc]
                lambda me=world, mine=first: waiting.withdraw(me.principal, mine, now=NOON),  # type: ignore[misc]
                serve,
                serve,
            ]
        )
        assert [each for each in results if isinstance(each, Exception)] == []
        serve()
        assert states([first, second]) == ["withdrawn", "offered"]
        assert (taken(world.slots[0]), counters(world.entitlement.id)["reserved"]) == (1, 0)


@pytest.mark.usefixtures("many_connections")
def test_twenty_wishes_at_once_make_ten_entries_and_one_of_the_same() -> None:
    worlds = [make_world(slots=1, phone=f"1380005{number:04}") for number in range(20)]
    me = worlds[0]
    results = controls.all_at_once([joiner(me, each.offer.public_id) for each in worlds])
    assert tally(results) == {"Joined": MOST_OPEN, "waiting_list_full": 10}
    other = make_world(slots=1, phone="13800000055")
    results = controls.all_at_once([joiner(other, other.offer.public_id)] * 8)
    assert tally(results) == {"Joined": 1, "already_waiting": 7}


@pytest.mark.usefixtures("many_connections")
def test_one_key_at_once_is_one_entry() -> None:
    world = make_world(slots=1)
    results = controls.all_at_once([joiner(world, world.offer.public_id, key="once")] * 8)
    assert tally(results) == {"Joined": 8}
    assert len({each.public_id for each in results if isinstance(each, waiting.Joined)}) == 1


def joiner(world: World, offer: str, key: str = "") -> Callable[[], waiting.Joined]:
    def run() -> waiting.Joined:
        wanted = criteria(world, offers=[offer])
        return waiting.join(world.principal, wanted, key=key or str(uuid.uuid4()), fingerprint=b"w", now=NOON)

    return run


def tally(results: list[Any]) -> Counter[str]:
    return Counter(each.code if isinstance(each, Refusal) else type(each).__name__ for each in results)


# --- controls: the races are real -----------------------------------------------------------------------------------


@pytest.fixture
def scratch(other_database: Callable[[str], TestDatabase], monkeypatch: pytest.MonkeyPatch) -> Iterator[TestDatabase]:
    """A database of its own, whose constraints may be taken away."""
    made = other_database("waiting")
    monkeypatch.setenv("DATABASE_URL", made.database_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", made.owner_url)
    monkeypatch.setenv("DATABASE_POOL_SIZE", "24")
    database.forget_engines()
    settings.cache_clear()
    yield made
    database.forget_engines()
    monkeypatch.undo()
    settings.cache_clear()


def without_locks() -> None:
    """Take the locks on entries and customers out of what is sent from now on."""

    @event.listens_for(database.engine(), "before_cursor_execute", retval=True)
    def strip(_c: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> tuple[str, Any]:
        if "FROM waiting_entry" in statement or "FROM customer" in statement:
            statement = statement.replace("FOR NO KEY UPDATE", "").replace("FOR UPDATE", "")
        return statement, values


def drop_index(scratch: TestDatabase, name: str) -> None:
    with controls.owner(scratch.owner_url) as owner:
        owner.exec_driver_sql(f"DROP INDEX {name}")


def two_workers_give_two_slots(monkeypatch: pytest.MonkeyPatch) -> tuple[Counter[str], int]:
    """One entry, two free slots, two workers that both find her waiting before either has held anything."""
    world = make_world(slots=2, capacity=1, quantity=2)
    waits = wait(world)
    both = Barrier(2)
    monkeypatch.setattr(offers, "_booked_since", lambda _session, _entry: both.wait(timeout=20) < 0)
    without_locks()
    results = controls.all_at_once(
        [lambda slot=slot: offers._offer_slot(slot.id, NOON) for slot in world.slots]  # type: ignore[misc]
    )
    names = [str(database.violated(each)) if isinstance(each, DBAPIError) else "offered" for each in results]
    return Counter(names), len(offers_made(waits))


def test_control_without_the_lock_the_constraint_refuses_a_second_chance(
    scratch: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert two_workers_give_two_slots(monkeypatch) == ({"offered": 1, "uq_waiting_chance_open": 1}, 1)


def test_control_without_lock_and_constraint_one_entry_holds_two_places(
    scratch: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop_index(scratch, "uq_waiting_chance_open")
    assert two_workers_give_two_slots(monkeypatch) == ({"offered": 2}, 2)


def twelve_wishes_at_once(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """One customer's, for twelve offers; all have counted before any is written."""
    worlds = [make_world(slots=1, phone=f"1380005{number:04}") for number in range(12)]
    counted = Barrier(12)
    monkeypatch.setattr(waiting, "_refuse_twice", lambda *_: counted.wait(timeout=20))
    without_locks()
    return tally(controls.all_at_once([joiner(worlds[0], each.offer.public_id) for each in worlds]))


def test_control_without_the_lock_the_constraint_refuses_an_eleventh_entry(
    scratch: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert twelve_wishes_at_once(monkeypatch) == {"Joined": 1, "waiting_list_full": 11}


def test_control_without_lock_and_constraint_there_are_twelve(
    scratch: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop_index(scratch, "uq_waiting_entry_number")
    assert twelve_wishes_at_once(monkeypatch) == {"Joined": 12}


def test_control_without_the_keeping_a_passer_by_takes_the_freed_place(db: Engine) -> None:
    world, [holder] = full_world()
    _, [first] = line_of(world, 1)
    passer_by = join(world.provider, world.offer, world.slots, phone="13800990000")
    give_up(holder)
    grow_old()
    passer_by.hold()
    serve()
    assert entry(first).state == "waiting"
