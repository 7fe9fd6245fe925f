"""The old day is served, or told of too early, while a change is under way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.changes.cancel import cancel
from booking.discrepancies import Discrepancy
from marketplace.core.database.db import reading
from providers.port import Cancel, Confirmed, Refused, Unknown
from providers.reported import RemoteBooking
from tests.booking.exchange.replacing import LATER, at, changing, new_one, open_kinds, places, roles, tell
from tests.people import counters
from tests.world import EIGHT, FakeAdapter, World, booking_row, join, one_pass, tasks

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]


def on_the_old_day(world: World, status: str, version: int) -> RemoteBooking:
    slot = world.slots[0]
    return RemoteBooking("R-1", None, status, version, slot.service_date, slot.starts_at, slot.ends_at)  # type: ignore[arg-type]


def test_what_is_told_of_the_old_booking_moves_nothing_any_more() -> None:
    world, public_id = changing()
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Confirmed("R-1", 6)])
    for _ in range(2):
        one_pass(world, adapter, now=LATER)
    tell(world, RemoteBooking("R-1", public_id, "cancelled", 7))
    assert (booking_row(public_id).state, tasks(public_id)[-1], open_kinds()) == ("confirmed", ("cancel", "done"), [])
    tell(world, on_the_old_day(world, "no_show", 8), EIGHT)
    assert (booking_row(public_id).state, open_kinds()) == ("confirmed", [])


@pytest.mark.parametrize("status", ["checked_in", "in_service", "fulfilled"])
def test_the_old_day_that_was_served_before_our_cancel_arrived_counts_and_the_new_one_is_cancelled(status: str) -> None:
    world, public_id = changing(quantity=1)
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Refused("too_late"), Confirmed("R-2", 9)])
    one_pass(world, adapter, now=LATER)
    one_pass(world, adapter, now=EIGHT)
    assert (at(public_id, world), open_kinds()) == (1, ["cancel_refused"])
    assert tell(world, on_the_old_day(world, status, 8), EIGHT) == "applied"
    assert (booking_row(public_id).state, at(public_id, world), places(world)) == (status, 0, [1, 0, 0])
    assert roles(public_id) == {"R-1": "current", "R-2": "superseded"}
    one_pass(world, adapter, now=EIGHT)
    assert (adapter.sent[-1].reference, tasks(public_id)[-1]) == ("R-2", ("cancel", "done"))
    used = counters(world.entitlement.id)["used"]
    assert (used, open_kinds()) == (1 if status == "fulfilled" else 0, [])


def test_the_old_day_that_was_served_needs_no_cancel_that_was_not_sent_yet() -> None:
    world, _ = changing()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 5)]), now=LATER)
    tell(world, on_the_old_day(world, "fulfilled", 8), EIGHT)
    adapter = FakeAdapter(answers=[Confirmed("R-2", 9)])
    one_pass(world, adapter, now=EIGHT)
    assert [sent.reference for sent in adapter.sent] == ["R-2"] and open_kinds() == []


def test_a_cancel_of_the_old_day_that_is_still_unknown_when_that_day_is_served_is_not_sent_again() -> None:
    world, public_id = changing()
    served = on_the_old_day(world, "checked_in", 8)
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Unknown("timed out"), Confirmed("R-2", 9)], found=[served])
    one_pass(world, adapter, now=LATER)
    one_pass(world, adapter, now=EIGHT)
    tell(world, served, EIGHT)
    for minutes in (1, 2):
        one_pass(world, adapter, now=EIGHT + timedelta(minutes=minutes))
    assert [sent.reference for sent in adapter.sent if isinstance(sent, Cancel)] == ["R-1", "R-2"]
    assert (booking_row(public_id).state, at(public_id, world), open_kinds()) == ("checked_in", 0, [])


def test_the_old_day_cannot_come_back_when_its_place_is_sold_and_a_person_decides() -> None:
    world, public_id = changing(capacity=1)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 5)]), now=LATER)
    other = join(world.provider, world.offer, world.slots, phone="13800000029")
    other.submit(0, now=LATER)
    assert tell(world, on_the_old_day(world, "checked_in", 8), EIGHT) == "stray"
    assert (booking_row(public_id).state, at(public_id, world), places(world)) == ("confirmed", 1, [1, 1, 0])
    assert (roles(public_id)["R-2"], open_kinds()) == ("current", ["old_date_used"])


def test_the_old_day_cannot_come_back_when_the_person_is_booked_elsewhere_then_and_a_person_decides() -> None:
    world, public_id = changing(quantity=2)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 5)]), now=LATER)
    world.submit(0, now=LATER)
    assert tell(world, on_the_old_day(world, "fulfilled", 8), EIGHT) == "stray"
    assert (at(public_id, world), places(world), open_kinds()) == (1, [1, 1, 0], ["old_date_used"])


def test_a_service_on_the_old_day_before_that_day_has_come_is_no_evidence() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 5)]), now=LATER)
    assert tell(world, on_the_old_day(world, "fulfilled", 8), LATER) == "stray"
    assert (booking_row(public_id).state, at(public_id, world), open_kinds()) == ("confirmed", 1, ["too_early"])


def test_what_is_told_too_early_of_two_bookings_there_is_two_cases_with_the_dates_that_were_judged() -> None:
    world, public_id = changed()
    tell(world, new_one(world, public_id, "no_show", 8))
    tell(world, on_the_old_day(world, "fulfilled", 9))
    assert early() == {"R-1": "open", "R-2": "open"}
    with reading() as session:
        judged = {row.subject: row.facts["starts_at"] for row in session.scalars(select(Discrepancy))}
    old, new = (slot.starts_at for slot in world.slots[:2])
    assert old and new and judged == {"R-1": old.isoformat(), "R-2": new.isoformat()}
    tell(world, new_one(world, public_id, "confirmed", 9))
    assert early() == {"R-1": "open", "R-2": "corrected_by_provider"}
    tell(world, on_the_old_day(world, "confirmed", 10))
    assert early() == {"R-1": "corrected_by_provider", "R-2": "corrected_by_provider"}


def test_a_cancel_there_ends_what_was_told_too_early_of_that_booking() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 5)]), now=LATER)
    tell(world, on_the_old_day(world, "fulfilled", 8))
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 9)]), now=LATER)
    assert (booking_row(public_id).state, early()) == ("confirmed", {"R-1": "cancelled_there"})


def test_our_own_cancel_ends_whatever_was_told_too_early() -> None:
    world, public_id = changed()
    tell(world, on_the_old_day(world, "fulfilled", 8))
    tell(world, new_one(world, public_id, "no_show", 8))
    cancel(world.principal, public_id, now=LATER)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 10)]), now=LATER)
    assert booking_row(public_id).state == "cancelled"
    assert early() == {"R-1": "booking_ended", "R-2": "booking_ended"}


def test_the_providers_own_cancel_ends_whatever_was_told_too_early() -> None:
    world, public_id = changed()
    tell(world, on_the_old_day(world, "fulfilled", 8))
    tell(world, new_one(world, public_id, "cancelled", 8))
    assert (booking_row(public_id).state, early()) == ("cancelled", {"R-1": "booking_ended"})


def test_an_old_date_that_can_come_back_after_all_needs_no_person_any_more() -> None:
    world, public_id = changing(capacity=1)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 5)]), now=LATER)
    other = join(world.provider, world.offer, world.slots, phone="13800000029")
    taker = other.hold(0, now=LATER)
    tell(world, on_the_old_day(world, "checked_in", 8), EIGHT)
    assert open_kinds() == ["old_date_used"]
    cancel(other.principal, taker, now=LATER)
    tell(world, on_the_old_day(world, "fulfilled", 9), EIGHT)
    assert (booking_row(public_id).state, at(public_id, world), open_kinds()) == ("fulfilled", 0, [])


def changed() -> tuple[World, str]:
    """A booking whose change is done: R-2 is in use, R-1 was cancelled there."""
    world, public_id = changing()
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Confirmed("R-1", 6)])
    for _ in range(2):
        one_pass(world, adapter, now=LATER)
    return world, public_id


def early() -> dict[str, str]:
    """How each case of what came too early ended, by its subject."""
    with reading() as session:
        rows = session.scalars(select(Discrepancy).where(Discrepancy.kind == "too_early"))
        return {row.subject: row.resolution or "open" for row in rows}
