"""Choosing again: the new place is held before the earlier hold is given up."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date

import pytest

from booking import refusals
from booking.hold.pick import pick
from tests.people import NOON
from tests.world import World, booking_row, join, make_offer, make_world, taken
from vip.customers.family import NewMember, add_member
from vip.entitlements.ledger import EntitlementExhausted

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]


def choose(world: World, slot: int = 0, *, key: str = "", **changes: str) -> str:
    request = world.request(slot, **changes)
    return pick(world.principal, request, key=key or str(uuid.uuid4()), fingerprint=b"f", now=NOON).public_id


def places(world: World) -> list[int]:
    return [taken(slot) for slot in world.slots]


def test_another_time_takes_the_place_of_the_one_held_before() -> None:
    world = make_world(quantity=2)
    first = choose(world, 0)
    second = choose(world, 1)
    assert (booking_row(first).state, booking_row(second).state, places(world)) == ("cancelled", "held", [0, 1, 0])


def test_with_the_last_unit_the_earlier_hold_goes_first() -> None:
    world = make_world(quantity=1)
    choose(world, 0)
    choose(world, 1)
    assert places(world) == [0, 1, 0]


def test_a_place_that_is_taken_leaves_the_earlier_hold() -> None:
    world = make_world(capacity=1, quantity=2)
    join(world.provider, world.offer, world.slots, phone="13800000022").hold(1)
    first = choose(world, 0)
    with pytest.raises(refusals.SlotFull):
        choose(world, 1)
    assert booking_row(first).state == "held"


def test_without_a_unit_and_without_a_hold_there_is_nothing_to_give_up() -> None:
    world = make_world(quantity=1)
    world.submit(0)
    with pytest.raises(EntitlementExhausted):
        choose(world, 1)
    assert places(world) == [1, 0, 0]


def test_the_same_choice_twice_is_one_and_a_new_one_once_it_was_given_back() -> None:
    world = make_world(quantity=2)
    first = choose(world, 0, key="same")
    assert choose(world, 0, key="same") == first
    assert (booking_row(first).state, places(world)) == ("held", [1, 0, 0])
    choose(world, 1)
    again = choose(world, 0, key="same")
    assert again != first
    assert (booking_row(again).state, places(world)) == ("held", [1, 0, 0])


def test_what_was_submitted_or_is_for_somebody_or_something_else_stands() -> None:
    world = make_world(quantity=9)
    mother = add_member(world.principal, NewMember("other", "沈母", "female", date(1960, 1, 1)), NOON)
    _, other_offer, other_slots = make_offer(slots=1)
    submitted = world.submit(0)
    hers = choose(world, 1, beneficiary=mother.public_id)
    elsewhere = join(world.provider, world.offer, world.slots, phone="13800000022").hold(1)
    other = choose(world, 2)
    choose(replace(world, offer=other_offer, slots=other_slots), beneficiary=mother.public_id)
    states = [booking_row(each).state.value for each in (submitted, hers, elsewhere, other)]
    assert states == ["awaiting_provider", "held", "held", "held"]
