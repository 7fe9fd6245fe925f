"""Test customers' bookings: made, changed, cancelled and cleared by what every booking goes through."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from booking.answering.day import to_answer
from booking.changes.reschedule import NotChangeable
from booking.messages.deliver import deliver_due
from booking.models import ChangeRequest
from booking.notices.models import NotificationDelivery
from booking.reconcile.models import ReconcileRun
from booking.refusals import AlreadyBooked
from booking.settlement.close_day import make_statements
from booking.settlement.models import ClosingStatement
from booking.states import BookingState
from booking.twins.act import cancel_as_customer, change_as_customer, withdraw_as_customer
from booking.twins.book import NoFreeTime, book_for_test
from booking.twins.clear import Cleared, clear
from booking.twins.customers import customer
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from marketplace.core.ids import new_id
from tests.booking.twins.stage import BY, Stage, make_stage, slot_row
from tests.people import NOON
from tests.world import booking_row, go, tasks
from vip.models import Entitlement

pytestmark = pytest.mark.usefixtures("db")
S = BookingState


def book(stage: Stage, slot: int | None = 0, number: int = 1) -> str:
    """A test booking."""
    chosen = None if slot is None else stage.slots[slot].public_id
    return book_for_test(stage.twin.id, stage.offer.public_id, chosen, number, NOON)


def test_a_test_customer_books_as_every_customer_does_and_it_is_of_the_twins_market() -> None:
    stage = make_stage()
    row = booking_row(book(stage))
    assert (row.state, row.market, row.provider_id) == (S.AWAITING_PROVIDER, stage.twin.id, stage.twin.id)
    assert tasks(row.public_id) == [("reserve", "queued")]
    assert slot_row(stage.slots[0]).taken == 1
    assert [slot_row(each).taken for each in stage.world.slots] == [0, 0, 0], "no live place is taken"
    assert to_answer(stage.twin.id) == 1 and to_answer(stage.world.provider.id) == 0
    with reading() as session:
        unit = session.get_one(Entitlement, row.entitlement_id)
    assert (unit.granted, unit.reserved) == (None, 1)


def test_without_a_time_it_is_the_first_that_is_free() -> None:
    stage = make_stage(capacity=1)
    assert booking_row(book(stage, None)).starts_at == stage.slots[0].starts_at
    assert booking_row(book(stage, None, number=2)).starts_at == stage.slots[1].starts_at
    book(stage, None, number=3)
    with pytest.raises(NoFreeTime):
        book(stage, None)


def test_what_is_not_the_twins_is_not_there() -> None:
    stage, other = make_stage(), make_stage(phone="13800000044")
    for offer, slot, number in (
        (stage.world.offer.public_id, stage.world.slots[0].public_id, 1),  # the live one's
        (other.offer.public_id, other.slots[0].public_id, 1),  # another twin's
        (stage.offer.public_id, stage.world.slots[0].public_id, 1),
        (stage.offer.public_id, stage.slots[0].public_id, 4),
    ):
        with pytest.raises(NotFound):
            book_for_test(stage.twin.id, offer, slot, number, NOON)
    with pytest.raises(NotFound):
        book_for_test(stage.world.provider.id, stage.world.offer.public_id, None, 1, NOON)
    with pytest.raises(NotFound):  # and the other way round
        replace(stage.world, offer=stage.offer, slots=stage.slots).hold()


def test_the_rules_of_customers_hold_for_her_too() -> None:
    stage = make_stage()
    book(stage)
    with pytest.raises(AlreadyBooked):
        book(stage)


def test_she_cancels_and_changes_her_date_as_customers_do() -> None:
    stage = make_stage(allotment=True)
    moved, ended = book(stage, 0), book(stage, 1, number=2)
    change_as_customer(stage.twin.id, moved, stage.slots[2].public_id, now=NOON)
    assert booking_row(moved).starts_at == stage.slots[2].starts_at
    cancel_as_customer(stage.twin.id, ended, now=NOON)
    assert booking_row(ended).state is S.CANCELLED
    assert [slot_row(each).taken for each in stage.slots] == [0, 0, 1]


def test_a_change_waits_for_the_twins_answer_and_can_be_taken_back() -> None:
    stage = make_stage()
    booking = book(stage)
    with pytest.raises(NotChangeable):
        change_as_customer(stage.twin.id, booking, stage.slots[2].public_id, now=NOON)
    go(booking, S.CONFIRMED)
    change_as_customer(stage.twin.id, booking, stage.slots[2].public_id, now=NOON)
    assert booking_row(booking).starts_at == stage.slots[0].starts_at
    withdraw_as_customer(stage.twin.id, booking, now=NOON)
    assert [slot_row(each).taken for each in stage.slots] == [1, 0, 0]


def test_nobody_acts_by_a_twin_on_what_is_not_its_test() -> None:
    stage, other = make_stage(allotment=True), make_stage(phone="13800000044")
    live = stage.world.submit()
    theirs = book(other)
    for booking in (live, theirs, "bkg_nothing"):
        with pytest.raises(NotFound):
            cancel_as_customer(stage.twin.id, booking, now=NOON)
        with pytest.raises(NotFound):
            change_as_customer(stage.twin.id, booking, stage.slots[1].public_id, now=NOON)
    with pytest.raises(NotFound):
        cancel_as_customer(stage.world.provider.id, live, now=NOON)
    assert booking_row(live).state is S.CONFIRMED


def test_clearing_ends_every_booking_and_gives_every_place_and_unit_back() -> None:
    stage = make_stage(slots=6)
    live = stage.world.submit()
    waits, held = book(stage, 0), book(stage, 1, number=2)
    changing, done = book(stage, 2, number=3), book(stage, 4)
    go(changing, S.CONFIRMED)
    change_as_customer(stage.twin.id, changing, stage.slots[3].public_id, now=NOON)
    go(done, S.CONFIRMED, S.CHECKED_IN, S.FULFILLED)
    go(held, S.CONFIRMED)
    cancel_as_customer(stage.twin.id, held, now=NOON)

    assert clear(stage.twin.id, BY, NOON) == Cleared(4, 0)

    ended = {booking_row(each).state for each in (waits, held, changing, done)}
    assert ended == {S.ENTERED_IN_ERROR}
    assert [slot_row(each).taken for each in stage.slots] == [0] * 6
    assert all(state in ("refused", "done") for each in (waits, held, changing) for _what, state in tasks(each))
    with reading() as session:
        units = session.execute(
            select(func.sum(Entitlement.reserved + Entitlement.used)).where(
                Entitlement.customer_id == customer(stage.twin.id, 1).principal.id
            )
        ).scalar_one()
        open_requests = session.scalars(select(ChangeRequest.state).where(ChangeRequest.closed_at.is_(None))).all()
    assert (units, open_requests) == (0, [])
    assert booking_row(live).state is S.AWAITING_PROVIDER and slot_row(stage.world.slots[0]).taken == 1
    assert clear(stage.twin.id, BY, NOON) == Cleared(0, 0)
    book(stage, 0)  # and one begins anew


def test_nothing_live_is_ever_cleared() -> None:
    stage = make_stage()
    live = stage.world.submit()
    with pytest.raises(NotFound):
        clear(stage.world.provider.id, BY, NOON)
    assert booking_row(live).state is S.AWAITING_PROVIDER


def test_messages_for_a_test_customer_are_recorded_and_sent_to_nobody() -> None:
    stage = make_stage(allotment=True)
    test, live = book(stage), stage.world.submit()
    sent: list[str] = []
    deliver_due(lambda post: sent.append(post.to), lambda: NOON)
    with reading() as session:
        rows = session.execute(select(NotificationDelivery.state, NotificationDelivery.reason)).all()
    assert sorted(tuple(row) for row in rows) == [("dropped", "test"), ("sent", "")]
    assert len(sent) == 1 and sent[0].endswith("13800000021")
    assert test != live


def test_no_statement_is_made_of_tests() -> None:
    stage, later = make_stage(allotment=True), NOON + timedelta(days=12)
    for booking in (book(stage), stage.world.submit()):
        go(booking, S.CHECKED_IN, S.FULFILLED)
    with transaction() as session:
        session.add_all(
            ReconcileRun(
                public_id=new_id("run"),
                provider_id=provider,
                state="done",
                actor_kind="clock",
                asked_at=later,
                started_at=later,
                finished_at=later,
            )
            for provider in (stage.world.provider.id, stage.twin.id)
        )
    assert make_statements(now=later)
    with reading() as session:
        stated = set(session.scalars(select(ClosingStatement.provider_id)))
    assert stated == {stage.world.provider.id}
