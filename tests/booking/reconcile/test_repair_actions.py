"""What each repair of a discrepancy does here and there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from booking.actors import CLOCK
from booking.discrepancies import Discrepancy, open_discrepancy
from booking.exchange.escalate import raise_unknown
from booking.models import Booking
from booking.notices.models import Notification
from booking.reconcile.models import ReconcileRun
from booking.reconcile.repair import repair
from booking.reconcile.repair_actions import NoSuchTime, NotThisRepair
from booking.reconcile.run import run_due, run_now
from booking.refusals import SlotFull
from booking.sync.slots import apply_slots
from booking.sync.webhooks import receive_event
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid
from providers.port import Confirmed, Unknown
from providers.port import NotFound as NotThere
from providers.reported import Event, RemoteBooking, RemoteSlot
from tests.booking.reconcile.differences import (
    LATER,
    adapter_row,
    audited,
    case,
    cases,
    compare,
    confirmed,
    fits,
    lost,
    moved,
    one_place,
)
from tests.books import Books
from tests.people import NOON, counters
from tests.world import EIGHT, FakeAdapter, World, booking_row, connection_to, history, one_pass, taken, tasks
from vip.entitlements.of_customer import NotValidYet, ValidityOver
from vip.models import Entitlement
from vip.principal import Principal

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def world() -> World:
    return one_place()


@pytest.fixture
def books() -> Books:
    return Books()


def test_sending_again_makes_a_new_command_once(world: World, books: Books, operator: Principal) -> None:
    public_id, found = lost(world, books)
    repair(operator, found.public_id, "send_again", now=LATER)
    repair(operator, found.public_id, "send_again", now=LATER)
    assert tasks(public_id) == [("reserve", "done"), ("reserve", "queued")]
    adapter = FakeAdapter(answers=[Confirmed("R-2", 1)])
    one_pass(world, adapter, now=LATER)
    books.put(adapter_row(world, public_id, "R-2"))
    compare(world, books)
    assert cases() == [] and booking_row(public_id).state.value == "confirmed"
    assert audited() == ["send_again", "send_again"]


def test_a_lost_one_that_turns_up_beside_the_new_one_is_cancelled(
    world: World, books: Books, operator: Principal
) -> None:
    public_id, found = lost(world, books)
    repair(operator, found.public_id, "send_again", now=LATER)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-2", 1)]), now=LATER)
    books.put(adapter_row(world, public_id, "R-2"))
    books.put(adapter_row(world, public_id, "R-1"))
    compare(world, books)
    assert ("duplicate_there", "R-1") in [(each.kind, each.subject) for each in cases()]
    assert tasks(public_id)[-1] == ("cancel", "queued")


def test_cancelling_here_gives_the_benefit_back_and_makes_sure_there(
    world: World, books: Books, operator: Principal
) -> None:
    public_id, found = lost(world, books)
    repair(operator, found.public_id, "cancel_here", now=LATER)
    repair(operator, found.public_id, "cancel_here", now=LATER)
    row = booking_row(public_id)
    assert (row.state.value, row.cause) == ("cancelled", "settled_by_operator")
    assert counters(world.entitlement.id)["available"] == 1 and taken(world.slots[0]) == 0
    assert cases() == [] and audited() == ["cancel_here"]
    assert tasks(public_id)[1:] == [("cancel", "queued")]
    adapter = FakeAdapter(answers=[NotThere()])
    one_pass(world, adapter, now=LATER)
    assert tasks(public_id)[1:] == [("cancel", "done")] and booking_row(public_id).state.value == "cancelled"


def test_cancelling_here_what_is_gone_there_ends_what_was_told_too_early_of_it(
    world: World, books: Books, operator: Principal
) -> None:
    confirmed(world, books)
    books.change("R-1", status="fulfilled")
    compare(world, books)
    assert case().kind == "too_early"
    books.rows.clear()
    compare(world, books)
    (found,) = [each for each in cases() if each.kind == "ours_only"]
    repair(operator, found.public_id, "cancel_here", now=LATER)
    assert cases() == []
    with reading() as session:
        ends = session.execute(select(Discrepancy.kind, Discrepancy.resolution).order_by(Discrepancy.id)).all()
    assert ends == [("too_early", "booking_ended"), ("ours_only", "cancelled_here")]


def test_a_used_one_that_they_cancelled_is_taken_out_as_an_error(
    world: World, books: Books, operator: Principal
) -> None:
    public_id = confirmed(world, books)
    books.rows["R-1"] = adapter_row(world, public_id, "R-1")
    with transaction() as session:
        session.execute(update(Booking).values(updated_at=NOON))
    event = Event("e1", "booking.fulfilled", NOON, RemoteBooking("R-1", public_id, "fulfilled", 2))
    receive_event(world.provider.id, event, now=EIGHT)
    books.change("R-1", status="cancelled", version=3)
    compare(world, books)
    assert fits(case()) == ["look_up", "cancel_here", "note"]
    assert (case().quota_units, case().money_minor) == (-1, -128000)
    repair(operator, case().public_id, "cancel_here", now=LATER)
    assert booking_row(public_id).state.value == "entered_in_error"
    found = counters(world.entitlement.id)
    assert (found["available"], found["used"]) == (1, 0)
    compare(world, books)
    assert cases() == []


def test_their_time_is_taken_over_with_its_place_and_the_customer_told(
    world: World, books: Books, operator: Principal
) -> None:
    public_id, found = moved(world, books)
    assert fits(found) == ["look_up", "take_their_time", "cancel_here", "note"]
    repair(operator, found.public_id, "take_their_time", now=LATER)
    repair(operator, found.public_id, "take_their_time", now=LATER)
    assert booking_row(public_id).starts_at == world.slots[1].starts_at
    assert (taken(world.slots[0]), taken(world.slots[1])) == (0, 1)
    with reading() as session:
        (told,) = session.scalars(select(Notification).where(Notification.kind == "changed"))
    assert told.booking_id == booking_row(public_id).id
    compare(world, books)
    assert cases() == []


def test_their_time_outside_of_the_benefits_validity_is_refused(
    world: World, books: Books, operator: Principal
) -> None:
    public_id, found = moved(world, books)
    day = world.slots[1].service_date
    for first, last, refusal in (
        (day + timedelta(days=1), day + timedelta(days=9), NotValidYet),
        (day - timedelta(days=9), day - timedelta(days=1), ValidityOver),
    ):
        with transaction() as session:
            session.execute(update(Entitlement).values(valid_from=first, valid_until=last))
        with pytest.raises(refusal):
            repair(operator, found.public_id, "take_their_time", now=LATER)
    assert booking_row(public_id).starts_at == world.slots[0].starts_at


def test_their_time_without_a_slot_or_a_place_is_refused(world: World, books: Books, operator: Principal) -> None:
    public_id, found = moved(world, books)
    with transaction() as session:
        session.execute(
            update(Discrepancy).values(facts={**found.facts, "starts_at": (NOON + timedelta(days=9)).isoformat()})
        )
    with pytest.raises(NoSuchTime):
        repair(operator, found.public_id, "take_their_time", now=LATER)
    slot = world.slots[1]
    full = RemoteSlot("pool-1", slot.external_ref, slot.service_date, slot.starts_at, slot.ends_at, 0, version=9)
    apply_slots(
        world.provider.id, [full], {"pool-1": slot.pool_id}, {"read": 0, "added": 0, "changed": 0, "unknown_pool": 0},
        now=LATER,
    )  # fmt: skip
    compare(world, books)
    with pytest.raises(SlotFull):
        repair(operator, found.public_id, "take_their_time", now=LATER)
    assert booking_row(public_id).starts_at == world.slots[0].starts_at and len(cases()) == 1 and audited() == []


def test_cancelling_what_lives_there_asks_the_provider_first(world: World, books: Books, operator: Principal) -> None:
    public_id, found = moved(world, books)
    repair(operator, found.public_id, "cancel_here", now=LATER)
    repair(operator, found.public_id, "cancel_here", now=LATER)
    assert booking_row(public_id).state.value == "confirmed"
    assert tasks(public_id)[1:] == [("cancel", "queued")]
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 5)]), now=LATER)
    assert booking_row(public_id).state.value == "cancelled"
    assert counters(world.entitlement.id)["available"] == 1
    books.change("R-1", status="cancelled")
    compare(world, books)
    assert cases() == []


def test_asking_again_is_queued_for_the_worker_and_answers_the_case(
    world: World, books: Books, operator: Principal
) -> None:
    public_id, found = lost(world, books)
    repair(operator, found.public_id, "look_up", now=LATER)
    repair(operator, found.public_id, "look_up", now=LATER)
    with reading() as session:
        (queued,) = session.scalars(select(ReconcileRun).where(ReconcileRun.state == "queued"))
    assert (queued.case_id, queued.actor) == (found.id, "opr_1")
    books.put(adapter_row(world, public_id, "R-1"))
    connection = connection_to(world.provider)
    run_due(connection, books, every=timedelta(days=1), clock=lambda: LATER)  # type: ignore[arg-type]
    assert cases() == []


def test_an_unknown_outcome_is_asked_about_at_once(world: World, operator: Principal) -> None:
    public_id = world.submit()
    adapter = FakeAdapter(answers=[Unknown("timed out")] * 3, found=[Unknown("timed out")] * 9)
    for second in (0, 1, 600):
        one_pass(world, adapter, now=NOON + timedelta(seconds=second))
    raise_unknown(now=NOON + timedelta(seconds=601))
    asked = len(adapter.asked)
    soon = NOON + timedelta(seconds=602)
    assert one_pass(world, adapter, now=soon) == []
    assert fits(case()) == ["look_up", "cancel_here", "note"]
    repair(operator, case().public_id, "look_up", now=soon)
    adapter.found[:] = [adapter_row(world, public_id, "R-1")]
    one_pass(world, adapter, now=soon)
    assert len(adapter.asked) == asked + 1 and cases() == []


def test_a_note_closes_and_must_say_something(world: World, operator: Principal) -> None:
    with transaction() as session:
        open_discrepancy(session, world.provider.id, "theirs_only", "R-9", now=NOON, facts={"status": "confirmed"})
    found = case()
    assert fits(found) == ["look_up", "cancel_there", "note"]
    for wrong in ("", "x" * 501):
        with pytest.raises(Invalid):
            repair(operator, found.public_id, "note", note=wrong, now=LATER)
    repair(operator, found.public_id, "note", note="Their test booking.", now=LATER)
    with reading() as session:
        row = session.scalars(select(Discrepancy)).one()
    assert (row.resolution, row.note) == ("explained", "Their test booking.")
    assert audited() == ["note"]


def test_a_word_before_its_day_can_be_taken_over_once_its_day_has_come(
    world: World, books: Books, operator: Principal
) -> None:
    public_id = confirmed(world, books)
    books.change("R-1", status="fulfilled")
    compare(world, books)
    found = case()
    assert (found.kind, fits(found)) == ("too_early", ["note"])
    with pytest.raises(NotThisRepair):
        repair(operator, found.public_id, "take_their_status", now=LATER)
    for _ in range(2):
        repair(operator, found.public_id, "take_their_status", now=EIGHT)
    assert history(public_id).count("fulfilled") == 1 and counters(world.entitlement.id)["used"] == 1
    assert cases() == [] and audited() == ["take_their_status"]
    with reading() as session:
        assert session.scalars(select(Discrepancy.resolution)).all() == ["took_their_status"]


def test_after_a_note_the_status_that_differs_on_the_day_can_be_taken_over(
    world: World, books: Books, operator: Principal
) -> None:
    public_id = confirmed(world, books)
    books.change("R-1", status="checked_in")
    compare(world, books)
    repair(operator, case().public_id, "note", note="They look into it.", now=LATER)
    assert run_now(connection_to(world.provider), books, CLOCK, clock=lambda: EIGHT) is not None  # type: ignore[arg-type]
    assert case().kind == "state_differs"
    repair(operator, case().public_id, "take_their_status", now=EIGHT)
    assert booking_row(public_id).state == "checked_in" and cases() == []


def test_a_word_of_a_booking_there_that_is_not_in_use_cannot_be_taken_over(
    world: World, books: Books, operator: Principal
) -> None:
    public_id = confirmed(world, books)
    facts = {"ours": "confirmed", "theirs": "fulfilled", "reference": "R-0"}
    with transaction() as session:
        booking_id = booking_row(public_id).id
        open_discrepancy(session, world.provider.id, "too_early", "R-0", now=NOON, booking_id=booking_id, facts=facts)
    with pytest.raises(NotThisRepair):
        repair(operator, case().public_id, "take_their_status", now=EIGHT)
    assert booking_row(public_id).state == "confirmed"
