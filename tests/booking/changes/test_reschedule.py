"""Another date for a confirmed booking: the old one stays until the new one is certain."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Update, select, update

from booking import refusals
from booking.actors import Actor
from booking.changes import swap
from booking.changes.cancel import cancel
from booking.changes.reschedule import ChangeTooLate, NoChangesLeft, NotChangeable, SameSlot, reschedule
from booking.discrepancies import Discrepancy
from booking.exchange.inbound import apply_remote
from booking.models import Slot
from booking.views.customer import booking as view
from marketplace.catalog.models import Offer, Site
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from providers.port import Confirmed, Refused, Unknown
from providers.port import NotFound as NotThere
from providers.reported import RemoteBooking
from tests.people import NOON, counters
from tests.world import DAY, FakeAdapter, World, booking_row, join, make_world, one_pass, remote, taken, tasks
from vip.entitlements.of_customer import ValidityOver
from vip.models import Entitlement

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]

SOON = NOON + timedelta(seconds=1)
LATER = NOON + timedelta(minutes=5)


def confirmed(**world: object) -> tuple[World, str]:
    made = make_world(**world)  # type: ignore[arg-type]
    public_id = made.submit()
    one_pass(made, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    return made, public_id


def ask(world: World, public_id: str, slot: int = 1) -> None:
    reschedule(world.principal, public_id, world.slots[slot].public_id, now=SOON)


def places(world: World) -> list[int]:
    return [taken(slot) for slot in world.slots]


def at(public_id: str, world: World) -> int:
    starts = booking_row(public_id).starts_at
    return next(number for number, slot in enumerate(world.slots) if slot.starts_at == starts)


def test_the_old_date_stands_until_the_provider_agrees_then_both_switch_at_once() -> None:
    world, public_id = confirmed()
    ask(world, public_id)
    assert (at(public_id, world), places(world)) == (0, [1, 1, 0])
    seen = view(world.principal, public_id, now=SOON)
    assert (seen.state, seen.change, seen.new_starts_at) == ("confirmed", "reschedule", world.slots[1].starts_at)
    adapter = FakeAdapter(answers=[Confirmed("R-1", 2)])
    assert one_pass(world, adapter, now=LATER) == ["applied"]
    assert adapter.sent[0].slot == world.slots[1].external_ref
    assert (at(public_id, world), places(world)) == (1, [0, 1, 0])
    seen = view(world.principal, public_id, now=LATER)
    assert (seen.change, seen.changes_left, seen.timeline[-1].cause) == (None, 2, "rescheduled")
    assert (seen.timeline[-1].service_date, seen.timeline[-1].starts_at) == (seen.service_date, seen.starts_at)
    assert {line.starts_at for line in seen.timeline[:-1] if line.state != "reschedule_asked"} == {None}
    assert seen.timeline[-1].before_starts_at == world.slots[0].starts_at
    assert counters(world.entitlement.id)["reserved"] == 1


def test_a_refusal_leaves_the_old_date_and_gives_the_new_place_back() -> None:
    world, public_id = confirmed()
    ask(world, public_id)
    one_pass(world, FakeAdapter(answers=[Refused("sold_out")]), now=LATER)
    assert (at(public_id, world), places(world)) == (0, [1, 0, 0])
    seen = view(world.principal, public_id, now=LATER)
    assert (seen.state, seen.change, seen.change_refused) == ("confirmed", None, "sold_out")
    ask(world, public_id, 2)


def test_an_unknown_outcome_keeps_both_places_and_settles_by_look_up() -> None:
    world, public_id = confirmed()
    ask(world, public_id)
    new = world.slots[1]
    moved = RemoteBooking("R-1", public_id, "confirmed", 2, new.service_date, new.starts_at, new.ends_at)
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[moved])
    one_pass(world, adapter, now=LATER)
    assert (at(public_id, world), places(world)) == (0, [1, 1, 0])
    one_pass(world, adapter, now=LATER + timedelta(seconds=5))
    assert (at(public_id, world), places(world)) == (1, [0, 1, 0])


def test_a_change_that_never_arrived_is_sent_again_under_its_key() -> None:
    world, public_id = confirmed()
    ask(world, public_id)
    adapter = FakeAdapter(answers=[Unknown("timed out"), Confirmed("R-1", 2)], found=[NotThere()])
    one_pass(world, adapter, now=LATER)
    one_pass(world, adapter, now=LATER + timedelta(seconds=90))
    one_pass(world, adapter, now=LATER + timedelta(seconds=91))
    assert at(public_id, world) == 1
    assert adapter.sent[0].key == adapter.sent[1].key


def test_a_cancel_overrules_an_unsent_change() -> None:
    world, public_id = confirmed(quantity=1)
    ask(world, public_id)
    cancel(world.principal, public_id, now=SOON)
    assert places(world) == [1, 0, 0]
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 2)]), now=LATER)
    assert (booking_row(public_id).state, places(world)) == ("cancelled", [0, 0, 0])
    assert tasks(public_id) == [("reserve", "done"), ("change", "refused"), ("cancel", "done")]
    assert counters(world.entitlement.id)["available"] == 1


def test_a_cancel_waits_behind_a_change_that_was_sent() -> None:
    world, public_id = confirmed()
    ask(world, public_id)
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=LATER)
    cancel(world.principal, public_id, now=LATER)
    new = world.slots[1]
    moved = RemoteBooking("R-1", public_id, "confirmed", 2, new.service_date, new.starts_at, new.ends_at)
    adapter = FakeAdapter(answers=[Confirmed("R-1", 3)], found=[moved])
    one_pass(world, adapter, now=LATER + timedelta(seconds=5))
    one_pass(world, adapter, now=LATER + timedelta(seconds=6))
    assert (booking_row(public_id).state, places(world)) == ("cancelled", [0, 0, 0])


def test_a_providers_cancel_ends_the_change_with_the_booking() -> None:
    world, public_id = confirmed(quantity=1)
    ask(world, public_id)
    with transaction() as session:
        apply_remote(session, world.provider.id, remote(public_id, "cancelled", 5), now=LATER)
    assert (booking_row(public_id).state, places(world)) == ("cancelled", [0, 0, 0])
    assert tasks(public_id)[-1] == ("change", "refused")
    assert counters(world.entitlement.id)["available"] == 1


def test_a_message_that_shows_the_new_date_switches_like_the_answer() -> None:
    world, public_id = confirmed()
    ask(world, public_id)
    new = world.slots[1]
    with transaction() as session:
        told = RemoteBooking("R-1", public_id, "confirmed", 2, new.service_date, new.starts_at, new.ends_at)
        apply_remote(session, world.provider.id, told, now=LATER)
    assert (at(public_id, world), places(world), tasks(public_id)[-1]) == (1, [0, 1, 0], ("change", "done"))


def test_a_time_of_the_providers_own_choosing_is_a_difference_for_a_person() -> None:
    world, public_id = confirmed()
    other = world.slots[2]
    with transaction() as session:
        told = RemoteBooking("R-1", public_id, "confirmed", 2, other.service_date, other.starts_at, other.ends_at)
        apply_remote(session, world.provider.id, told, now=LATER)
    assert at(public_id, world) == 0
    with reading() as session:
        assert session.scalars(select(Discrepancy.kind)).all() == ["time_differs"]


def test_asking_twice_for_the_same_is_once_and_for_two_dates_at_once_is_refused() -> None:
    world, public_id = confirmed()
    ask(world, public_id)
    ask(world, public_id)
    with pytest.raises(NotChangeable):
        ask(world, public_id, 2)
    assert places(world) == [1, 1, 0]


def test_a_full_slot_refuses_and_nothing_is_half_done() -> None:
    world, public_id = confirmed(capacity=1)
    other = join(world.provider, world.offer, world.slots, phone="13800000022")
    other.hold(1)
    with pytest.raises(refusals.SlotFull):
        ask(world, public_id)
    assert view(world.principal, public_id, now=SOON).change is None
    assert tasks(public_id) == [("reserve", "done")]


def test_a_held_booking_at_the_new_time_refuses_and_the_asked_time_is_occupied() -> None:
    world, public_id = confirmed(quantity=3)
    held = world.hold(1)
    with pytest.raises(refusals.AlreadyBooked) as refused:
        ask(world, public_id)
    assert refused.value.facts == {"booking": held, "reference": booking_row(held).reference}
    cancel(world.principal, held, now=SOON)
    ask(world, public_id)
    with pytest.raises(refusals.AlreadyBooked):
        world.hold(1)


def test_windows_limits_and_validity_are_kept() -> None:
    world, public_id = confirmed()
    with pytest.raises(SameSlot):
        ask(world, public_id, 0)
    starts = world.slots[0].starts_at
    assert starts is not None
    with pytest.raises(ChangeTooLate):
        reschedule(world.principal, public_id, world.slots[1].public_id, now=starts - timedelta(hours=24))
    with transaction() as session:
        session.execute(update(Slot).where(Slot.id == world.slots[1].id).values(service_date=date(2027, 1, 1)))
        session.execute(update(Entitlement).values(valid_until=date(2026, 12, 31)))
    with pytest.raises(ValidityOver):
        ask(world, public_id, 1)


@pytest.mark.parametrize(
    ("first", "last"),
    [(None, DAY - timedelta(days=1)), (DAY + timedelta(days=1), None)],
    ids=["season over", "season not begun"],
)
def test_a_day_outside_the_offers_season_cannot_be_moved_to(first: date | None, last: date | None) -> None:
    world, public_id = confirmed()
    with transaction() as session:
        session.execute(update(Offer).values(available_from=first, available_until=last))
    with pytest.raises(refusals.SlotClosed):
        ask(world, public_id)
    assert (places(world), tasks(public_id)) == ([1, 0, 0], [("reserve", "done")])


def test_a_closed_slot_cannot_be_moved_to() -> None:
    world, public_id = confirmed()
    with transaction() as session:
        session.execute(update(Slot).where(Slot.id == world.slots[1].id).values(closed=True))
    with pytest.raises(refusals.SlotClosed):
        ask(world, public_id)
    ask(world, public_id, 2)


def test_a_slot_that_closes_between_the_look_and_the_taking_is_closed_rather_than_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, public_id = confirmed()
    begin, close = swap.begin, update(Slot).where(Slot.id == world.slots[1].id).values(closed=True)

    def somebody_closes_it() -> None:
        with transaction() as session:
            session.execute(close)

    def after_it_closed(*asked: Any, **more: Any) -> None:
        with ThreadPoolExecutor(1) as somebody:
            somebody.submit(somebody_closes_it).result()
        begin(*asked, **more)

    monkeypatch.setattr(swap, "begin", after_it_closed)
    with pytest.raises(refusals.SlotClosed):
        ask(world, public_id)
    assert (places(world), tasks(public_id)) == ([1, 0, 0], [("reserve", "done")])


@pytest.mark.parametrize("closed", [update(Offer).values(active=False), update(Site).values(closed_at=NOON)])
def test_nothing_moves_within_an_offer_that_is_closed(closed: Update) -> None:
    world, public_id = confirmed()
    with transaction() as session:
        session.execute(closed)
    with pytest.raises(refusals.OfferClosed):
        ask(world, public_id)
    assert (places(world), tasks(public_id)) == ([1, 0, 0], [("reserve", "done")])


def test_the_offer_says_how_often_a_booking_may_be_changed() -> None:
    world, public_id = confirmed()
    version = 2
    for slot in (1, 2, 0):
        ask(world, public_id, slot)
        one_pass(world, FakeAdapter(answers=[Confirmed("R-1", version)]), now=SOON)
        version += 1
    with pytest.raises(NoChangesLeft):
        ask(world, public_id, 1)


def test_a_stranger_changes_nothing() -> None:
    world, public_id = confirmed()
    other = join(world.provider, world.offer, world.slots, phone="13800000023")
    with pytest.raises(NotFound):
        reschedule(other.principal, public_id, world.slots[1].public_id, now=SOON)
    assert Actor("customer").kind == "customer"


def test_allotment_places_switch_at_once_and_the_provider_is_told() -> None:
    world, public_id = confirmed(allotment=True)
    ask(world, public_id)
    assert (at(public_id, world), places(world)) == (1, [0, 1, 0])
    adapter = FakeAdapter(answers=[Confirmed("R-1", 2)])
    one_pass(world, adapter, now=LATER)
    assert adapter.sent[0].slot == world.slots[1].external_ref
