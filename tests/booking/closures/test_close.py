"""A site that closes: nothing is sold there, bookings are moved or cancelled once, customers are told."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from booking.closures import close
from booking.closures.close import ClosingAlready, close_site, reopen_site, work_closures
from booking.closures.models import SiteClosure, SiteClosureItem
from booking.closures.view import closure, closures, find_sites, preview
from booking.discrepancies import Discrepancy
from booking.feeds.cursors import cursor_of
from booking.models import Slot
from booking.notices.models import Notification
from booking.reconcile.repair import repair
from booking.refusals import SlotClosed
from booking.states import BookingState
from booking.sync.slots import SIGHT, apply_slots
from marketplace.catalog.models import Site
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.text import Text
from providers.port import Confirmed, Refused
from providers.reported import RemoteSlot
from tests.concurrency.controls import all_at_once
from tests.people import NOON, TODAY, counters, make_insurer
from tests.world import (
    DAY,
    FakeAdapter,
    World,
    booking_row,
    go,
    history,
    make_offer,
    make_slot,
    make_world,
    one_pass,
    taken,
    tasks,
)
from vip.models import Entitlement
from vip.principal import Principal

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def world() -> World:
    return make_world(quantity=5)


@pytest.fixture
def operator(world: World) -> Principal:
    return Principal("operator", 1, "opr_1", make_insurer().id, 1, "Asia/Shanghai", "admin")


def site(world: World) -> str:
    with reading() as session:
        return session.get_one(Site, world.offer.site_id).public_id


def confirmed(world: World, slot: int = 0, reference: str = "R-1") -> str:
    public_id = world.submit(slot)
    one_pass(world, FakeAdapter(answers=[Confirmed(reference, 1)]), now=NOON)
    return public_id


def state(public_id: str) -> str:
    return booking_row(public_id).state.value


def told(kind: str = "site_closed") -> list[dict[str, object]]:
    with reading() as session:
        rows = session.scalars(select(Notification).where(Notification.kind == kind).order_by(Notification.id))
        return [row.facts for row in rows]


def outcomes() -> dict[str, int]:
    with reading() as session:
        rows = list(session.scalars(select(SiteClosureItem.outcome)))
    return {each: rows.count(each) for each in rows}


def next_day_slot(world: World, days: int = 1) -> Slot:
    slot = make_slot(world.offer.pool_id, world.slots[0].starts_at + timedelta(days=days), 5)  # type: ignore[operator]
    with transaction() as session:
        session.add(slot)
    return slot


def test_one_sees_what_it_means_before_closing(world: World, operator: Principal) -> None:
    confirmed(world)
    world.hold(1)
    begun = confirmed(world, 2, "R-3")
    go(begun, BookingState.CHECKED_IN)
    found = preview(operator, site(world), DAY, None, now=NOON)
    assert (found.bookings, found.begun, found.slots) == (2, 1, 3)
    assert found.offers == [(Text("甄选套餐", "Select package"), 2)]
    later = preview(operator, site(world), DAY + timedelta(days=1), None, now=NOON)
    assert (later.bookings, later.slots) == (0, 0)


def test_a_closed_site_sells_nothing_whatever_the_feed_says(world: World, operator: Principal) -> None:
    after = next_day_slot(world)
    close_site(operator, site(world), DAY, DAY, "cancel", now=NOON)
    with pytest.raises(SlotClosed):
        world.hold(0)
    slot = world.slots[0]
    feed = [
        RemoteSlot("pool-1", ref, slot.service_date, slot.starts_at, slot.ends_at, 9, version=9)
        for ref in (slot.external_ref, "a-new-one")
    ]
    counts = {"read": 0, "added": 0, "changed": 0, "unknown_pool": 0}
    apply_slots(world.provider.id, feed, {"pool-1": slot.pool_id}, counts, now=NOON)
    with reading() as session:
        rows = session.execute(select(Slot.service_date, Slot.closed, Slot.has_place)).all()
    assert {(row.closed, row.has_place) for row in rows if row.service_date == DAY} == {(True, False)}
    assert [row.closed for row in rows if row.service_date == after.service_date] == [False]


def test_bookings_are_cancelled_with_the_quota_back_and_the_customer_told(world: World, operator: Principal) -> None:
    firm, held = confirmed(world), world.hold(1)
    closing = close_site(operator, site(world), DAY, None, "cancel", now=NOON)
    assert work_closures(now=NOON) == {"asked": 1, "cancelled": 1, "over": 0}
    assert (state(firm), state(held)) == ("confirmed", "cancelled")
    assert work_closures(now=NOON) == {"over": 0}, "nothing is done twice"
    assert closure(operator, closing).state == "open", "the provider was asked and has not answered"
    adapter = FakeAdapter(answers=[Confirmed("R-1", 2)])
    one_pass(world, adapter, now=NOON)
    work_closures(now=NOON)
    row = booking_row(firm)
    assert (row.state.value, row.cause) == ("cancelled", "site_closed")
    assert counters(world.entitlement.id)["available"] == 5 and taken(world.slots[0]) == 0
    found = closure(operator, closing)
    assert (found.state, found.outcomes, found.remaining) == ("done", {"asked": 1, "cancelled": 1}, [])
    assert len(told()) == 2 and all(facts["closing"] == "cancelled" for facts in told())


def test_validity_grows_when_the_site_took_the_benefits_last_day(operator: Principal, world: World) -> None:
    firm = confirmed(world)
    with transaction() as session:
        session.execute(update(Entitlement).values(valid_until=TODAY))
    close_site(operator, site(world), DAY, None, "cancel", now=NOON)
    later = NOON + timedelta(days=2)
    work_closures(now=later)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 2)]), now=later)
    with reading() as session:
        kept = session.get_one(Entitlement, world.entitlement.id)
    assert state(firm) == "cancelled"
    assert (kept.available, kept.expired, kept.valid_until) == (1, 4, date(2026, 4, 3)), (
        "the one that was booked is kept"
    )


def test_bookings_are_moved_to_the_next_open_day(world: World, operator: Principal) -> None:
    firm = confirmed(world)
    after = next_day_slot(world)
    make_offer()  # nearer in time, and elsewhere in the city
    closing = close_site(operator, site(world), DAY, DAY, "move", now=NOON)
    work_closures(now=NOON)
    assert tasks(firm)[-1] == ("change", "queued") and outcomes() == {"moving": 1}
    assert told()[0]["new_day"] == after.service_date.isoformat()
    adapter = FakeAdapter(answers=[Confirmed("R-1", 2)])
    adapter.change = adapter._answer  # type: ignore[attr-defined]
    one_pass(world, adapter, now=NOON)
    assert booking_row(firm).starts_at == after.starts_at
    assert (taken(world.slots[0]), taken(after)) == (0, 1)
    work_closures(now=NOON)
    assert closure(operator, closing).state == "done" and counters(world.entitlement.id)["reserved"] == 1


def test_a_move_that_the_provider_refuses_becomes_a_cancel(world: World, operator: Principal) -> None:
    firm = confirmed(world)
    next_day_slot(world)
    closing = close_site(operator, site(world), DAY, DAY, "move", now=NOON)
    work_closures(now=NOON)
    adapter = FakeAdapter(answers=[Refused("sold_out"), Confirmed("R-1", 2)])
    adapter.change = adapter._answer  # type: ignore[attr-defined]
    one_pass(world, adapter, now=NOON)
    work_closures(now=NOON)
    assert tasks(firm)[-1] == ("cancel", "queued")
    one_pass(world, adapter, now=NOON)
    work_closures(now=NOON)
    assert state(firm) == "cancelled" and closure(operator, closing).state == "done"
    assert [facts["closing"] for facts in told()] == ["moving", "cancelled"]


def test_where_nothing_else_can_be_had_a_move_is_a_cancel(world: World, operator: Principal) -> None:
    confirmed(world)
    close_site(operator, site(world), DAY, None, "move", now=NOON)
    work_closures(now=NOON)
    assert outcomes() == {"asked": 1}


def test_a_booking_that_the_provider_keeps_becomes_a_case(world: World, operator: Principal) -> None:
    firm = confirmed(world)
    closing = close_site(operator, site(world), DAY, None, "cancel", now=NOON)
    work_closures(now=NOON)
    one_pass(world, FakeAdapter(answers=[Refused("too_late")]), now=NOON)
    work_closures(now=NOON)
    found = closure(operator, closing)
    assert (found.state, [standing[1] for standing in found.remaining]) == ("done", ["confirmed"])
    with reading() as session:
        case = session.scalars(select(Discrepancy).where(Discrepancy.closed_at.is_(None))).one()
    assert (case.kind, case.subject) == ("closure_stands", firm)
    repair(operator, case.public_id, "cancel_here", now=NOON)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 2)]), now=NOON)
    assert state(firm) == "cancelled"
    assert work_closures(now=NOON) == {"over": 1}


def test_what_has_begun_is_left_alone(world: World, operator: Principal) -> None:
    begun = confirmed(world)
    go(begun, BookingState.CHECKED_IN)
    close_site(operator, site(world), DAY, None, "cancel", now=NOON)
    work_closures(now=NOON)
    assert state(begun) == "checked_in" and outcomes() == {"kept": 1} and told() == []


def test_four_workers_at_once_do_each_booking_once(world: World, operator: Principal) -> None:
    booked = [world.hold(slot) for slot in range(3)]
    close_site(operator, site(world), DAY, None, "cancel", now=NOON)
    results = all_at_once([lambda: work_closures(now=NOON)] * 4)
    assert [each for each in results if isinstance(each, Exception)] == []
    assert [history(each).count("cancelled") for each in booked] == [1, 1, 1]
    assert len(told()) == 3 and outcomes() == {"cancelled": 3}


def test_it_goes_on_batch_by_batch_where_it_was_stopped(world: World, operator: Principal) -> None:
    for slot in range(3):
        world.hold(slot)
    close_site(operator, site(world), DAY, None, "cancel", now=NOON)
    assert [work_closures(now=NOON, limit=1).get("cancelled", 0) for _ in range(4)] == [1, 1, 1, 0]
    assert len(told()) == 3


def test_closing_twice_is_once_and_another_way_is_refused(world: World, operator: Principal) -> None:
    results = all_at_once([lambda: close_site(operator, site(world), DAY, None, "cancel", now=NOON)] * 4)
    assert len({str(each) for each in results}) == 1 and not any(isinstance(each, Exception) for each in results)
    with pytest.raises(ClosingAlready):
        close_site(operator, site(world), DAY, None, "move", now=NOON)
    assert len(closures(operator)) == 1


def test_a_closure_taken_back_brings_the_slots_back_with_the_next_full_list(world: World, operator: Principal) -> None:
    closing = close_site(operator, site(world), DAY, None, "cancel", now=NOON)
    reopen_site(operator, closing, now=NOON)
    reopen_site(operator, closing, now=NOON)
    slot = world.slots[0]
    feed = [RemoteSlot("pool-1", slot.external_ref, slot.service_date, slot.starts_at, slot.ends_at, 5, version=1)]
    counts = {"read": 0, "added": 0, "changed": 0, "unknown_pool": 0}
    apply_slots(world.provider.id, feed, {"pool-1": slot.pool_id}, counts, now=NOON)
    assert world.hold(0)
    with reading() as session:
        assert cursor_of(session, world.provider.id, SIGHT) is None
        assert session.scalars(select(SiteClosure.state)).all() == ["withdrawn"]


def test_a_closure_taken_back_while_the_worker_is_at_it_cancels_nothing_more(
    world: World, operator: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked = world.hold(0)
    closing = close_site(operator, site(world), DAY, None, "cancel", now=NOON)
    to_do = close._to_do

    def late(*given: Any) -> Any:
        found = to_do(*given)
        reopen_site(operator, closing, now=NOON)
        return found

    monkeypatch.setattr(close, "_to_do", late)
    work_closures(now=NOON)
    assert booking_row(booked).state == "held" and told() == []


@pytest.mark.parametrize(
    ("first", "last", "mode", "field"),
    [
        (TODAY - timedelta(days=1), None, "cancel", "from_day"),
        (DAY, DAY - timedelta(days=1), "cancel", "to_day"),
        (DAY, None, "burn", "mode"),
    ],
)
def test_wrong_wishes_are_named(
    world: World, operator: Principal, first: date, last: date | None, mode: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        close_site(operator, site(world), first, last, mode, now=NOON)
    assert refused.value.at == field


def test_sites_are_found_by_name_or_city_and_only_by_operators(world: World, operator: Principal) -> None:
    assert [found[2] for found in find_sites(operator, "杭州")] == ["杭州市"]
    assert find_sites(operator, "%") == [] and find_sites(operator, " ") == []
    closing = close_site(operator, site(world), DAY, None, "cancel", now=NOON)
    stranger = Principal("operator", 2, "opr_2", operator.insurer_id + 1, 2, "UTC", "admin")
    for act in (
        lambda: find_sites(world.principal, "x"),
        lambda: close_site(world.principal, site(world), DAY, None, "cancel", now=NOON),
        lambda: closure(stranger, closing),
        lambda: reopen_site(stranger, closing, now=NOON),
        lambda: close_site(operator, "sit_0", DAY, None, "cancel", now=NOON),
    ):
        with pytest.raises(NotFound):
            act()
    assert issubclass(ClosingAlready, Refusal)
