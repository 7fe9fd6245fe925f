"""What is offered instead of a date that the provider takes away."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from booking.exchange.inbound import apply_remote
from booking.hold.submit import submit
from booking.models import BookingHistory, Slot
from booking.notices.models import Notification
from booking.offers.alternatives import nearest
from booking.views.customer import booking as view
from marketplace.catalog.models import CapacityPool, Offer, Site
from marketplace.core.database.db import reading, transaction
from marketplace.messages.compose import say
from providers.port import Confirmed, Refused
from tests.escorts import cover, make_escorts
from tests.escorts import put as put_policy
from tests.people import NOON, counters, give
from tests.world import DAY, EIGHT, FakeAdapter, World, booking_row, make_offer, make_slot, make_world, one_pass, remote
from vip.models import Entitlement

pytestmark = pytest.mark.usefixtures("db")

LATER = NOON + timedelta(hours=1)
THERE = (30.25, 120.17)


def confirmed(world: World, slot: int = 0) -> str:
    public_id = world.submit(slot)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    return public_id


def cancelled_by_provider(world: World, slot: int = 0) -> str:
    public_id = confirmed(world, slot)
    with transaction() as session:
        apply_remote(session, world.provider.id, remote(public_id, "cancelled", 2), now=LATER)
    return public_id


def offered(world: World, public_id: str, now: datetime = LATER) -> list[str]:
    return [one.slot_id for one in view(world.principal, public_id, now=now).alternatives]


def put(offer: Offer, latitude: float, longitude: float) -> None:
    with transaction() as session:
        session.execute(update(Site).where(Site.id == offer.site_id).values(latitude=latitude, longitude=longitude))


def test_the_three_nearest_times_are_offered_and_never_the_lost_one() -> None:
    world = make_world(slots=6)
    public_id = cancelled_by_provider(world, 2)
    assert offered(world, public_id) == [world.slots[n].public_id for n in (1, 3, 0)]
    assert counters(world.entitlement.id)["available"] == 2, "the unit is back"


def test_they_are_written_down_with_the_move_for_whoever_tells_the_customer() -> None:
    world = make_world(slots=3)
    public_id = cancelled_by_provider(world)
    with reading() as session:
        line = session.scalars(
            select(BookingHistory)
            .where(BookingHistory.booking_id == booking_row(public_id).id)
            .order_by(BookingHistory.version.desc())
        ).first()
    assert line is not None
    assert [one["slot"] for one in line.facts["alternatives"]] == [world.slots[n].public_id for n in (1, 2)]
    assert line.facts["alternatives"][0]["starts_at"] == (EIGHT + timedelta(hours=1)).isoformat()
    with reading() as session:
        notice = session.scalars(select(Notification).where(Notification.kind == "cancelled")).one()
    assert notice.facts["alternatives"] == line.facts["alternatives"]
    assert "Tue 10 March, 09:00; Tue 10 March, 10:00" in say("cancelled", notice.facts, "en", as_of=LATER).text
    assert "周二 09:00、" in say("cancelled", notice.facts, "zh", as_of=LATER).text


def test_a_refused_request_is_offered_others_too() -> None:
    world = make_world(slots=2)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Refused("sold_out")]), now=NOON)
    assert offered(world, public_id) == [world.slots[1].public_id]


def test_a_customer_who_cancels_herself_is_offered_nothing() -> None:
    world = make_world(allotment=True)
    public_id = world.submit()
    cancel(world.principal, public_id, now=NOON)
    assert offered(world, public_id) == []


def test_they_lie_at_different_times_and_places_where_there_are_several() -> None:
    world = make_world(slots=6)
    _provider, _there, slots = make_offer(slots=6)
    public_id = cancelled_by_provider(world, 2)
    own, other = [slot.public_id for slot in world.slots], [slot.public_id for slot in slots]
    found = offered(world, public_id)
    assert found[:2] == [other[2], own[1]]
    assert found[2] in (own[3], other[3])


@pytest.mark.parametrize("units", [1, 2])
def test_a_refused_change_leaves_times_near_the_one_that_was_asked_for(units: int) -> None:
    """Another place is a booking of its own: it needs another unit, and a time at which she is free."""
    world = make_world(slots=6, quantity=units)
    _provider, _there, slots = make_offer(slots=6)
    public_id = confirmed(world, 0)
    reschedule(world.principal, public_id, world.slots[4].public_id, now=LATER)
    one_pass(world, FakeAdapter(answers=[Refused("sold_out")]), now=LATER)
    found = offered(world, public_id)
    assert (slots[4].public_id in found) == (units == 2)
    assert world.slots[4].public_id not in found and world.slots[0].public_id not in found
    assert {world.slots[3].public_id, world.slots[5].public_id} & set(found)


def test_a_place_elsewhere_at_the_time_that_she_has_is_not_offered() -> None:
    world = make_world(slots=3)
    _provider, _there, slots = make_offer(slots=3)
    public_id = confirmed(world, 0)
    cancel(world.principal, public_id, now=NOON)
    one_pass(world, FakeAdapter(answers=[Refused("too_late")]), now=LATER)
    found = offered(world, public_id)
    assert found and slots[0].public_id not in found


def test_nothing_is_offered_instead_once_the_date_can_no_longer_be_changed() -> None:
    world = make_world(slots=3)
    public_id = confirmed(world, 0)
    cancel(world.principal, public_id, now=NOON)
    one_pass(world, FakeAdapter(answers=[Refused("too_late")]), now=LATER)
    assert offered(world, public_id, now=EIGHT - timedelta(hours=23)) == []


def test_at_the_same_time_the_nearer_site_comes_first() -> None:
    world = make_world(slots=1)
    put(world.offer, *THERE)
    sites = {}
    for name, away in (("far", 0.3), ("near", 0.01)):
        _, offer, slots = make_offer(slots=1)
        put(offer, THERE[0] + away, THERE[1])
        sites[slots[0].public_id] = name
    public_id = cancelled_by_provider(world)
    found = view(world.principal, public_id, now=LATER).alternatives
    assert [sites[one.slot_id] for one in found] == ["near", "far"]
    assert found[0].metres == pytest.approx(1112, abs=2) and not found[0].same_offer


def test_another_city_another_kind_a_closed_offer_and_a_full_slot_are_left_out() -> None:
    world = make_world(slots=1)
    made = [make_offer(slots=1) for _ in range(4)]
    with transaction() as session:
        session.execute(update(Site).where(Site.id == made[0][1].site_id).values(city="宁波市"))
        session.execute(update(Offer).where(Offer.id == made[1][1].id).values(kind="escort"))
        session.execute(update(Offer).where(Offer.id == made[2][1].id).values(active=False))
        session.execute(update(Slot).where(Slot.id == made[3][2][0].id).values(closed=True))
    assert offered(world, cancelled_by_provider(world)) == []


def test_only_times_within_the_benefits_validity_and_lead_time_are_offered() -> None:
    world = make_world(slots=1)
    days = [datetime.fromisoformat(f"2026-03-{day:02}T00:00:00+00:00") for day in (2, 9, 11, 12)]
    with transaction() as session:
        pool = session.get_one(CapacityPool, world.offer.pool_id)
        slots = [make_slot(pool.id, day, 1) for day in days]
        session.add_all(slots)
        session.execute(
            update(Entitlement).where(Entitlement.id == world.entitlement.id).values(valid_until=date(2026, 3, 11))
        )
    public_id = cancelled_by_provider(world)
    assert set(offered(world, public_id)) == {slots[1].public_id, slots[2].public_id}
    late = datetime(2026, 3, 8, 12, 30, tzinfo=NOON.tzinfo)  # 11.5 hours before the first; twelve are needed
    assert offered(world, public_id, late) == [slots[2].public_id]


def test_a_package_that_is_not_for_this_person_and_a_time_she_is_busy_are_left_out() -> None:
    world = make_world(slots=2, quantity=4)
    make_offer(slots=2, package={"items": [], "sex": "male", "age_min": 0, "age_max": 120})
    public_id = cancelled_by_provider(world)
    world.submit(1)
    assert offered(world, public_id) == []


def test_whole_days_are_offered_for_whole_days() -> None:
    world = make_world(slots=0)
    with transaction() as session:
        for day in (10, 11, 14):
            slot = make_slot(world.offer.pool_id, EIGHT, 3)
            slot.external_ref, slot.service_date = f"day-{day}", date(2026, 3, day)
            slot.starts_at = slot.ends_at = None
            session.add(slot)
            world.slots.append(slot)
    public_id = cancelled_by_provider(world)
    found = view(world.principal, public_id, now=LATER).alternatives
    assert [(one.service_date.day, one.starts_at) for one in found] == [(11, None), (14, None)]
    world.submit(1)
    found = view(world.principal, public_id, now=LATER).alternatives
    assert [one.service_date.day for one in found] == [14], "she has something else on the 11th"


def test_the_benefit_comes_back_in_full_after_its_validity_when_the_provider_cancels() -> None:
    world = make_world(quantity=1, slots=1)
    short = give(world.customer, 1, valid_until=date(2026, 3, 10))
    public_id = world.hold(0, entitlement=short.public_id)
    submit(world.principal, public_id, now=NOON)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    late = datetime(2026, 3, 12, 2, tzinfo=NOON.tzinfo)
    with transaction() as session:
        apply_remote(session, world.provider.id, remote(public_id, "cancelled", 2), now=late)
    with reading() as session:
        kept = session.get_one(Entitlement, short.id)
    assert (kept.available, kept.expired, kept.valid_until) == (1, 0, date(2026, 4, 11))


def test_who_is_sent_is_offered_on_days_that_policy_and_coverage_allow() -> None:
    made = make_escorts(slots=1)
    days = [DAY + timedelta(days=ahead) for ahead in (1, 2, 3)]
    with transaction() as session:
        session.add_all(make_slot(made.world.offer.pool_id, EIGHT + timedelta(days=ahead), 1) for ahead in (1, 2, 3))
    booked = made.hold(0)
    cover("not_covered", since=days[0])
    cover("covered", since=days[1])
    put_policy(version=2, until=days[1])
    with reading() as session:
        found = nearest(session, booking_row(booked), now=NOON)
    assert [one.service_date for one in found] == [days[1]]
