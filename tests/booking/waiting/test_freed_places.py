"""Whose turn it is when a place is freed, and what becomes of a place that was offered."""

from __future__ import annotations

from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import text, update

from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from booking.hold.submit import submit
from booking.refusals import SlotFull
from booking.states import BookingState
from booking.waiting.offers import HOLD, review
from booking.worker.jobs.every import all_jobs
from booking.worker.lanes import Lanes
from marketplace.core import clock
from marketplace.core.database.db import transaction
from tests.booking.waiting.lines import elsewhere, other
from tests.people import NOON, counters, give
from tests.waiting import (
    before_the_worker,
    entry,
    fill,
    give_up,
    grow_old,
    notices,
    offered,
    offers_made,
    on,
    serve,
    sweep,
    wait,
)
from tests.world import EIGHT, World, go, make_slot, make_world, taken
from vip.models import Customer

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


def test_a_freed_place_is_held_for_half_an_hour_and_offered(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world)
    assert counters(world.entitlement.id)["reserved"] == 0
    assert serve() == {}
    give_up(holder)
    assert serve() == {"held": 1, "slots": 1}
    kept = offered(waits)
    assert (kept.state, kept.hold_expires_at) == ("held", NOON + HOLD)
    assert (entry(waits).state, notices(world)) == ("offered", ["waitlist_offer"])
    assert (taken(world.slots[0]), counters(world.entitlement.id)["reserved"]) == (1, 1)
    assert before_the_worker() == 0


def test_the_offered_place_is_booked_by_the_ordinary_confirmation(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world)
    give_up(holder)
    serve()
    submit(world.principal, offered(waits).public_id, now=NOON)
    assert serve() == {}
    assert entry(waits).state == "offered"
    go(offered(waits).public_id, BookingState.CONFIRMED)
    assert serve() == {"booked": 1}
    assert entry(waits).state == "booked"


def test_while_it_is_offered_nobody_else_can_take_it(world: World, holder: tuple[World, str]) -> None:
    wait(world)
    give_up(holder)
    serve()
    with pytest.raises(SlotFull):
        other(world, 1).hold()


def test_a_place_just_freed_is_kept_for_those_who_wait(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world)
    give_up(holder)
    assert taken(world.slots[0]) == 0
    with pytest.raises(SlotFull):
        other(world, 1).hold()
    serve()
    assert entry(waits).state == "offered"


def test_without_a_worker_it_is_kept_for_seconds_only(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world)
    give_up(holder)
    grow_old()
    other(world, 1).hold()
    serve()
    assert entry(waits).state == "waiting"


def test_nor_can_a_booking_be_moved_to_it() -> None:
    world = make_world(slots=2, capacity=1, quantity=1)
    [holder] = fill(world, 0)
    wait(other(world, 1), until_hour=9)
    booked = world.submit(1)
    go(booked, BookingState.CONFIRMED)
    give_up(holder)
    with pytest.raises(SlotFull):
        reschedule(world.principal, booked, world.slots[0].public_id, now=NOON)


def test_nobody_is_kept_waiting_for_a_place_that_nobody_wants(world: World, holder: tuple[World, str]) -> None:
    wait(world, first_day=on(11), last_day=on(12))
    give_up(holder)
    assert before_the_worker() == 0
    other(world, 1).hold()


def test_the_first_who_began_to_wait_is_the_first_who_is_asked(world: World, holder: tuple[World, str]) -> None:
    rivals = [other(world, number) for number in range(3)]
    entries = [wait(rival) for rival in rivals]
    give_up(holder)
    serve()
    assert [entry(each).state for each in entries] == ["offered", "waiting", "waiting"]


def test_what_lapses_or_is_declined_goes_to_the_next(world: World, holder: tuple[World, str]) -> None:
    rivals = [other(world, number) for number in range(3)]
    entries = [wait(rival) for rival in rivals]
    give_up(holder)
    serve()
    sweep(NOON + HOLD)
    assert [entry(each).state for each in entries] == ["waiting", "offered", "waiting"]
    cancel(rivals[1].principal, offered(entries[1]).public_id, now=NOON + HOLD)
    serve(NOON + HOLD)
    assert [entry(each).state for each in entries] == ["waiting", "waiting", "offered"]
    assert [offers_made(each)[-1].outcome for each in entries] == ["lapsed", "declined", "open"]
    assert [entry(each).lapses for each in entries] == [1, 0, 0]


def test_what_nobody_wants_is_free_for_all_again(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world)
    give_up(holder)
    serve()
    sweep(NOON + HOLD)
    later = NOON + HOLD
    assert (entry(waits).state, taken(world.slots[0]), before_the_worker()) == ("waiting", 0, 0)
    assert len(offers_made(waits)) == 1
    other(world, 1).hold(now=later)


def test_two_lapses_end_the_entry_with_notice() -> None:
    world = make_world(slots=2, capacity=1)
    waits = wait(world)
    serve()
    sweep(NOON + HOLD)
    assert (entry(waits).state, entry(waits).lapses) == ("offered", 1)
    sweep(NOON + 2 * HOLD)
    assert (entry(waits).state, entry(waits).cause) == ("ended", "lapsed")
    assert notices(world) == ["waitlist_offer", "waitlist_offer", "waitlist_ended"]


def test_a_hospital_that_refuses_puts_her_back_in_her_place(world: World, holder: tuple[World, str]) -> None:
    first, second = other(world, 1), other(world, 2)
    entries = [wait(first), wait(second)]
    give_up(holder)
    serve()
    submit(first.principal, offered(entries[0]).public_id, now=NOON)
    go(offered(entries[0]).public_id, BookingState.REJECTED)
    assert serve()["refused"] == 1
    assert (entry(entries[0]).state, entry(entries[0]).lapses) == ("waiting", 0)


def test_a_place_that_is_free_already_is_offered_at_once() -> None:
    world = make_world(slots=1)
    waits = wait(world)
    serve()
    assert entry(waits).state == "offered"


def test_a_new_slot_and_a_larger_one_are_offered(world: World, holder: tuple[World, str]) -> None:
    first, second = other(world, 1), other(world, 2)
    entries = [wait(first), wait(second, last_day=on(11))]
    with transaction() as session:
        session.execute(text("UPDATE slot SET offered = 2, capacity = 2 WHERE id = :id"), {"id": world.slots[0].id})
    assert serve()["held"] == 1
    with transaction() as session:
        session.add(make_slot(world.offer.pool_id, EIGHT + timedelta(days=1), 1))
    assert serve()["held"] == 1
    assert [entry(each).state for each in entries] == ["offered", "offered"]


def test_a_whole_day_without_times_can_be_waited_for() -> None:
    world = make_world(slots=1, capacity=1)
    with transaction() as session:
        session.execute(text("UPDATE slot SET starts_at = NULL, ends_at = NULL"))
    holder = other(world, 1)
    world.slots[0].starts_at = None
    held = (holder, holder.submit())
    waits = wait(world, from_hour=13)
    give_up(held)
    assert serve()["held"] == 1
    assert offered(waits).starts_at is None


def test_the_worker_serves_the_line_every_second(world: World, holder: tuple[World, str]) -> None:
    jobs = {job.name: job for job in all_jobs(Lanes(), Event())}
    waits = wait(world)
    give_up(holder)
    with clock.frozen(NOON):
        assert (jobs["waiting"].every, jobs["waiting"].work()) == (1, {"held": 1, "slots": 1})
        assert jobs["waiting-review"].work() == {"free": 0}
    assert entry(waits).state == "offered"


def test_whoever_is_elsewhere_at_that_time_is_passed_over_and_keeps_her_position(
    world: World, holder: tuple[World, str]
) -> None:
    first, second = other(world, 1), other(world, 2)
    give(first.customer, 1)
    elsewhere(first).hold(now=NOON - timedelta(minutes=1))
    entries = [wait(first), wait(second)]
    give_up(holder)
    serve()
    assert [entry(each).state for each in entries] == ["waiting", "offered"]


def test_without_a_unit_left_she_is_passed_over(world: World, holder: tuple[World, str]) -> None:
    first, second = other(world, 1), other(world, 2)
    entries = [wait(first), wait(second)]
    elsewhere(first, EIGHT + timedelta(days=5)).hold()
    give_up(holder)
    serve()
    assert [entry(each).state for each in entries] == ["waiting", "offered"]


def test_a_blocked_customer_is_passed_over(world: World, holder: tuple[World, str]) -> None:
    first, second = other(world, 1), other(world, 2)
    entries = [wait(first), wait(second)]
    with transaction() as session:
        session.execute(update(Customer).where(Customer.id == first.customer.id).values(blocked_at=NOON))
    give_up(holder)
    serve()
    assert [entry(each).state for each in entries] == ["waiting", "offered"]


def test_a_place_that_frees_while_another_was_offered_is_seen_afterwards() -> None:
    world = make_world(slots=2, capacity=1)
    holders = fill(world)
    waits = wait(world)
    give_up(holders[0])
    serve()
    give_up(holders[1])
    assert serve() == {}
    cancel(world.principal, offered(waits).public_id, now=NOON)
    serve()
    assert (entry(waits).state, len(offers_made(waits))) == ("offered", 2)


def test_what_stood_in_the_way_is_found_gone_by_the_review(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world)
    with transaction() as session:
        session.execute(update(Customer).where(Customer.id == world.customer.id).values(blocked_at=NOON))
    give_up(holder)
    serve()
    assert entry(waits).state == "waiting"
    with transaction() as session:
        session.execute(update(Customer).where(Customer.id == world.customer.id).values(blocked_at=None))
    assert review(now=NOON)["free"] == 1
    serve()
    assert entry(waits).state == "offered"
