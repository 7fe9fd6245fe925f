"""What becomes of those who are booked on a day that closes: each is carried out once, and each customer is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from booking.answering.answer import ProvidersAnswer, accept_change, cancel
from booking.capacity_rules import decisions
from booking.capacity_rules.decisions import Decision, carry_out_due
from booking.capacity_rules.edit import Wish
from booking.capacity_rules.extend import publish_calendar
from booking.capacity_rules.models import CapacityChangeItem
from booking.capacity_rules.plan import Section, with_places
from booking.capacity_rules.view import change_view, to_decide
from booking.changes.proposals import accept, decline
from booking.changes.reschedule import reschedule
from booking.idempotency import Repeatable
from booking.notices.models import Notification
from booking.proposal import Proposal
from booking.states import BookingState
from marketplace.core.database.db import reading
from tests.booking.capacity_rules.calendars import (
    ON,
    all_of,
    answers_here,
    book,
    books,
    closed_day,
    pool_id,
    save,
    weekly,
)
from tests.people import NOON, counters
from tests.providers.partner_api.answering import work
from tests.world import World, booking_row, make_world, taken
from vip.models import Customer
from vip.principal import Principal

pytestmark = pytest.mark.usefixtures("db")

WHY = "设备检修"


@pytest.fixture
def world() -> World:
    made = answers_here(make_world(slots=0, quantity=9))
    save(made, weekly())
    return made


def done(world: World, made: str) -> list[tuple[str, str, str]]:
    """What was decided, and what came of it, booking by booking."""
    found = change_view(world.provider.id, made, now=NOON)
    return [(each.action, each.state, each.booking.status) for each in found.items]


def proposals() -> list[tuple[date, str]]:
    with reading() as session:
        rows = session.scalars(select(Proposal).where(Proposal.state == "open").order_by(Proposal.id))
        return [(row.service_date, row.slot_ref) for row in rows]


def told(kind: str) -> int:
    with reading() as session:
        return len(session.scalars(select(Notification).where(Notification.kind == kind)).all())


def left(world: World) -> list[str]:
    return [each.booking.id for each in to_decide(world.provider.id, pool_id(world), now=NOON).bookings]


def customer_of(booking: str) -> Principal:
    with reading() as session:
        row = session.get_one(Customer, booking_row(booking).customer_id)
    return Principal("customer", row.id, row.public_id, row.insurer_id, 1, "Asia/Shanghai")


def test_those_who_are_kept_stay_and_nobody_else_can_come(world: World) -> None:
    booked = book(world, books(world, ON)[0])
    made = save(world, closed_day(), [Decision(booked, "keep")])
    assert done(world, made) == [("keep", "done", "confirmed")]
    assert taken(books(world, ON)[0]) == 1
    assert [slot.has_place for slot in books(world, ON)] == [False] * 4


def test_those_who_are_cancelled_get_their_unit_back_and_are_told_why(world: World) -> None:
    booked = book(world, books(world, ON)[0])
    assert counters(booking_row(booked).entitlement_id)["reserved"] == 1
    made = save(world, closed_day(), [Decision(booked, "cancel", reason=WHY)])
    assert done(world, made) == [("cancel", "done", "cancelled")]
    assert counters(booking_row(booked).entitlement_id)["reserved"] == 0
    assert taken(books(world, ON)[0]) == 0
    assert told("cancelled") == 1
    assert left(world) == []


def test_what_was_not_confirmed_yet_is_rejected(world: World) -> None:
    world.slots[:] = books(world, ON)[:1]
    asked = world.submit(0)
    work(world)
    made = save(world, closed_day(), [Decision(asked, "cancel", reason=WHY)])
    assert done(world, made) == [("cancel", "done", "rejected")]
    assert counters(world.entitlement.id)["reserved"] == 0


def test_a_time_that_was_chosen_is_proposed_and_the_place_is_hers_when_she_accepts(world: World) -> None:
    booked = book(world, books(world, ON)[0])
    there = books(world, date(2026, 3, 12))[1]
    made = save(world, closed_day(), [Decision(booked, "propose", slot=there.public_id, reason=WHY)])
    assert done(world, made) == [("propose", "done", "confirmed")]
    assert proposals() == [(there.service_date, there.external_ref)]
    assert left(world) == [], "now it is for her to say"
    with reading() as session:
        proposal = session.scalars(select(Proposal)).one()
    assert proposal.reason == WHY
    accept(customer_of(booked), booked, proposal.public_id, now=NOON)
    work(world)
    assert taken(there) == 1


def test_who_declines_is_asked_about_again(world: World) -> None:
    booked = book(world, books(world, ON)[0])
    save(world, closed_day(), [Decision(booked, "propose")])
    with reading() as session:
        proposal = session.scalars(select(Proposal)).one()
    decline(customer_of(booked), booked, proposal.public_id, now=NOON)
    assert left(world) == [booked]


def test_the_next_free_places_are_proposed_each_to_one(world: World) -> None:
    save(world, weekly(places=1))
    for slot in books(world, ON):
        book(world, slot)
    made = save(world, closed_day(), all_of(world, "propose"))
    assert done(world, made) == [("propose", "done", "confirmed")] * 4
    assert len(set(proposals())) == 4, "no place is proposed to two"
    assert ON not in {day for day, _ in proposals()}


def test_the_next_free_time_is_a_later_one_as_long_as_there_is_any(world: World) -> None:
    early = book(world, books(world, ON)[0])
    last = book(world, books(world, date(2026, 3, 15))[0])
    made = save(world, closed_day(), [Decision(early, "propose")])
    save(world, closed_day(date(2026, 3, 15)), [Decision(last, "propose")])
    assert made and [day for day, _ in proposals()] == [date(2026, 3, 11), date(2026, 3, 14)]


def test_where_no_other_time_is_free_that_is_said_and_it_is_asked_again(world: World) -> None:
    booked = book(world, books(world, ON)[0])
    only = Wish(rules=replace(weekly(), weekly=[]))
    made = save(world, only, [Decision(booked, "propose")])
    assert done(world, made) == [("propose", "refused", "confirmed")]
    assert change_view(world.provider.id, made, now=NOON).items[0].outcome == "no_other_time"
    assert left(world) == [booked]


def test_who_has_gone_by_herself_meanwhile_is_left_alone(world: World) -> None:
    booked = book(world, books(world, ON)[0])
    made = save(world, closed_day(), [Decision(booked, "cancel", reason=WHY)], publish=False)
    cancel(ProvidersAnswer(world.provider.id, booked, Repeatable("x", "x", b"f" * 32)), "x", now=NOON)
    publish_calendar(world.offer.pool_id, now=NOON)
    assert carry_out_due(now=NOON) == {"moved_on": 1}
    assert done(world, made) == [("cancel", "moved_on", "cancelled")]


def test_nobody_is_cancelled_on_a_day_that_was_opened_again(world: World) -> None:
    booked = book(world, books(world, ON)[0])
    made = save(world, closed_day(), [Decision(booked, "cancel", reason=WHY)], publish=False)
    save(world, Wish(day=ON), publish=False)
    publish_calendar(world.offer.pool_id, now=NOON)
    assert carry_out_due(now=NOON) == {"moved_on": 1}
    assert done(world, made) == [("cancel", "moved_on", "confirmed")]


def test_nobody_is_cancelled_before_it_is_in_the_books_that_her_day_is_open_again(world: World) -> None:
    booked = book(world, books(world, ON)[0])
    save(world, closed_day(), [Decision(booked, "cancel", reason=WHY)], publish=False)
    publish_calendar(world.offer.pool_id, now=NOON)
    save(world, Wish(day=ON), publish=False)
    assert carry_out_due(now=NOON) == {}, "in the books the day is still closed"
    publish_calendar(world.offer.pool_id, now=NOON)
    assert carry_out_due(now=NOON) == {"moved_on": 1}
    assert booking_row(booked).state is BookingState.CONFIRMED


def test_a_day_that_is_given_back_during_a_run_is_looked_at_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (book(world, slot) for slot in books(world, ON)[:2])
    save(world, closed_day(), all_of(world, "cancel", reason=WHY), publish=False)
    publish_calendar(world.offer.pool_id, now=NOON)
    honest = decisions.cancel

    def and_meanwhile(answer: ProvidersAnswer, reason: str, **more: Any) -> None:
        honest(answer, reason, **more)
        save(world, Wish(day=ON), publish=False)

    with monkeypatch.context() as patched:
        patched.setattr(decisions, "cancel", and_meanwhile)
        assert carry_out_due(now=NOON) == {"done": 1, "waiting": 1}
    publish_calendar(world.offer.pool_id, now=NOON)
    assert carry_out_due(now=NOON) == {"moved_on": 1}
    assert [booking_row(each).state for each in (first, second)] == [BookingState.CANCELLED, BookingState.CONFIRMED]


def test_what_came_of_a_decision_is_not_noted_of_the_one_that_took_its_place(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked = book(world, books(world, ON)[0])
    save(world, closed_day(), [Decision(booked, "cancel", reason=WHY)], publish=False)
    save(world, Wish(day=ON), publish=False)
    publish_calendar(world.offer.pool_id, now=NOON)
    honest = decisions._finish

    def late(*given: Any) -> str:
        save(world, closed_day(), [Decision(booked, "keep")], publish=False)
        return honest(*given)

    with monkeypatch.context() as patched:
        patched.setattr(decisions, "_finish", late)
        assert carry_out_due(now=NOON) == {"moved_on": 1}
    publish_calendar(world.offer.pool_id, now=NOON)
    assert carry_out_due(now=NOON) == {"done": 1}
    assert left(world) == [], "she is kept"


def test_of_a_slot_that_is_cut_all_are_cancelled_that_were_decided(world: World) -> None:
    slot = books(world, ON)[0]
    for _ in range(3):
        book(world, slot)
    cut = Wish(day=ON, sections=with_places([Section(480, 600, 30, 4)], 480, 2))
    made = save(world, cut, all_of(world, "cancel", reason=WHY))
    assert done(world, made) == [("cancel", "done", "cancelled")] * 3


def test_who_moves_while_her_cancel_waits_for_her_booking_is_left_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked = book(world, books(world, ON)[0])
    there = books(world, date(2026, 3, 12))[0]
    honest = decisions.cancel

    def moved_first(answer: ProvidersAnswer, reason: str, **more: Any) -> None:
        reschedule(customer_of(booked), booked, there.public_id, now=NOON)
        work(world)
        accept_change(replace(answer, repeat=Repeatable("x", "moved", b"f" * 32), version=None), now=NOON)
        honest(answer, reason, **more)

    with monkeypatch.context() as patched:
        patched.setattr(decisions, "cancel", moved_first)
        made = save(world, closed_day(), [Decision(booked, "cancel", reason=WHY)])
    assert done(world, made) == [("cancel", "waiting", "confirmed")]
    assert carry_out_due(now=NOON) == {"moved_on": 1}
    assert (booking_row(booked).service_date, taken(there)) == (there.service_date, 1)


def test_nothing_is_carried_out_before_the_places_are_off_sale(world: World) -> None:
    booked = book(world, books(world, ON)[0])
    save(world, closed_day(), [Decision(booked, "cancel", reason=WHY)], publish=False)
    assert carry_out_due(now=NOON) == {}
    assert booking_row(booked).state is BookingState.CONFIRMED
    publish_calendar(world.offer.pool_id, now=NOON)
    assert carry_out_due(now=NOON) == {"done": 1}


@pytest.mark.parametrize("action", ["propose", "cancel"])
def test_what_was_done_before_a_process_was_killed_is_noted_and_not_done_again(
    world: World, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked = book(world, books(world, ON)[0])
    save(world, closed_day(), [Decision(booked, action, reason=WHY)], publish=False)
    publish_calendar(world.offer.pool_id, now=NOON)
    with monkeypatch.context() as patched:
        patched.setattr(decisions, "_finish", lambda *_: "killed")
        assert carry_out_due(now=NOON) == {"killed": 1}
    before = booking_row(booked)
    assert carry_out_due(now=NOON) == {"done": 1}
    assert booking_row(booked).version == before.version
    assert told("cancelled") + told("time_proposed") == 1
    with reading() as session:
        assert session.scalars(select(CapacityChangeItem.state)).all() == ["done"]


def test_one_booking_that_breaks_stops_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (book(world, slot) for slot in books(world, ON)[:2])
    honest = decisions.cancel

    def breaks(answer: ProvidersAnswer, reason: str, **more: object) -> None:
        if answer.booking == first:
            raise RuntimeError("broken")
        honest(answer, reason, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(decisions, "cancel", breaks)
        made = save(world, closed_day(), all_of(world, "cancel", reason=WHY))
    assert done(world, made) == [("cancel", "waiting", "confirmed"), ("cancel", "done", "cancelled")]
    assert carry_out_due(now=NOON) == {"done": 1}
    assert booking_row(second).state is BookingState.CANCELLED


def test_a_slot_alone_can_close_and_its_bookings_stay_on_the_day(world: World) -> None:
    booked = book(world, books(world, ON)[1])
    sections = with_places([Section(480, 600, 30, 4)], 510, 0)
    save(world, Wish(day=ON, sections=sections), [Decision(booked, "propose")])
    assert [slot.closed for slot in books(world, ON)] == [False, True, False, False]
    assert [day for day, _ in proposals()] == [ON], "the nearest free time is on the same day"
