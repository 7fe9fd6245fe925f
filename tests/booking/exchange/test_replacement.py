"""A change at a provider that can't change: a new booking there, and then the old one is cancelled."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from booking.discrepancies import Discrepancy
from booking.views.customer import booking as view
from marketplace.core.database.db import reading
from providers.port import Accepted, Cancel, Confirmed, Refused, Reserve, Unknown
from providers.port import NotFound as NotThere
from providers.reported import RemoteBooking
from tests.booking.exchange.replacing import LATER, ask, at, changing, new_one, open_kinds, places, roles, tell
from tests.people import NOON, counters
from tests.world import EIGHT, FakeAdapter, booking_row, make_world, one_pass, set_provider, tasks

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]


def test_the_new_date_is_booked_under_a_number_of_its_own_and_then_the_old_one_is_cancelled() -> None:
    world, public_id = changing()
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Confirmed("R-1", 6)])
    one_pass(world, adapter, now=LATER)
    (sent,) = adapter.sent
    assert isinstance(sent, Reserve) and sent.our_reference == f"{public_id}-2"
    assert (sent.slot, sent.starts_at) == (world.slots[1].external_ref, world.slots[1].starts_at)
    assert (at(public_id, world), places(world)) == (1, [0, 1, 0])
    assert roles(public_id) == {"R-1": "superseded", "R-2": "current"}
    one_pass(world, adapter, now=LATER)
    gone = adapter.sent[1]
    assert isinstance(gone, Cancel) and (gone.reference, gone.our_reference) == ("R-1", public_id)
    assert tasks(public_id) == [("reserve", "done"), ("change", "done"), ("cancel", "done")]
    assert (booking_row(public_id).state, counters(world.entitlement.id)["reserved"]) == ("confirmed", 1)
    assert open_kinds() == []


def test_a_second_change_and_a_cancel_name_the_newest_booking_by_its_own_number() -> None:
    world, public_id = changing()
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Confirmed("R-1", 6), Confirmed("R-3", 7), Confirmed("R-2", 8)])
    for _ in range(2):
        one_pass(world, adapter, now=LATER)
    reschedule(world.principal, public_id, world.slots[2].public_id, now=LATER)
    for _ in range(2):
        one_pass(world, adapter, now=LATER)
    assert adapter.sent[2].our_reference == f"{public_id}-4"
    assert (adapter.sent[3].reference, adapter.sent[3].our_reference) == ("R-2", f"{public_id}-2")
    cancel(world.principal, public_id, now=LATER)
    adapter.answers.append(Confirmed("R-3", 9))
    one_pass(world, adapter, now=LATER)
    assert (adapter.sent[4].reference, adapter.sent[4].our_reference) == ("R-3", f"{public_id}-4")
    assert (booking_row(public_id).state, places(world)) == ("cancelled", [0, 0, 0])


def test_a_new_booking_that_still_waits_there_moves_nothing_here_and_is_no_difference() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Accepted("R-2", 1)]), now=LATER)
    assert tell(world, new_one(world, public_id, "requested", 2)) == "applied"
    assert (at(public_id, world), roles(public_id)) == (0, {"R-1": "current", "R-2": "pending"})
    assert open_kinds() == []


def test_a_refusal_leaves_the_old_date_and_the_old_booking_there() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Refused("sold_out")]), now=LATER)
    assert (at(public_id, world), places(world), roles(public_id)) == (0, [1, 0, 0], {"R-1": "current"})
    assert view(world.principal, public_id, now=LATER).change_refused == "sold_out"


def test_an_unknown_outcome_is_looked_up_by_the_new_number_and_once_more_before_it_is_sent_again() -> None:
    world, public_id = changing()
    adapter = FakeAdapter(answers=[Unknown("timed out"), Confirmed("R-2", 5)], found=[NotThere(), NotThere()])
    one_pass(world, adapter, now=LATER)
    assert (at(public_id, world), places(world)) == (0, [1, 1, 0])
    assert one_pass(world, adapter, now=LATER + timedelta(seconds=90)) == ["resend"]
    one_pass(world, adapter, now=LATER + timedelta(seconds=91))
    assert [question.our_reference for question in adapter.asked] == [f"{public_id}-2"] * 2
    assert len(adapter.sent) == 2 and at(public_id, world) == 1


def test_what_turns_up_right_before_the_resend_is_taken_and_nothing_is_sent() -> None:
    world, public_id = changing()
    found = new_one(world, public_id, "confirmed", 5)
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[NotThere(), found])
    one_pass(world, adapter, now=LATER)
    one_pass(world, adapter, now=LATER + timedelta(seconds=90))
    one_pass(world, adapter, now=LATER + timedelta(seconds=91))
    assert len(adapter.sent) == 1
    assert (at(public_id, world), roles(public_id)) == (1, {"R-1": "superseded", "R-2": "current"})


def test_a_provider_that_takes_its_time_moves_nothing_until_it_has_decided() -> None:
    world, public_id = changing()
    adapter = FakeAdapter(answers=[Accepted("R-2", 5)])
    one_pass(world, adapter, now=LATER)
    assert roles(public_id) == {"R-1": "current", "R-2": "pending"}
    assert (at(public_id, world), places(world)) == (0, [1, 1, 0])
    assert tell(world, new_one(world, public_id, "confirmed", 6)) == "applied"
    assert (at(public_id, world), places(world)) == (1, [0, 1, 0])
    assert tasks(public_id)[1:] == [("change", "done"), ("cancel", "queued")]


def test_a_provider_that_takes_its_time_is_not_a_silent_one() -> None:
    world, public_id = changing()
    assert one_pass(world, FakeAdapter(answers=[Accepted("R-2", 5)]), now=LATER) == ["waiting"]
    assert not view(world.principal, public_id, now=LATER).change_unknown


def test_a_report_that_completes_the_change_is_followed_at_once() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Accepted("R-2", 5)]), now=LATER)
    tell(world, new_one(world, public_id, "checked_in", 6), EIGHT)
    assert (booking_row(public_id).state, at(public_id, world)) == ("checked_in", 1)


def test_a_no_after_taking_its_time_leaves_the_old_date() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Accepted("R-2", 5)]), now=LATER)
    tell(world, new_one(world, public_id, "rejected", 6))
    assert (at(public_id, world), places(world)) == (0, [1, 0, 0])
    assert tasks(public_id) == [("reserve", "done"), ("change", "refused")]
    ask(world, public_id, 2)


def test_a_cancel_while_the_provider_takes_its_time_ends_both_there() -> None:
    world, public_id = changing(quantity=1)
    one_pass(world, FakeAdapter(answers=[Accepted("R-2", 5)]), now=LATER)
    cancel(world.principal, public_id, now=LATER)
    adapter = FakeAdapter(
        answers=[Confirmed("R-1", 9), Confirmed("R-2", 9)], found=[new_one(world, public_id, "requested", 5)]
    )
    for _ in range(3):
        one_pass(world, adapter, now=LATER + timedelta(seconds=30))
    assert {(sent.reference, sent.our_reference) for sent in adapter.sent} == {
        ("R-1", public_id),
        ("R-2", f"{public_id}-2"),
    }
    assert (booking_row(public_id).state, places(world)) == ("cancelled", [0, 0, 0])
    assert counters(world.entitlement.id)["available"] == 1


def test_a_yes_to_a_change_that_was_taken_back_is_cancelled_there_and_the_cancel_goes_on() -> None:
    world, public_id = changing(quantity=1)
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=LATER)
    cancel(world.principal, public_id, now=LATER)
    adapter = FakeAdapter(
        answers=[Confirmed("R-1", 9), Confirmed("R-2", 9)], found=[new_one(world, public_id, "confirmed", 5)]
    )
    for _ in range(3):
        one_pass(world, adapter, now=LATER + timedelta(seconds=30))
    assert sorted(sent.reference for sent in adapter.sent) == ["R-1", "R-2"]
    assert (booking_row(public_id).state, places(world)) == ("cancelled", [0, 0, 0])


def test_an_arrival_while_the_change_is_open_gives_it_up() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Accepted("R-2", 5)]), now=LATER)
    tell(world, RemoteBooking("R-1", public_id, "checked_in", 8), EIGHT)
    one_pass(world, FakeAdapter(found=[new_one(world, public_id, "confirmed", 9)]), now=EIGHT)
    assert (booking_row(public_id).state, at(public_id, world), places(world)) == ("checked_in", 0, [1, 1, 0])
    assert roles(public_id) == {"R-1": "current", "R-2": "stray"} and tasks(public_id)[-1] == ("cancel", "queued")
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 10)]), now=EIGHT)
    assert places(world) == [1, 0, 0]


def test_a_second_booking_under_the_number_of_a_change_is_cancelled_and_explained() -> None:
    world, public_id = changing()
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Confirmed("R-1", 6), Confirmed("R-9", 8)])
    for _ in range(2):
        one_pass(world, adapter, now=LATER)
    assert tell(world, new_one(world, public_id, "confirmed", 7, "R-9")) == "stray"
    assert open_kinds() == ["duplicate_there"]
    one_pass(world, adapter, now=LATER)
    assert (adapter.sent[2].reference, adapter.sent[2].our_reference) == ("R-9", f"{public_id}-2")
    assert roles(public_id) == {"R-1": "superseded", "R-2": "current", "R-9": "stray"}
    with reading() as session:
        assert session.scalars(select(Discrepancy.resolution)).all() == ["cancelled_there"]


def test_when_the_later_of_two_is_seen_first_one_of_them_stays() -> None:
    world, public_id = changing()
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=LATER)
    tell(world, new_one(world, public_id, "requested", 5, "R-9"))
    tell(world, new_one(world, public_id, "requested", 5, "R-2"))
    assert roles(public_id) == {"R-1": "current", "R-2": "stray", "R-9": "pending"}
    adapter = FakeAdapter(
        answers=[Confirmed("R-1", 9), Confirmed("R-9", 9)], found=[new_one(world, public_id, "confirmed", 6)]
    )
    for _ in range(4):
        one_pass(world, adapter, now=LATER + timedelta(seconds=30))
    assert roles(public_id) == {"R-1": "superseded", "R-2": "current", "R-9": "stray"}
    assert sorted(sent.reference for sent in adapter.sent) == ["R-1", "R-9"]
    assert open_kinds() == []


def test_allotted_places_switch_at_once_and_the_provider_gets_a_new_booking_and_a_cancel() -> None:
    world, public_id = changing(allotment=True)
    assert at(public_id, world) == 1
    adapter = FakeAdapter(answers=[Confirmed("R-2", 5), Confirmed("R-1", 6)])
    for _ in range(2):
        one_pass(world, adapter, now=LATER)
    assert [type(sent) for sent in adapter.sent] == [Reserve, Cancel]
    assert roles(public_id) == {"R-1": "superseded", "R-2": "current"}


def test_the_providers_own_cancel_ends_the_change_and_what_comes_of_it() -> None:
    world, public_id = changing(quantity=1)
    one_pass(world, FakeAdapter(answers=[Accepted("R-2", 5)]), now=LATER)
    tell(world, RemoteBooking("R-1", public_id, "cancelled", 8))
    assert (booking_row(public_id).state, places(world)) == ("cancelled", [0, 0, 0])
    adapter = FakeAdapter(answers=[Confirmed("R-2", 10)], found=[new_one(world, public_id, "confirmed", 9)])
    for _ in range(2):
        one_pass(world, adapter, now=LATER + timedelta(minutes=1))
    assert [sent.reference for sent in adapter.sent] == ["R-2"]
    assert counters(world.entitlement.id)["available"] == 1


def test_a_first_booking_is_looked_up_once_more_before_it_is_sent_again() -> None:
    world = make_world()
    set_provider(world.provider, adapter="day_capacity")
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Unknown("timed out"), Confirmed("R-1", 1)], found=[NotThere(), NotThere()])
    for seconds in (0, 90, 91):
        one_pass(world, adapter, now=NOON + timedelta(seconds=seconds))
    assert len(adapter.asked) == 2 and len(adapter.sent) == 2
    assert booking_row(public_id).state == "confirmed"


def test_a_late_commit_of_the_first_send_is_cancelled_and_explained() -> None:
    world = make_world()
    set_provider(world.provider, adapter="day_capacity")
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Unknown("timed out"), Confirmed("R-1", 1)], found=[NotThere(), NotThere()])
    for seconds in (0, 90, 91):
        one_pass(world, adapter, now=NOON + timedelta(seconds=seconds))
    late = RemoteBooking("R-0", public_id, "confirmed", 3, booking_row(public_id).service_date)
    assert tell(world, late) == "stray" and open_kinds() == ["duplicate_there"]
    adapter.answers.append(Confirmed("R-0", 4))
    one_pass(world, adapter, now=LATER)
    assert roles(public_id) == {"R-0": "stray", "R-1": "current"} and open_kinds() == []
    assert (booking_row(public_id).state, places(world)) == ("confirmed", [1, 0, 0])
