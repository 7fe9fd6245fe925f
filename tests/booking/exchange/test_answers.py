"""What an answer, a look-up or a message says of its own command and booking, and of nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update

from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from booking.discrepancies import Discrepancy
from booking.exchange.escalate import ASK_A_PERSON, raise_unknown
from booking.exchange.inbound import apply_remote
from booking.exchange.provider_bookings import ProviderBookings
from booking.feeds.cursors import done
from booking.models import Booking, ChangeRequest, Feed, ProviderTask
from booking.notices.models import Notification
from booking.notices.told_otherwise import notify_difference, notify_moved_slot
from booking.states import BookingState
from booking.transition import lock_booking
from marketplace.catalog.models import Offer
from marketplace.core.database.db import engine, reading, transaction
from providers.port import Accepted, Confirmed, Refused, Reserve, RetryAfter, Unknown
from providers.reported import RemoteBooking
from tests.people import NOON, counters
from tests.world import (
    DAY,
    EIGHT,
    FakeAdapter,
    World,
    booking_row,
    claim_all,
    go,
    history,
    join,
    make_world,
    one_pass,
    remote,
    set_provider,
    taken,
    tasks,
)

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]

SOON = NOON + timedelta(seconds=1)
LATER = NOON + timedelta(minutes=5)
S = BookingState


def confirmed(**world: Any) -> tuple[World, str]:
    made = make_world(**world)
    public_id = made.submit()
    one_pass(made, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    return made, public_id


def changing(adapter: str = "open_protocol", **world: Any) -> tuple[World, str]:
    """A change from the first slot to the second is asked for."""
    made, public_id = confirmed(**world)
    set_provider(made.provider, adapter=adapter, settle_window_seconds=0)
    reschedule(made.principal, public_id, made.slots[1].public_id, now=SOON)
    return made, public_id


def tell(world: World, there: RemoteBooking, now: Any = LATER) -> str:
    with transaction() as session:
        return apply_remote(session, world.provider.id, there, now=now).what


def at_slot(world: World, slot: int, reference: str, ours: str | None, status: str, version: int) -> RemoteBooking:
    of = world.slots[slot]
    return RemoteBooking(reference, ours, status, version, of.service_date, of.starts_at, of.ends_at)  # type: ignore[arg-type]


def open_kinds() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Discrepancy.kind).where(Discrepancy.closed_at.is_(None))))


def asked() -> list[str]:
    """The bookings about which a person is asked."""
    query = select(Discrepancy.subject).where(Discrepancy.kind == "outcome_unknown", Discrepancy.closed_at.is_(None))
    with reading() as session:
        return list(session.scalars(query))


def notices(kind: str) -> list[str]:
    """The bookings of which this was told."""
    told = select(Booking.public_id).join(Notification, Notification.booking_id == Booking.id)
    with reading() as session:
        return list(session.scalars(told.where(Notification.kind == kind)))


def test_a_command_names_the_place_that_the_booking_has_now() -> None:
    world = make_world()
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Confirmed("R-1", 1), Confirmed("R-1", 2)])
    one_pass(world, adapter, now=NOON)
    (sent,) = adapter.sent
    assert isinstance(sent, Reserve) and (sent.slot, sent.our_reference) == (world.slots[0].external_ref, public_id)


def test_a_change_is_asked_about_by_the_reference_that_it_moves() -> None:
    world, public_id = changing()
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[at_slot(world, 1, "R-1", public_id, "confirmed", 2)])
    one_pass(world, adapter, now=SOON)
    one_pass(world, adapter, now=LATER)
    (question,) = adapter.asked
    assert (question.our_reference, question.reference) == (public_id, "R-1")
    assert booking_row(public_id).starts_at == world.slots[1].starts_at


def test_an_open_page_learns_once_that_the_answer_to_a_change_is_not_known() -> None:
    world, public_id = changing()
    version = booking_row(public_id).version
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[Unknown("timed out"), Unknown("timed out")])
    for minutes in (1, 2, 4):
        one_pass(world, adapter, now=NOON + timedelta(minutes=minutes))
        assert booking_row(public_id).version == version + 1


def test_an_unknown_reserve_is_one_move_and_no_other_version() -> None:
    world = make_world()
    public_id = world.submit()
    version = booking_row(public_id).version
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=NOON)
    assert (booking_row(public_id).version, history(public_id)[-1]) == (version + 1, "outcome_unknown")


@pytest.mark.parametrize(
    ("status", "task", "states"), [("rejected", "refused", ["rejected"]), ("confirmed", "done", ["confirmed"])]
)
def test_a_message_is_the_answer_that_was_missing(status: str, task: str, states: list[str]) -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=NOON)
    tell(world, remote(public_id, status))
    assert tasks(public_id) == [("reserve", task)]
    assert history(public_id) == ["held", "awaiting_provider", "outcome_unknown", *states]


def test_a_rejection_after_a_yes_is_a_cancel() -> None:
    world, public_id = confirmed()
    tell(world, remote(public_id, "rejected", 2))
    assert history(public_id)[-1] == "cancelled"


def test_the_reason_of_a_rejection_that_is_looked_up_is_the_providers() -> None:
    world = make_world()
    public_id = world.submit()
    found = remote(public_id, "rejected", 2, reason="device_broken")
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[found])
    one_pass(world, adapter, now=NOON)
    one_pass(world, adapter, now=LATER)
    assert (booking_row(public_id).state, booking_row(public_id).cause) == ("rejected", "device_broken")


def test_a_change_whose_booking_has_ended_there_is_refused_with_its_reason() -> None:
    world, public_id = changing()
    found = remote(public_id, "cancelled", 3, reason="site_closed")
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=[found])
    one_pass(world, adapter, now=SOON)
    one_pass(world, adapter, now=LATER)
    with reading() as session:
        request = session.scalars(select(ChangeRequest)).one()
    assert (request.state, request.refusal) == ("refused", "site_closed")
    assert (booking_row(public_id).state, [taken(slot) for slot in world.slots]) == ("cancelled", [0, 0, 0])


@pytest.mark.parametrize("adapter", ["open_protocol", "day_capacity"])
def test_a_change_of_allotted_places_that_the_provider_refuses_is_a_case(adapter: str) -> None:
    """Our books have moved already; the person is expected on another day there."""
    world, public_id = changing(adapter, allotment=True)
    assert booking_row(public_id).starts_at == world.slots[1].starts_at
    one_pass(world, FakeAdapter(answers=[Refused("sold_out")]), now=LATER)
    assert open_kinds() == ["time_differs"]


@pytest.mark.parametrize(("told", "kinds"), [("checked_in", ["time_differs"]), ("cancelled", [])])
def test_a_yes_to_a_change_of_a_booking_that_went_on_meanwhile(told: str, kinds: list[str]) -> None:
    """It is expected on the new day there, and came on the old one; nothing of that matters once it has ended."""
    world, public_id = changing()
    with transaction() as session:
        session.execute(update(Offer).values(lead_minutes=0))
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=EIGHT)
    tell(world, at_slot(world, 0, "R-1", public_id, told, 2), EIGHT)
    found = at_slot(world, 1, "R-1", public_id, "confirmed", 3)
    one_pass(world, FakeAdapter(found=[found]), now=EIGHT + timedelta(minutes=2))
    assert booking_row(public_id).state == told and open_kinds() == kinds


def test_where_a_change_is_a_new_booking_the_old_one_does_not_accept_it() -> None:
    world, public_id = changing("day_capacity")
    tell(world, at_slot(world, 1, "R-1", public_id, "confirmed", 2))
    assert (booking_row(public_id).starts_at, open_kinds()) == (world.slots[0].starts_at, ["time_differs"])


def test_a_new_booking_that_the_provider_has_not_decided_on_is_not_cancelled_there() -> None:
    world, public_id = changing("day_capacity")
    one_pass(world, FakeAdapter(answers=[Unknown("timed out")]), now=SOON)
    assert tell(world, at_slot(world, 1, "R-2", f"{public_id}-2", "requested", 1)) == "applied"
    assert tasks(public_id) == [("reserve", "done"), ("change", "unknown")]
    assert (booking_row(public_id).starts_at, open_kinds()) == (world.slots[0].starts_at, [])


def test_the_day_that_was_served_is_found_among_several_that_were_given_up() -> None:
    world, public_id = changing("day_capacity", quantity=1)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 2)]), now=LATER)
    reschedule(world.principal, public_id, world.slots[2].public_id, now=LATER)
    with transaction() as session:
        session.execute(update(ProviderTask).where(ProviderTask.command == "cancel").values(state="done"))
    one_pass(world, FakeAdapter(answers=[Confirmed("R-3", 3)]), now=LATER)
    assert booking_row(public_id).starts_at == world.slots[2].starts_at
    tell(world, at_slot(world, 0, "R-1", public_id, "fulfilled", 8), EIGHT)
    assert booking_row(public_id).starts_at == world.slots[0].starts_at
    assert ([taken(slot) for slot in world.slots], counters(world.entitlement.id)["used"]) == ([1, 0, 0], 1)


def test_a_change_back_that_was_not_sent_needs_no_answer_once_that_day_is_served() -> None:
    world, public_id = changing("day_capacity", quantity=1)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 2)]), now=LATER)
    with transaction() as session:
        session.execute(update(ProviderTask).where(ProviderTask.command == "cancel").values(state="done"))
    reschedule(world.principal, public_id, world.slots[0].public_id, now=LATER)
    tell(world, at_slot(world, 0, "R-1", public_id, "fulfilled", 8), EIGHT)
    assert (booking_row(public_id).state, booking_row(public_id).starts_at) == ("fulfilled", world.slots[0].starts_at)
    assert [state for command, state in tasks(public_id) if command == "change"] == ["done", "refused"]


def test_a_surplus_that_nobody_came_to_ends_its_own_cancel_and_only_while_it_was_not_sent() -> None:
    _, public_id = confirmed()
    with transaction() as session:
        booking, _ = lock_booking(session, booking_row(public_id).id)
        theirs = ProviderBookings(session, booking)
        for reference in ("R-7", "R-8", "R-9"):
            theirs.cancel_there(reference, NOON)
        sent = session.scalars(select(ProviderTask).where(ProviderTask.facts["reference"].astext == "R-9")).one()
        sent.first_sent_at, sent.state = NOON, "unknown"
        session.flush()
        for reference in ("R-8", "R-9"):
            theirs.surplus_missed(reference, LATER)
    assert tasks(public_id)[1:] == [("cancel", "queued"), ("cancel", "refused"), ("cancel", "unknown")]


def test_what_the_provider_has_of_a_booking_that_ended_is_not_the_current_one() -> None:
    world = make_world()
    public_id = world.submit()
    cancel(world.principal, public_id, now=SOON)
    tell(world, remote(public_id, "confirmed", 1, "R-9"))
    with reading() as session:
        theirs = ProviderBookings(session, booking_row(public_id))
        row = theirs.known("R-9")
        assert theirs.current is None and row is not None and row.role == "stray"


def test_that_another_provider_was_read_says_nothing_of_a_decision_that_could_not_be_seen() -> None:
    other, world = make_world(phone="13800000099"), make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    done(other.provider.id, Feed.BOOKINGS, "c", now=NOON + ASK_A_PERSON)
    raise_unknown(now=NOON + ASK_A_PERSON)
    assert asked() == [public_id]


def test_a_list_that_was_last_read_just_as_long_ago_is_too_old() -> None:
    world = make_world()
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Accepted("R-1", 1)]), now=NOON)
    done(world.provider.id, Feed.BOOKINGS, "c", now=LATER)
    raise_unknown(now=LATER + ASK_A_PERSON - timedelta(microseconds=1))
    assert asked() == []
    raise_unknown(now=LATER + ASK_A_PERSON)
    assert asked() == [public_id]


@pytest.mark.parametrize("before", [Unknown("timed out"), RetryAfter(1, reached=False)])
def test_a_command_that_is_about_to_be_sent_again_has_its_chance_first(before: Any) -> None:
    world, public_id = confirmed()
    set_provider(world.provider, settle_window_seconds=0)
    cancel(world.principal, public_id, now=NOON)
    one_pass(world, FakeAdapter(answers=[before]), now=NOON)
    late = NOON + ASK_A_PERSON
    if isinstance(before, RetryAfter):  # a worker took it, and died before it could say how that went
        assert len(claim_all(world, now=late - timedelta(minutes=2), worker="dies")) == 1
    assert one_pass(world, FakeAdapter(found=[at_slot(world, 0, "R-1", public_id, "confirmed", 1)]), now=late) == [
        "resend"
    ]
    raise_unknown(now=late)
    assert (tasks(public_id)[-1], asked()) == (("cancel", "queued"), [])


@pytest.mark.parametrize(
    ("kind", "facts", "told"),
    [
        ("time_differs", {}, True),
        ("slot_moved", {}, True),
        ("ours_only", {}, True),
        ("state_differs", {"theirs": "cancelled"}, True),
        ("state_differs", {"theirs": "fulfilled"}, False),
        ("duplicate_there", {}, False),
    ],
)
def test_she_is_told_of_what_is_about_whether_or_when_she_is_expected(kind: str, facts: Any, told: bool) -> None:
    _, public_id = confirmed()
    for state in (S.CONFIRMED, S.IN_SERVICE):  # who is there already has no use for it
        if state is not S.CONFIRMED:
            go(public_id, state)
        with transaction() as session:
            notify_difference(session, session.merge(booking_row(public_id)), kind, facts, now=NOON)
        assert notices("provider_differs") == ([public_id] if told else [])


def test_of_a_slot_that_moved_those_are_told_who_have_it_now() -> None:
    world, _ = confirmed()
    other = join(world.provider, world.offer, world.slots, phone="13800000099")
    hers = other.submit(1)
    one_pass(other, FakeAdapter(answers=[Confirmed("R-2", 1)]), now=NOON)
    with transaction() as session:
        notify_moved_slot(session, world.slots[1].public_id, {"service_date": str(DAY)}, now=NOON)
    assert notices("provider_differs") == [hers]


def test_a_report_locks_the_bookings_commands_once() -> None:
    world, public_id = confirmed()
    locked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM provider_task" in statement and "FOR UPDATE" in statement:
            locked.append(statement)

    event.listen(engine(), "before_cursor_execute", note)
    try:
        assert tell(world, remote(public_id, "confirmed", 5)) == "applied"
    finally:
        event.remove(engine(), "before_cursor_execute", note)
    assert len(locked) == 1
