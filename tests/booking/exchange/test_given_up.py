"""A no-show on a date that is being given up, or was given up."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from booking.actors import CLOCK
from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from booking.discrepancies import Discrepancy
from booking.exchange.inbound import apply_remote
from booking.reconcile.run import run_now
from marketplace.catalog.models import Offer
from marketplace.core.database.db import reading, transaction
from providers.port import Confirmed, Refused, Unknown
from providers.reported import RemoteBooking
from tests.books import Books
from tests.people import NOON, counters
from tests.world import EIGHT, FakeAdapter, World, booking_row, connection_to, make_world, one_pass, set_provider, tasks

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]

IN_TIME = NOON + timedelta(hours=1)
LATE = EIGHT + timedelta(minutes=10)
AFTER = EIGHT + timedelta(minutes=20)


def changing(asked: datetime = IN_TIME, adapter: str = "day_capacity", *, days: bool = False) -> tuple[World, str]:
    """A confirmed booking (R-1) of the first slot, with a change to the second asked for; `days`: slots of whole
    days. Changes are allowed until the day is over."""
    world = make_world(quantity=1)
    set_provider(world.provider, adapter=adapter, settle_window_seconds=0)
    with transaction() as session:
        session.execute(update(Offer).values(change_hours=-24, cancel_hours=-24, lead_minutes=0))
        if days:
            for later, slot in enumerate(world.slots):
                mine = session.merge(slot)
                mine.service_date = slot.service_date + timedelta(days=later)
                mine.starts_at = mine.ends_at = None
                world.slots[later] = mine
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    reschedule(world.principal, public_id, world.slots[1].public_id, now=asked)
    return world, public_id


def tell(world: World, reference: str, status: str, version: int, slot: int = 0, now: datetime = AFTER) -> str:
    of = world.slots[slot]
    told = RemoteBooking(reference, None, status, version, of.service_date, of.starts_at, of.ends_at)  # type: ignore[arg-type]
    with transaction() as session:
        return apply_remote(session, world.provider.id, told, now=now).what


def tell_without_a_time(world: World, reference: str, status: str, version: int) -> None:
    told = RemoteBooking(reference, None, status, version)  # type: ignore[arg-type]
    with transaction() as session:
        apply_remote(session, world.provider.id, told, now=AFTER)


def stands(world: World, public_id: str) -> tuple[str, int]:
    """The booking's state, and which slot it has."""
    row = booking_row(public_id)
    at = (row.service_date, row.starts_at)
    return row.state.value, [(slot.service_date, slot.starts_at) for slot in world.slots].index(at)


def cases() -> list[tuple[str, str]]:
    with reading() as session:
        rows = session.scalars(select(Discrepancy).order_by(Discrepancy.id))
        return [(row.kind, row.resolution or "open") for row in rows]


def compare(world: World, public_id: str, **statuses: str) -> None:
    """Compare with a provider that lists these references with these statuses, as the last word it gave."""
    books = Books()
    for slot, (reference, status) in enumerate(statuses.items()):
        of = world.slots[slot]
        ours = public_id if slot == 0 else f"{public_id}-2"
        told = RemoteBooking(reference.replace("_", "-"), ours, status, 9, of.service_date, of.starts_at, of.ends_at)  # type: ignore[arg-type]
        books.put(told)
    assert run_now(connection_to(world.provider), books, CLOCK, clock=lambda: AFTER) is not None  # type: ignore[arg-type]


def test_a_no_show_on_a_date_that_is_being_given_up_waits_for_the_answer_and_is_no_use_after_a_yes() -> None:
    world, public_id = changing()
    assert tell(world, "R-1", "no_show", 2) == "applied"
    assert stands(world, public_id) == ("confirmed", 0) and tasks(public_id)[1:] == [("change", "queued")]
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Refused("not_cancellable")])
    for _ in range(2):
        one_pass(world, adapter, now=AFTER)
    assert stands(world, public_id) == ("confirmed", 1)
    assert tasks(public_id)[1:] == [("change", "done"), ("cancel", "refused")] and cases() == []
    compare(world, public_id, R_1="no_show", R_2="confirmed")
    assert stands(world, public_id) == ("confirmed", 1) and cases() == []
    assert counters(world.entitlement.id)["used"] == 0


@pytest.mark.parametrize("adapter", ["day_capacity", "open_protocol"])
def test_after_a_no_to_the_change_the_no_show_on_the_old_date_stands(adapter: str) -> None:
    world, public_id = changing(adapter=adapter)
    tell(world, "R-1", "no_show", 2)
    one_pass(world, FakeAdapter(answers=[Refused("sold_out")]), now=AFTER)
    assert stands(world, public_id) == ("no_show", 0) and cases() == []


def test_a_no_show_waits_also_while_nobody_knows_whether_the_change_arrived() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=AFTER)
    tell(world, "R-1", "no_show", 2)
    assert stands(world, public_id) == ("confirmed", 0)
    of = world.slots[1]
    found = RemoteBooking("R-2", f"{public_id}-2", "confirmed", 5, of.service_date, of.starts_at, of.ends_at)
    one_pass(world, FakeAdapter(found=[found]), now=AFTER + timedelta(minutes=2))
    assert stands(world, public_id) == ("confirmed", 1)


def test_a_no_show_without_a_date_is_of_the_date_that_the_booking_has_and_waits_too() -> None:
    world, public_id = changing()
    tell_without_a_time(world, "R-1", "no_show", 2)
    assert stands(world, public_id) == ("confirmed", 0)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 5)]), now=AFTER)
    assert stands(world, public_id) == ("confirmed", 1) and counters(world.entitlement.id)["used"] == 0


def test_a_no_show_that_waited_is_no_use_when_the_change_was_done_under_the_same_reference() -> None:
    world, public_id = changing(adapter="open_protocol")
    tell(world, "R-1", "no_show", 7)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 5)]), now=AFTER)
    assert stands(world, public_id) == ("confirmed", 1) and counters(world.entitlement.id)["used"] == 0


def test_a_no_show_that_comes_late_is_of_its_own_date_when_the_reference_stayed_the_same() -> None:
    world, public_id = changing(adapter="open_protocol")
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 5)]), now=IN_TIME)
    tell(world, "R-1", "no_show", 6, slot=0)
    assert stands(world, public_id) == ("confirmed", 1) and cases() == [("time_differs", "open")]


def test_a_no_show_of_somebody_who_was_checked_in_is_a_case_also_while_a_change_is_open() -> None:
    world, public_id = changing(adapter="open_protocol")
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=IN_TIME)
    tell(world, "R-1", "checked_in", 2)
    tell(world, "R-1", "no_show", 3)
    assert stands(world, public_id) == ("checked_in", 0) and cases() == [("state_differs", "open")]


def test_a_cancel_that_is_refused_since_nobody_came_is_a_case_when_the_booking_was_cancelled_here() -> None:
    world = make_world(quantity=1, allotment=True)
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Confirmed("R-1", 1), Confirmed("R-1", 2), Refused("too_late")])
    one_pass(world, adapter, now=NOON)
    cancel(world.principal, public_id, now=IN_TIME)
    one_pass(world, adapter, now=IN_TIME)
    tell(world, "R-1", "no_show", 3)
    one_pass(world, adapter, now=AFTER)
    assert booking_row(public_id).state == "cancelled" and cases() == [("cancel_refused", "open")]


def test_a_no_show_on_a_date_that_was_given_up_is_no_use_and_ends_our_cancel_there() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 5)]), now=IN_TIME)
    assert tell(world, "R-1", "no_show", 6) == "stray"
    assert stands(world, public_id) == ("confirmed", 1) and cases() == []
    assert tasks(public_id)[-1] == ("cancel", "refused")
    tell(world, "R-2", "fulfilled", 7, slot=1)
    assert stands(world, public_id) == ("fulfilled", 1) and counters(world.entitlement.id)["used"] == 1


def test_a_cancel_that_was_refused_is_explained_by_a_no_show_on_the_date_that_was_given_up() -> None:
    world, public_id = changing()
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Refused("too_late")])
    for _ in range(2):
        one_pass(world, adapter, now=AFTER)
    assert cases() == [("cancel_refused", "open")]
    tell(world, "R-1", "no_show", 6)
    assert stands(world, public_id) == ("confirmed", 1) and cases() == [("cancel_refused", "given_up_in_time")]


def test_a_no_show_stands_when_the_change_was_asked_for_after_the_appointment_had_begun() -> None:
    world, public_id = changing(LATE)
    tell(world, "R-1", "no_show", 2)
    assert stands(world, public_id) == ("no_show", 0)
    assert tasks(public_id)[1:] == [("change", "refused")] and cases() == []


def test_a_person_decides_on_a_no_show_when_the_provider_agreed_to_a_change_that_came_late() -> None:
    world, public_id = changing(LATE)
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Refused("too_late")])
    one_pass(world, adapter, now=LATE)
    tell(world, "R-1", "no_show", 6)
    one_pass(world, adapter, now=AFTER)
    assert stands(world, public_id) == ("confirmed", 1) and cases() == [("old_date_used", "open")]
    tell(world, "R-1", "cancelled", 7)
    assert cases() == [("old_date_used", "cancelled_there")]


def test_a_whole_day_can_be_given_up_until_it_is_over() -> None:
    world, public_id = changing(LATE, days=True)
    tell(world, "R-1", "no_show", 2)
    assert stands(world, public_id) == ("confirmed", 0)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 5)]), now=AFTER)
    assert stands(world, public_id) == ("confirmed", 1)


def test_a_no_show_on_a_date_that_the_booking_came_back_to_is_judged_by_the_change_that_left_it_last() -> None:
    world, public_id = changing()
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Confirmed("R-1", 6), Confirmed("R-3", 7), Confirmed("R-2", 8)])
    for _ in range(2):
        one_pass(world, adapter, now=IN_TIME)
    reschedule(world.principal, public_id, world.slots[0].public_id, now=IN_TIME)
    for _ in range(2):
        one_pass(world, adapter, now=IN_TIME)
    tell(world, "R-3", "no_show", 9)
    assert stands(world, public_id) == ("no_show", 0)


def test_nobody_had_to_come_to_a_second_booking_for_the_same() -> None:
    world, public_id = changing()
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Confirmed("R-1", 6), Refused("too_late")])
    for _ in range(2):
        one_pass(world, adapter, now=IN_TIME)
    of = world.slots[1]
    late = RemoteBooking("R-9", f"{public_id}-2", "confirmed", 7, of.service_date, of.starts_at, of.ends_at)
    with transaction() as session:
        apply_remote(session, world.provider.id, late, now=IN_TIME)
    one_pass(world, adapter, now=IN_TIME)
    assert cases() == [("duplicate_there", "open"), ("cancel_refused", "open")]
    tell(world, "R-9", "no_show", 8, slot=1, now=AFTER + timedelta(hours=1))
    assert stands(world, public_id) == ("confirmed", 1)
    assert cases() == [("duplicate_there", "given_up_in_time"), ("cancel_refused", "given_up_in_time")]


def test_a_no_show_that_came_too_early_is_not_believed_when_the_change_is_refused_on_the_day() -> None:
    world, public_id = changing()
    tell(world, "R-1", "no_show", 2, now=IN_TIME)
    assert cases() == [("too_early", "open")]
    one_pass(world, FakeAdapter(answers=[Refused("sold_out")]), now=AFTER)
    assert stands(world, public_id) == ("confirmed", 0) and cases() == [("too_early", "open")]
    tell(world, "R-1", "no_show", 3)
    assert stands(world, public_id) == ("no_show", 0) and cases() == [("too_early", "corrected_by_provider")]


def test_a_cancel_that_is_refused_after_a_no_show_that_came_too_early_is_a_case() -> None:
    world, _ = changing()
    tell(world, "R-1", "no_show", 2, now=IN_TIME)
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Refused("too_late")])
    for _ in range(2):
        one_pass(world, adapter, now=IN_TIME)
    assert cases() == [("too_early", "open"), ("cancel_refused", "open")]


def test_a_no_show_on_the_old_date_is_no_case_after_the_new_one_was_cancelled_too() -> None:
    world, public_id = changing()
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Confirmed("R-2", 8)])
    one_pass(world, adapter, now=AFTER)
    tell(world, "R-1", "no_show", 6)
    cancel(world.principal, public_id, now=AFTER)
    one_pass(world, adapter, now=AFTER)
    compare(world, public_id, R_1="no_show", R_2="cancelled")
    assert booking_row(public_id).state == "cancelled" and cases() == []
    assert counters(world.entitlement.id)["available"] == 1


def test_a_no_show_on_a_date_that_was_given_up_before_that_day_has_come_says_nothing_yet() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 5)]), now=IN_TIME)
    tell(world, "R-1", "no_show", 6, now=IN_TIME)
    assert cases() == [("too_early", "open")] and tasks(public_id)[-1] == ("cancel", "queued")
