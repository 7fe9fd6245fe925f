"""Changes of date that meet: each other, a cancel, the provider's own word."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from threading import Barrier, Event
from time import monotonic, sleep

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking.changes import reschedule as rescheduling
from booking.changes.cancel import cancel
from booking.changes.reschedule import check_changeable, reschedule
from booking.discrepancies import Discrepancy
from booking.exchange.inbound import apply_remote
from booking.exchange.send import run_task
from booking.models import Booking, ProviderTask, Slot
from booking.states import BookingState
from marketplace.catalog.models import Offer
from marketplace.core.database.db import reading, transaction, violated
from providers.port import Answer, Confirmed, Refused
from providers.reported import RemoteBooking
from tests.concurrency import controls
from tests.people import NOON, counters
from tests.world import (
    EIGHT,
    FakeAdapter,
    World,
    booking_row,
    claim_all,
    connection_to,
    join,
    make_offer,
    make_world,
    one_pass,
    remote,
    set_provider,
    taken,
    tasks,
)
from vip.models import Entitlement

SOON = NOON + timedelta(seconds=1)


@pytest.mark.usefixtures("many_connections")
@pytest.mark.parametrize(("allotment", "rounds"), [(False, 4), (True, 2)])
def test_crossing_changes_deadlock_nobody_and_keep_capacity_exact(allotment: bool, rounds: int) -> None:
    """Fifty at once, time after time: where the provider is asked, and where both slots move at once."""
    provider, offer, slots = make_offer(slots=2, capacity=60, allotment=allotment)
    with transaction() as session:
        session.execute(update(Offer).values(max_changes=100))
    worlds = [join(provider, offer, slots, phone=f"1380055{number:04}", quantity=2) for number in range(50)]
    bookings: list[tuple[World, str]] = [(world, world.submit(number % 2)) for number, world in enumerate(worlds)]
    settle(worlds[0])
    for _ in range(rounds):
        results = controls.all_at_once([lambda w=world, b=public_id: cross(w, b) for world, public_id in bookings])  # type: ignore[misc]
        assert Counter(type(each).__name__ for each in results) == {"NoneType": 50}
        settle(worlds[0])
        assert sum(taken(slot) for slot in slots) == 50
    assert {booking_row(public_id).state.value for _, public_id in bookings} == {"confirmed"}


@pytest.mark.usefixtures("many_connections")
def test_two_changes_at_once_are_one_change() -> None:
    world, public_id = confirmed()
    results = controls.all_at_once([lambda n=n: ask(world, public_id, 1 + n % 2) for n in range(12)])  # type: ignore[misc]
    wanted = next(slot for slot in world.slots[1:] if taken(slot) == 1)
    told = Counter(type(each).__name__ for each in results)
    assert told == {"NoneType": 6, "NotChangeable": 6}  # asking again for what is asked for is no second change
    assert sum(taken(slot) for slot in world.slots) == 2
    pass_with(world, Confirmed("R-1", 2))
    assert booking_row(public_id).starts_at == wanted.starts_at
    assert [taken(slot) for slot in world.slots] == [int(slot.id == wanted.id) for slot in world.slots]


@pytest.mark.usefixtures("many_connections")
def test_without_the_lock_both_would_ask_and_the_constraint_refuses_one(monkeypatch: pytest.MonkeyPatch) -> None:
    world, public_id = confirmed()
    both_looked = Barrier(2)

    def unlocked(session: Session, booking_id: int) -> tuple[Booking, list[ProviderTask]]:
        return session.get_one(Booking, booking_id), []

    def looked(session: Session, booking: Booking) -> None:
        check_changeable(session, booking)
        both_looked.wait(timeout=20)

    monkeypatch.setattr(rescheduling, "lock_booking", unlocked)
    monkeypatch.setattr(rescheduling, "check_changeable", looked)
    results = controls.all_at_once([lambda n=n: ask(world, public_id, n) for n in (1, 2)])  # type: ignore[misc]
    refused = [each for each in results if isinstance(each, IntegrityError)]
    assert results.count(None) == 1
    assert [violated(each) for each in refused] == ["uq_change_request_open"]


@pytest.mark.usefixtures("many_connections")
@pytest.mark.parametrize("round_", range(4))
def test_change_against_cancel_ends_cancelled_with_every_place_and_unit_back(round_: int) -> None:
    world, public_id = confirmed()
    controls.all_at_once([lambda: ask(world, public_id, 1), lambda: cancel(world.principal, public_id, now=SOON)])
    for version in range(2, 5):
        pass_with(world, Confirmed("R-1", version))
    assert booking_row(public_id).state is BookingState.CANCELLED
    assert [taken(slot) for slot in world.slots] == [0, 0, 0]
    assert counters(world.entitlement.id)["reserved"] == 0
    assert {state for _, state in tasks(public_id)} <= {"done", "refused"}


@pytest.mark.usefixtures("many_connections")
@pytest.mark.parametrize("round_", range(4))
def test_change_against_the_providers_own_cancel_leaves_nothing_held(round_: int) -> None:
    world, public_id = confirmed()
    told = remote(public_id, "cancelled", 5)
    controls.all_at_once([lambda: ask(world, public_id, 1), lambda: tell(world, told)])
    pass_with(world, Refused("cancelled"))
    assert booking_row(public_id).state is BookingState.CANCELLED
    assert [taken(slot) for slot in world.slots] == [0, 0, 0]
    assert counters(world.entitlement.id)["reserved"] == 0


@pytest.mark.usefixtures("many_connections")
@pytest.mark.parametrize("round_", range(4))
def test_change_against_the_providers_own_move_ends_at_the_newest_word(round_: int) -> None:
    world, public_id = confirmed()
    third = world.slots[2]
    told = RemoteBooking("R-1", public_id, "confirmed", 2, third.service_date, third.starts_at, third.ends_at)
    controls.all_at_once([lambda: ask(world, public_id, 1), lambda: tell(world, told)])
    assert open_discrepancies() == ["time_differs"]
    pass_with(world, Confirmed("R-1", 3))
    assert booking_row(public_id).starts_at == world.slots[1].starts_at
    assert [taken(slot) for slot in world.slots] == [0, 1, 0]
    assert open_discrepancies() == []


@pytest.mark.usefixtures("many_connections")
def test_a_move_by_the_provider_after_its_yes_stays_a_difference() -> None:
    world, public_id = confirmed()
    ask(world, public_id, 1)
    third = world.slots[2]
    tell(world, RemoteBooking("R-1", public_id, "confirmed", 4, third.service_date, third.starts_at, third.ends_at))
    pass_with(world, Confirmed("R-1", 3))
    assert booking_row(public_id).starts_at == world.slots[1].starts_at
    assert open_discrepancies() == ["time_differs"]


@pytest.mark.usefixtures("many_connections")
@pytest.mark.parametrize("way", ["goes_back", "switches", "leaves"])
def test_a_service_that_moves_slots_and_a_hold_of_the_same_benefit_deadlock_nobody(way: str) -> None:
    """The hold has the entitlement and goes on to the slot once the service waits for what the hold has."""
    world, public_id, told, wanted = served(way)
    entitlement_locked = Event()

    def serve() -> None:
        entitlement_locked.wait(timeout=20)
        with transaction() as session:
            apply_remote(session, world.provider.id, told, now=EIGHT)

    def hold() -> None:
        with transaction() as session:
            mine = select(Entitlement.id).where(Entitlement.id == world.entitlement.id)
            session.execute(mine.with_for_update(key_share=True))
            entitlement_locked.set()
            wait_until_somebody_waits_for(session)
            session.execute(select(Slot.id).where(Slot.id == wanted.id).with_for_update(key_share=True))

    assert controls.all_at_once([serve, hold]) == [None, None]
    assert booking_row(public_id).state is BookingState.FULFILLED
    assert counters(world.entitlement.id)["used"] == 1


def served(way: str) -> tuple[World, str, RemoteBooking, Slot]:
    """A booking whose date is being changed, a service told of it, and a slot that this service moves."""
    world = make_world()
    set_provider(world.provider, adapter="day_capacity" if way == "goes_back" else world.provider.adapter)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    ask(world, public_id, 1)
    old, new, _ = world.slots
    if way == "goes_back":
        pass_with(world, Confirmed("R-2", 5))
        told = RemoteBooking("R-1", None, "fulfilled", 8, old.service_date, old.starts_at, old.ends_at)
        return world, public_id, told, old
    if way == "switches":
        told = RemoteBooking("R-1", public_id, "fulfilled", 8, new.service_date, new.starts_at, new.ends_at)
        return world, public_id, told, old
    return world, public_id, remote(public_id, "fulfilled", 8), new


def wait_until_somebody_waits_for(session: Session) -> None:
    """Wait until another transaction waits for a lock of this one."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
    until = monotonic() + 20
    while not session.scalar(waiting):
        assert monotonic() < until, "nobody waits"
        sleep(0.02)


def confirmed() -> tuple[World, str]:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    return world, public_id


def ask(world: World, public_id: str, slot: int) -> None:
    reschedule(world.principal, public_id, world.slots[slot].public_id, now=SOON)


def tell(world: World, told: RemoteBooking) -> None:
    with transaction() as session:
        apply_remote(session, world.provider.id, told, now=SOON)


def pass_with(world: World, *answers: Answer) -> None:
    one_pass(world, FakeAdapter(answers=list(answers)), now=SOON + timedelta(minutes=5))


def open_discrepancies() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Discrepancy.kind).where(Discrepancy.closed_at.is_(None))))


def cross(world: World, public_id: str) -> None:
    here = booking_row(public_id).starts_at
    there = next(slot for slot in world.slots if slot.starts_at != here)
    reschedule(world.principal, public_id, there.public_id, now=SOON)


def settle(world: World) -> None:
    """The provider says yes to everything, on eight threads."""
    later = NOON + timedelta(seconds=2)
    connection = connection_to(world.provider)
    while claimed := claim_all(world, now=later):
        adapters = [FakeAdapter(answers=[Confirmed(f"R-{task.booking_id}", task.id)]) for task in claimed]
        controls.all_at_once(
            [
                lambda t=task, a=adapter: run_task(connection, a, t, lambda: later)  # type: ignore[misc,arg-type]
                for task, adapter in zip(claimed, adapters, strict=True)
            ]
        )
