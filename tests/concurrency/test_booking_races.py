"""Rivals for what is scarce, on real threads and a real PostgreSQL, each with the control that shows the race."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.changes.cancel import cancel
from booking.hold import place
from booking.hold.expire import expire_holds
from booking.hold.submit import submit
from booking.hold.take import HOLD, Held
from booking.models import Slot
from booking.sync.slots import apply_slots
from marketplace.core.config import settings, sqlalchemy_url
from marketplace.core.database import db as database
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Refusal
from providers.reported import RemoteSlot
from tests.concurrency import controls
from tests.conftest import TestDatabase
from tests.people import NOON, counters, give
from tests.world import World, booking_row, join, make_offer, make_slot, make_world, taken
from vip.customers.family import NewMember, add_member

Hold = Callable[[], Held]


def holder(world: World, slot: int = 0, key: str | None = None) -> Hold:
    key = key or str(uuid.uuid4())
    return lambda: place.hold(world.principal, world.request(slot), key=key, fingerprint=b"f", now=NOON)


def tally(results: list[Held | Exception]) -> Counter[str]:
    return Counter(each.code if isinstance(each, Refusal) else type(each).__name__ for each in results)


@pytest.mark.usefixtures("many_connections")
def test_two_hundred_customers_on_a_slot_of_five() -> None:
    provider, offer, slots = make_offer(slots=1, capacity=5)
    worlds = [join(provider, offer, slots, phone=f"138001{number:05}") for number in range(200)]
    results = controls.all_at_once([holder(world) for world in worlds])
    assert tally(results) == {"Held": 5, "slot_full": 195}
    assert taken(slots[0]) == 5
    assert sum(counters(world.entitlement.id)["reserved"] or 0 for world in worlds) == 5


@pytest.mark.usefixtures("many_connections")
def test_one_customer_with_quota_one_fires_64_requests_at_64_slots() -> None:
    world = make_world(slots=64, quantity=1)
    results = controls.all_at_once([holder(world, slot) for slot in range(64)])
    assert tally(results) == {"Held": 1, "entitlement_exhausted": 63}
    assert counters(world.entitlement.id)["reserved"] == 1
    assert sum(taken(slot) for slot in world.slots) == 1


@pytest.mark.usefixtures("many_connections")
def test_one_key_64_times_at_once_is_one_booking_and_one_answer() -> None:
    world = make_world(quantity=5)
    results = controls.all_at_once([holder(world, key="once")] * 64)
    assert tally(results) == {"Held": 64}
    assert len({each.public_id for each in results if isinstance(each, Held)}) == 1
    assert taken(world.slots[0]) == 1


@pytest.mark.usefixtures("many_connections")
def test_every_unit_goes_even_when_all_are_asked_for_at_once() -> None:
    world = make_world(slots=8, quantity=3)
    results = controls.all_at_once([holder(world, slot) for slot in range(8)])
    assert tally(results) == {"Held": 3, "entitlement_exhausted": 5}


@pytest.mark.usefixtures("many_connections")
def test_a_family_of_eleven_asks_for_22_places_at_once_and_ten_are_held() -> None:
    world = make_world(slots=3, quantity=None, capacity=20)
    names = [NewMember("other", "亲戚", "female", date(1990, 1, 1)) for _ in range(10)]
    people = [world.beneficiary.public_id, *(add_member(world.principal, new, NOON).public_id for new in names)]
    asked: list[Hold] = [
        lambda slot=slot, person=person: place.hold(  # type: ignore[misc]
            world.principal,
            world.request(slot, beneficiary=person),
            key=f"{person}{slot}",
            fingerprint=b"f",
            now=NOON,
        )
        for slot in range(2)
        for person in people
    ]
    assert tally(controls.all_at_once(asked)) == {"Held": 10, "too_many_held": 12}
    assert sum(taken(slot) for slot in world.slots) == 10
    assert world.hold(2, now=NOON + HOLD), "holds that are over make room, swept or not"


@pytest.mark.usefixtures("many_connections")
def test_confirm_cancel_and_the_clock_at_once_end_in_one_state() -> None:
    worlds = [make_world(phone=f"1380022{number:04}", quantity=1) for number in range(12)]
    late = NOON + timedelta(minutes=10)
    for world in worlds:
        public_id = world.hold()
        principal = world.principal
        controls.all_at_once(
            [
                lambda p=principal, b=public_id: submit(p, b, now=NOON),  # type: ignore[misc]
                lambda p=principal, b=public_id: cancel(p, b, now=NOON),  # type: ignore[misc]
                lambda: expire_holds(now=late),
            ]
        )
        kept = booking_row(public_id)
        assert kept.state in ("expired", "cancelled", "awaiting_provider")
        live = kept.state == "awaiting_provider"
        assert taken(world.slots[0]) == live
        assert counters(world.entitlement.id)["reserved"] == live


@pytest.mark.usefixtures("many_connections")
def test_a_shrinking_feed_against_bookings_never_unsells() -> None:
    provider, offer, slots = make_offer(slots=1, capacity=10)
    worlds = [join(provider, offer, slots, phone=f"1380033{number:04}") for number in range(20)]
    pools = {"pool-1": offer.pool_id}

    def shrink(version: int) -> Callable[[], None]:
        told = RemoteSlot(
            "pool-1", slots[0].external_ref, slots[0].service_date, slots[0].starts_at, slots[0].ends_at,
            offered=3, version=version,
        )  # fmt: skip
        counts = {"read": 0, "added": 0, "changed": 0, "unknown_pool": 0}
        return lambda: apply_slots(provider.id, [told], pools, counts, now=NOON)

    works: list[Callable[[], object]] = [holder(world) for world in worlds]
    works[5:5] = [shrink(1), shrink(2)]
    results = controls.all_at_once(works)
    held = sum(isinstance(each, Held) for each in results)
    with reading() as session:
        slot = session.get_one(Slot, slots[0].id)
        assert (slot.taken, slot.offered) == (held, 3)
        assert slot.capacity == max(3, held)


@pytest.mark.usefixtures("many_connections")
def test_the_same_person_at_the_same_time_twice_from_two_offers() -> None:
    world = make_world(quantity=5)
    _, second, others = make_offer()
    elsewhere = World(world.provider, second, others, world.customer, world.beneficiary, world.entitlement,
                      world.principal)  # fmt: skip
    results = controls.all_at_once([holder(each) for each in (world, elsewhere) * 8])
    assert tally(results) == {"Held": 1, "beneficiary_busy": 15}


# --- controls: the race is real -------------------------------------------------------------------------------------


def race_for_the_last_place(scratch: TestDatabase, rivals: int = 12) -> tuple[Counter[str], int]:
    """Rivals insert claims on a slot of one; every one reads it free before any writes."""
    engine = create_engine(sqlalchemy_url(scratch.database_url), pool_size=rivals, max_overflow=0)
    with controls.owner(scratch.owner_url) as owner:
        slot_id = owner.execute(text("SELECT max(id) FROM slot")).scalar_one()
        bookings = list(owner.execute(text("SELECT id FROM booking ORDER BY id LIMIT :n"), {"n": rivals}).scalars())

    def claim(booking: int) -> Callable[[], str]:
        def run() -> str:
            with engine.begin() as connection:
                connection.execute(
                    text("INSERT INTO slot_claim (booking_id, slot_id, created_at) VALUES (:booking, :slot, now())"),
                    {"booking": booking, "slot": slot_id},
                )
            return "taken"

        return run

    results = controls.all_at_once([claim(booking) for booking in bookings])
    with controls.owner(scratch.owner_url) as owner:
        count = owner.execute(text("SELECT taken FROM slot WHERE id = :id"), {"id": slot_id}).scalar_one()
    engine.dispose()
    names = [each if isinstance(each, str) else str(database.violated(each)) for each in results]  # type: ignore[arg-type]
    return Counter(names), count


@pytest.fixture
def contested(other_database: Callable[[str], TestDatabase], monkeypatch: pytest.MonkeyPatch) -> Iterator[TestDatabase]:
    """A scratch database with twelve bookings and a further slot with a single place."""
    scratch = other_database("contested")
    monkeypatch.setenv("DATABASE_URL", scratch.database_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", scratch.owner_url)
    database.forget_engines()
    settings.cache_clear()
    world = make_world(slots=12, quantity=12)
    for slot in range(12):
        world.submit(slot)
    with transaction() as session:
        session.add(make_slot(world.offer.pool_id, NOON + timedelta(days=30), 1))
    database.forget_engines()
    yield scratch
    database.forget_engines()
    monkeypatch.undo()
    settings.cache_clear()


def test_with_guard_and_constraint_one_rival_gets_the_last_place(contested: TestDatabase) -> None:
    assert race_for_the_last_place(contested) == ({"taken": 1, "slot_full": 11}, 1)


def test_control_without_the_guard_the_constraint_refuses(contested: TestDatabase) -> None:
    with controls.owner(contested.owner_url) as owner:
        controls.take_guard_away(owner, "slot_claim_moves_taken")
    assert race_for_the_last_place(contested) == ({"taken": 1, "ck_slot_taken": 11}, 1)


def test_control_without_guard_and_constraint_the_slot_is_oversold(contested: TestDatabase) -> None:
    with controls.owner(contested.owner_url) as owner:
        controls.take_guard_away(owner, "slot_claim_moves_taken")
        controls.take_constraints_away(owner, "slot")
    assert race_for_the_last_place(contested) == ({"taken": 12}, 12)


def test_control_without_the_exclusion_constraint_a_person_is_booked_twice(contested: TestDatabase) -> None:
    with controls.owner(contested.owner_url) as owner:
        owner.exec_driver_sql("ALTER TABLE booking DROP CONSTRAINT ex_booking_one_place_at_a_time")
        copied = "insurer_id, customer_id, beneficiary_id, offer_id, provider_id, entitlement_id, kind, state, " \
            "service_date, time_zone, period, price_minor, currency, snapshot, created_at, updated_at"  # fmt: skip
        owner.exec_driver_sql(
            f"INSERT INTO booking (public_id, reference, {copied}) SELECT 'bkg_twice', 'AXTWICE', {copied} "
            "FROM booking ORDER BY id LIMIT 1"
        )
        doubled = owner.exec_driver_sql(
            "SELECT count(*) FROM booking a JOIN booking b ON a.beneficiary_id = b.beneficiary_id "
            "AND a.period && b.period AND a.id < b.id WHERE a.live AND b.live"
        ).scalar_one()
    assert doubled == 1


def test_control_without_its_unique_key_one_request_books_twice(contested: TestDatabase) -> None:
    with controls.owner(contested.owner_url) as owner:
        owner.exec_driver_sql("ALTER TABLE idempotency_key DROP CONSTRAINT uq_idempotency_key_scope_key")
        repeated = "INSERT INTO idempotency_key (scope, key, fingerprint, status, resource, created_at) " \
            "VALUES ('c', 'k', '\\x00', 201, 'bkg', now())"  # fmt: skip
        owner.exec_driver_sql(repeated)
        owner.exec_driver_sql(repeated)
        rows = owner.exec_driver_sql("SELECT count(*) FROM idempotency_key WHERE key = 'k'").scalar_one()
    assert rows == 2


def two_more_at_once(held: World) -> tuple[str, int]:
    """Nine places are held for a customer; two further holds, for two people of her family and from two benefits, are
    written before either is committed. What became of the second, and how many are held then."""
    son = add_member(held.principal, NewMember("other", "儿子", "male", date(1990, 1, 1)), NOON)
    spare = give(held.customer, 5)
    me = Actor("customer", held.principal.public_id)

    def take(session: Session, slot: int, **chosen: str) -> None:
        wish, until = held.request(slot, **chosen), NOON + HOLD
        place.hold_for(session, held.principal, wish, key=f"more{slot}", until=until, actor=me, now=NOON)

    with Session(database.engine()) as one, Session(database.engine()) as two:
        take(one, 9)
        two.execute(text("SET LOCAL lock_timeout = '300ms'"))
        try:
            take(two, 10, beneficiary=son.public_id, entitlement=spare.public_id)
            second = "written"
        except DBAPIError as failed:
            second = type(failed.orig).__name__
            two.rollback()
        one.commit()
        two.commit()
        count = one.execute(text("SELECT count(*) FROM booking WHERE state = 'held'")).scalar_one()
    return second, count


@pytest.fixture
def nine_held(contested: TestDatabase) -> World:
    world = make_world(slots=11, quantity=None, phone="13800000029")
    for slot in range(9):
        world.hold(slot)
    return world


def test_with_turns_the_second_hold_waits_for_the_first(nine_held: World) -> None:
    assert two_more_at_once(nine_held) == ("LockNotAvailable", 10)


def test_control_without_turns_eleven_are_held(nine_held: World, contested: TestDatabase) -> None:
    with controls.owner(contested.owner_url) as owner:
        definition = owner.execute(text("SELECT pg_get_functiondef('hold_booking'::regproc)")).scalar_one()
        bare, found = re.subn(r"PERFORM [^\n]*/\* turn \*/;", "", definition)
        assert found == 1
        owner.exec_driver_sql(bare.replace("%", "%%"))
    assert two_more_at_once(nine_held) == ("written", 11)
