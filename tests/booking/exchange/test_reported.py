"""What a provider reports by itself: newer and older versions, surplus, what we never asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from booking.changes.cancel import cancel
from booking.exchange.escalate import raise_unknown
from booking.exchange.follow import follow_state
from booking.exchange.provider_bookings import ProviderBookings
from booking.exchange.settle import settle_answer
from booking.sync.webhooks import forget_events, receive_event
from booking.transition import lock_booking
from marketplace.core.database.db import transaction
from providers.port import Accepted, Confirmed, Refused, Unknown
from providers.reported import Event
from tests.booking.exchange.settling import LATER, SOON, open_cases, roles, state, tell, unit
from tests.people import NOON
from tests.world import (
    EIGHT,
    FakeAdapter,
    booking_row,
    claim_all,
    history,
    make_world,
    one_pass,
    remote,
    tasks,
)
from vip.models import Entitlement

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]


def test_a_late_yes_to_an_ended_booking_starts_a_compensating_cancel() -> None:
    world = make_world(quantity=1)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    assert tell(world, remote(public_id, "cancelled", 2)) == "applied"
    assert (state(public_id), unit(world)) == ("cancelled", (1, 0, 0))
    tell(world, remote(public_id, "confirmed", 3, "R-2"))
    assert state(public_id) == "cancelled"
    assert roles(public_id) == {"R-1": "current", "R-2": "stray"}
    adapter = FakeAdapter(answers=[Confirmed("R-2", 4)])
    one_pass(world, adapter, now=LATER)
    assert adapter.sent[0].reference == "R-2"
    assert unit(world) == (1, 0, 0)


def test_a_second_booking_for_the_same_is_cancelled_and_the_first_stays() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    assert tell(world, remote(public_id, "confirmed", 1, "R-2")) == "stray"
    adapter = FakeAdapter(answers=[Confirmed("R-2", 2)])
    one_pass(world, adapter, now=LATER)
    assert (adapter.sent[0].reference, state(public_id)) == ("R-2", "confirmed")


def test_an_older_version_never_overwrites_a_newer() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    assert tell(world, remote(public_id, "fulfilled", 5), EIGHT) == "applied"
    assert tell(world, remote(public_id, "cancelled", 4), EIGHT) == "unchanged"
    assert state(public_id) == "fulfilled"


def test_a_message_may_arrive_before_the_answer() -> None:
    world = make_world(quantity=1)
    public_id = world.submit()
    (claimed,) = claim_all(world, now=NOON)
    assert tell(world, remote(public_id, "fulfilled", 3), EIGHT) == "applied"
    assert history(public_id) == ["held", "awaiting_provider", "confirmed", "fulfilled"]
    assert settle_answer(claimed, Confirmed("R-1", 1), now=LATER).what == "stale"
    assert unit(world) == (0, 0, 1)


def test_a_message_that_nothing_is_decided_yet_leaves_the_reserve_to_be_looked_up() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=NOON)
    assert tell(world, remote(public_id, "requested")) == "applied"
    assert (state(public_id), tasks(public_id)) == ("outcome_unknown", [("reserve", "unknown")])


@pytest.mark.parametrize("status", ["rejected", "cancelled"])
def test_a_no_by_message_to_what_waits_for_its_provider_confirms_nothing_first(status: str) -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    tell(world, remote(public_id, status, 2))
    assert history(public_id) == ["held", "awaiting_provider", status]


def test_a_providers_cancel_gives_the_unit_back() -> None:
    world = make_world(quantity=1)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    tell(world, remote(public_id, "cancelled", 2, reason="closed"))
    assert (state(public_id), booking_row(public_id).cause, unit(world)) == ("cancelled", "closed", (1, 0, 0))


def test_a_booking_we_do_not_know_is_a_difference() -> None:
    world = make_world()
    assert tell(world, remote("bkg_00000000000000000000", "confirmed")) == "unmatched"
    assert open_cases() == ["theirs_only"]


def test_the_same_webhook_twice_has_one_effect() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    event = Event("evt-1", "booking.confirmed", NOON, remote(public_id, "confirmed", 2))
    assert receive_event(world.provider.id, event, now=SOON) == "applied"
    assert receive_event(world.provider.id, event, now=SOON) == "duplicate"
    assert history(public_id).count("confirmed") == 1
    assert forget_events(now=SOON + timedelta(days=89)) == 0
    assert forget_events(now=SOON + timedelta(days=91)) == 1


def test_allotment_places_are_firm_at_once_and_cancel_at_once() -> None:
    world = make_world(quantity=1, allotment=True)
    public_id = world.submit()
    assert state(public_id) == "confirmed"
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1")]), now=NOON)
    cancel(world.principal, public_id, now=SOON)
    assert (state(public_id), unit(world)) == ("cancelled", (1, 0, 0))
    adapter = FakeAdapter(answers=[Confirmed("R-1", 2)])
    one_pass(world, adapter, now=LATER)
    assert adapter.sent[0].reference == "R-1"


def test_an_allotment_the_provider_refuses_is_a_difference_not_a_lost_booking() -> None:
    world = make_world(allotment=True)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Refused("sold_out")]), now=NOON)
    assert state(public_id) == "confirmed"
    assert open_cases() == ["allotment_refused"]


def test_a_provider_cannot_confirm_what_it_was_never_asked() -> None:
    world = make_world()
    public_id = world.hold()
    assert tell(world, remote(public_id, "confirmed")) == "unmatched"
    assert (state(public_id), open_cases()) == ("held", ["theirs_only"])


@pytest.mark.parametrize("status", ["cancelled", "rejected"])
def test_what_is_over_there_and_was_never_asked_is_no_difference(status: str) -> None:
    world = make_world()
    public_id = world.hold()
    assert tell(world, remote(public_id, status)) == "unmatched"
    assert (state(public_id), open_cases()) == ("held", [])


def test_a_provider_that_has_not_decided_yet_moves_no_booking_and_makes_no_difference() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    undecided = remote(public_id, "requested", 2)
    with transaction() as session:
        booking, _ = lock_booking(session, booking_row(public_id).id)
        follow_state(session, booking, ProviderBookings(session, booking), undecided, LATER)
    assert (state(public_id), open_cases()) == ("confirmed", [])


def test_an_older_answer_does_not_bring_an_older_status_back() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    with transaction() as session:
        booking, _ = lock_booking(session, booking_row(public_id).id)
        theirs = ProviderBookings(session, booking)
        told = [("cancelled", 3), ("confirmed", 2), ("rejected", 3)]
        kept = [theirs.record(remote(public_id, status, version), LATER) for status, version in told[:2]]
        assert [(row.status, row.version) for row in kept] == [("cancelled", 3)] * 2
        same = theirs.record(remote(public_id, *told[2]), LATER)
        assert (same.status, same.version) == ("rejected", 3)


def test_a_reference_that_the_provider_reuses_moves_nobody_elses_booking() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    assert tell(world, remote("bkg_00000000000000000000", "cancelled", 9)) == "unmatched"
    assert state(public_id) == "confirmed"


def test_a_look_up_that_finds_the_service_given_moves_the_booking_there() -> None:
    world = make_world(quantity=1)
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[remote(public_id, "fulfilled", 4)])
    one_pass(world, adapter, now=NOON)
    assert one_pass(world, adapter, now=EIGHT) == ["applied"]
    assert history(public_id)[-2:] == ["confirmed", "fulfilled"]
    assert unit(world) == (0, 0, 1)


@pytest.mark.parametrize("status", ["rejected", "cancelled", "requested", "checked_in"])
def test_whatever_a_look_up_finds_ends_the_case(status: str) -> None:
    world = make_world()
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[remote(public_id, status)])
    one_pass(world, adapter, now=NOON)
    assert raise_unknown(now=NOON + timedelta(minutes=10)) == 1
    one_pass(world, adapter, now=EIGHT)
    assert open_cases() == []


def test_a_cancel_that_was_unknown_leaves_no_case_when_it_is_done() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1")]), now=NOON)
    cancel(world.principal, public_id, now=SOON)
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[remote(public_id, "cancelled", 2)])
    one_pass(world, adapter, now=LATER)
    raise_unknown(now=LATER + timedelta(minutes=10))
    assert open_cases() == ["outcome_unknown"]
    one_pass(world, adapter, now=LATER + timedelta(minutes=11))
    assert (state(public_id), open_cases()) == ("cancelled", [])


def test_the_oldest_cases_do_not_hide_a_new_one() -> None:
    world = make_world(slots=3, quantity=3)
    for slot in range(3):
        world.submit(slot)
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")] * 3), now=NOON)
    assert [raise_unknown(now=LATER + timedelta(minutes=10), limit=2) for _ in range(3)] == [2, 1, 0]
    assert open_cases() == ["outcome_unknown"] * 3


@pytest.mark.parametrize(("quantity", "again"), [(1, 1), (2, 0)], ids=["the unit is spent", "the person is elsewhere"])
def test_a_dispute_that_our_books_cannot_take_is_a_difference_and_stops_no_feed(quantity: int, again: int) -> None:
    world = make_world(quantity=quantity)
    with transaction() as session:
        session.execute(update(Entitlement).values(no_show_uses=False))
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    assert tell(world, remote(public_id, "no_show", 2), EIGHT) == "applied"
    other = world.submit(again, now=LATER)
    assert tell(world, remote(public_id, "checked_in", 3), EIGHT) == "applied"
    assert (state(public_id), state(other)) == ("no_show", "awaiting_provider")
    assert open_cases() == ["state_differs"]
    assert unit(world) == (quantity - 1, 1, 0)
