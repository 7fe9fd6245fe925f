"""A booking without a slot from its beginning to its end: what the customer, the clock and the provider can do."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from booking.answering import answer, queue
from booking.answering.answer import ProvidersAnswer, SaidWhereItIsDone
from booking.answering.day import day
from booking.answering.possible import other_times, possible
from booking.answering.shown import booking as shown
from booking.attendance.no_show import call_no_shows
from booking.changes.cancel import NotCancellable, OnlyAdminsCancel, cancel, cancel_for
from booking.changes.reschedule import reschedule
from booking.changes.unanswered import end_unanswered
from booking.closures.close import close_site, work_closures
from booking.closures.view import preview
from booking.discrepancies import Discrepancy
from booking.health.answers import count_answers
from booking.idempotency import Repeatable
from booking.messages.calendar import event, events, new_feed, open_feed
from booking.messages.remind import remind_of_bookings
from booking.models import Booking, BookingHistory, ChangeRequest
from booking.notices.models import Notification
from booking.offers.alternatives import nearest
from booking.refusals import HasNoTimes
from booking.settlement.close_day import end_of_day, make_statements
from booking.settlement.figures import figures
from booking.settlement.models import StatementLine
from booking.states import BookingState
from booking.views.customer import booking as view
from booking.views.lists import bookings
from marketplace.catalog.kinds.online_consultation import KIND
from marketplace.catalog.models import Site
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from tests.booking.consultation.rooms import Practice, make_practice
from tests.people import NOON, TODAY, counters, make_insurer
from tests.providers.partner_api.answering import work
from tests.waiting import wait
from tests.world import booking_row, go, history, make_slot, set_provider
from vip.principal import Principal

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]

_S = BookingState
DUE = NOON + timedelta(hours=KIND.traits.answer_hours)


def queued(**terms: object) -> tuple[Practice, str, str]:
    """A consultation in the doctors' queue: the practice, the booking and the conversation."""
    practice = make_practice(**terms)
    opened = practice.open()
    work(practice.world)
    assert booking_row(opened.booking).state is _S.CONFIRMED
    return practice, opened.booking, opened.conversation


def operator(role: str = "admin") -> Principal:
    return Principal("operator", 1, "opr_1", make_insurer().id, 1, "Asia/Shanghai", role)  # type: ignore[arg-type]


def said(practice: Practice, booking: str) -> ProvidersAnswer:
    return ProvidersAnswer(practice.world.provider.id, booking, Repeatable("test", str(uuid.uuid4()), b"f" * 32))


def notices(booking: str) -> list[str]:
    with reading() as session:
        return list(
            session.scalars(
                select(Notification.kind).where(Notification.booking_id == booking_row(booking).id).order_by("id")
            )
        )


# --- the customer ---------------------------------------------------------------------------------------------------


def test_she_cancels_at_once_before_it_is_sent() -> None:
    practice = make_practice(quantity=1)
    booking = practice.open().booking
    cancel(practice.world.principal, booking, now=NOON)
    assert history(booking) == ["awaiting_provider", "cancelled"]
    assert counters(practice.world.entitlement.id)["available"] == 1


def test_she_cancels_at_once_while_it_waits_and_nobody_is_asked() -> None:
    practice, booking, _ = queued(quantity=1)
    set_provider(practice.world.provider, allotment=False)
    seen = view(practice.world.principal, booking, now=NOON + timedelta(hours=20))
    assert (seen.cancel_until, seen.can_cancel, seen.can_change) == (DUE, True, False)
    cancel(practice.world.principal, booking, now=NOON + timedelta(hours=20))
    assert booking_row(booking).state is _S.CANCELLED
    assert counters(practice.world.entitlement.id)["available"] == 1
    with reading() as session:
        assert session.scalars(select(ChangeRequest)).all() == []


def test_what_was_answered_is_closed_and_not_cancelled() -> None:
    practice, booking, conversation = queued(quantity=1)
    practice.answer(conversation, "多久了？")
    with pytest.raises(NotCancellable) as refused:
        cancel(practice.world.principal, booking, now=NOON)
    assert refused.value.facts == {"state": "in_service", "reason": "answered"}
    with pytest.raises(OnlyAdminsCancel):
        cancel_for(operator("agent"), booking, "unwell", now=NOON)
    assert counters(practice.world.entitlement.id)["reserved"] == 1


def test_an_administrator_cancels_what_was_answered_and_the_unit_comes_back() -> None:
    practice, booking, conversation = queued(quantity=1)
    practice.answer(conversation, "多久了？")
    cancel_for(operator(), booking, "provider_trouble", now=NOON)
    assert booking_row(booking).state is _S.CANCELLED
    assert counters(practice.world.entitlement.id)["available"] == 1


def test_it_has_no_date_to_change_even_where_its_pool_has_times() -> None:
    practice, booking, _ = queued()
    with transaction() as session:
        slot = make_slot(practice.world.offer.pool_id, NOON + timedelta(days=3), 5)
        session.add(slot)
        session.flush()
        wanted = slot.public_id
    with pytest.raises(HasNoTimes):
        reschedule(practice.world.principal, booking, wanted, now=NOON)
    with pytest.raises(HasNoTimes):
        wait(practice.world, first_day=TODAY + timedelta(days=3), last_day=TODAY + timedelta(days=3))
    with reading() as session:
        assert nearest(session, session.scalars(select(Booking)).one(), now=NOON) == []


def test_she_finds_it_among_what_is_coming_after_midnight_too() -> None:
    practice, booking, _ = queued()
    for later in (timedelta(), timedelta(days=1)):
        page = bookings(practice.world.principal, cursor=None, limit=5, now=NOON + later, when="upcoming")
        assert [each.id for each in page.items] == [booking]
        past = bookings(practice.world.principal, cursor=None, limit=5, now=NOON + later, when="past")
        assert list(past.items) == []


def test_no_calendar_holds_it() -> None:
    practice, booking, _ = queued()
    with pytest.raises(NotFound):
        event(practice.world.principal, booking)
    assert events(open_feed(new_feed(practice.world.principal, now=NOON), now=NOON), now=NOON) == []


def test_it_is_shown_with_its_conversation_and_without_a_code_to_check_in() -> None:
    practice, booking, conversation = queued()
    seen = view(practice.world.principal, booking, now=NOON)
    assert (seen.conversation_id, seen.check_in_code, seen.starts_at) == (conversation, "", None)
    assert seen.service_date == TODAY


# --- the clock ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answered", [False, True])
def test_the_clock_never_says_that_nobody_came(answered: bool) -> None:
    practice, booking, conversation = queued()
    if answered:
        practice.answer(conversation, "多久了？")
    before = booking_row(booking).state
    assert call_no_shows(now=NOON + timedelta(days=30)) == 0
    assert booking_row(booking).state is before


def test_nobody_is_reminded_of_it_nor_told_that_it_is_confirmed() -> None:
    _, booking, _ = queued()
    for hours in range(-30, 31, 3):
        assert remind_of_bookings(now=NOON + timedelta(hours=hours)) == 0
    assert notices(booking) == []


@pytest.mark.parametrize("sent", [False, True])
def test_without_a_first_answer_it_ends_after_the_hours_of_its_kind_as_the_providers_fault(sent: bool) -> None:
    practice = make_practice(quantity=1)
    set_provider(practice.world.provider, answer_hours=2)
    booking = practice.open().booking
    if sent:
        work(practice.world)
    assert booking_row(booking).answer_due_at == DUE
    assert end_unanswered(now=DUE - timedelta(seconds=1)) == 0
    assert end_unanswered(now=DUE) == 1
    ended = booking_row(booking)
    assert (ended.state, ended.cause) == (_S.CANCELLED, "not_answered_in_time")
    assert counters(practice.world.entitlement.id)["available"] == 1
    assert notices(booking) == ["cancelled"]
    assert end_unanswered(now=DUE) == 0


def test_a_unit_whose_validity_is_over_comes_back_with_grace() -> None:
    practice = make_practice(quantity=1)
    with transaction() as session:
        held = session.merge(practice.world.entitlement)
        held.valid_until = TODAY
    practice.open()
    work(practice.world)
    assert end_unanswered(now=DUE + timedelta(days=1)) == 1
    with reading() as session:
        held = session.merge(practice.world.entitlement, load=True)
        assert held.available == 1
        assert held.valid_until > TODAY


def test_what_was_answered_is_ended_by_no_deadline() -> None:
    practice, booking, conversation = queued()
    practice.answer(conversation, "多久了？")
    assert booking_row(booking).answer_due_at is None
    assert end_unanswered(now=DUE + timedelta(days=30)) == 0


# --- the provider ---------------------------------------------------------------------------------------------------


def test_its_people_cancel_it_and_the_unit_comes_back() -> None:
    practice, booking, _ = queued(quantity=1)
    provider = practice.world.provider.id
    assert possible(shown(provider, booking), now=NOON) == ("cancel",)
    answer.cancel(said(practice, booking), "other", now=NOON)
    assert booking_row(booking).state is _S.CANCELLED
    assert counters(practice.world.entitlement.id)["available"] == 1
    assert possible(shown(provider, booking), now=NOON) == ()


@pytest.mark.parametrize("came", ["checked_in", "in_service", "fulfilled", "no_show"])
def test_what_becomes_of_it_is_said_in_its_conversation_alone(came: answer.Came) -> None:
    practice, booking, _ = queued()
    with pytest.raises(SaidWhereItIsDone):
        answer.report(said(practice, booking), came, now=NOON + timedelta(days=1))
    assert booking_row(booking).state is _S.CONFIRMED


def test_no_other_time_is_proposed_or_told() -> None:
    practice, booking, _ = queued()
    with transaction() as session:
        slot = make_slot(practice.world.offer.pool_id, NOON + timedelta(days=3), 5)
        session.add(slot)
        session.flush()
        wanted = slot.public_id
    assert other_times(practice.world.provider.id, booking, now=NOON) == []
    with pytest.raises(HasNoTimes):
        answer.propose(said(practice, booking), wanted, reason="", expires_at=None, now=NOON)
    with pytest.raises(HasNoTimes):
        answer.move(said(practice, booking), wanted, now=NOON)


def test_it_stands_neither_in_the_queue_of_answers_nor_among_who_comes_today() -> None:
    practice = make_practice()
    provider = practice.world.provider.id
    booking = practice.open().booking
    for _ in range(2):  # before and after it was passed on
        today = day(provider, now=NOON)
        assert (today.figures.to_answer, today.figures.expected, today.to_come) == (0, 0, 0)
        assert (list(today.queue), list(today.arrivals)) == ([], [])
        work(practice.world)
    cancel(practice.world.principal, booking, now=NOON)
    with reading() as session:
        assert queue.waiting(session, provider, now=NOON) == []


def test_a_closure_of_its_site_moves_and_cancels_nothing_of_it() -> None:
    practice, booking, _ = queued()
    with reading() as session:
        site = session.get_one(Site, practice.world.offer.site_id).public_id
    seen = preview(operator(), site, TODAY, None, now=NOON)
    assert (seen.bookings, list(seen.offers)) == (0, [])
    close_site(operator(), site, TODAY, None, "cancel", now=NOON)
    work_closures(now=NOON)
    assert booking_row(booking).state is _S.CONFIRMED


def test_its_figures_hold_neither_its_yes_nor_its_coming() -> None:
    practice, booking, _conversation = queued()
    go(booking, _S.IN_SERVICE, _S.FULFILLED)
    found = figures(practice.world.provider.id, 7, now=NOON + timedelta(hours=1))
    assert (found.asked, found.confirmed, found.visits, found.came) == (0, 0, 0, 0)
    assert count_answers(now=NOON + timedelta(hours=1)) == {"spans": 0}


@pytest.mark.parametrize("closed", [False, True])
def test_a_doctor_who_is_faster_than_the_command_makes_no_difference_of_books(closed: bool) -> None:
    practice = make_practice()
    opened = practice.open()
    practice.answer(opened.conversation, "多久了？")
    if closed:
        go(opened.booking, _S.FULFILLED)
    work(practice.world)
    assert booking_row(opened.booking).state is (_S.FULFILLED if closed else _S.IN_SERVICE)
    with reading() as session:
        assert session.scalars(select(Discrepancy)).all() == []


# --- the unit and the money -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("quantity", [2, None])
def test_what_is_fulfilled_uses_a_unit_also_of_a_benefit_without_limit(quantity: int | None) -> None:
    practice, booking, conversation = queued(quantity=quantity)
    practice.answer(conversation, "多喝水")
    go(booking, _S.FULFILLED)
    found = counters(practice.world.entitlement.id)
    assert (found["used"], found["reserved"]) == (1, 0)
    assert found["available"] == (1 if quantity else None)
    assert booking_row(booking).report_state == "expected"


def test_the_days_statement_states_it_as_it_does_any_other() -> None:
    practice, booking, conversation = queued()
    practice.answer(conversation, "多喝水")
    go(booking, _S.FULFILLED)
    night = end_of_day(TODAY, "Asia/Shanghai")
    assert make_statements(now=night - timedelta(seconds=1)) == 0
    assert make_statements(now=night) == 1
    with reading() as session:
        line = session.scalars(select(StatementLine)).one()
    assert (line.state, line.service_date, line.units, line.amount_minor, line.correction) == (
        "fulfilled",
        TODAY,
        1,
        booking_row(booking).price_minor,
        False,
    )


def test_one_that_goes_on_past_midnight_is_stated_the_day_after() -> None:
    practice = make_practice()
    late = datetime(2026, 3, 2, 15, 50, tzinfo=UTC)  # 23:50 in Shanghai
    booking = practice.open(now=late).booking
    work(practice.world, now=late)
    go(booking, _S.IN_SERVICE)
    night = end_of_day(TODAY, "Asia/Shanghai")
    assert make_statements(now=night) == 1
    go(booking, _S.FULFILLED)
    assert make_statements(now=night + timedelta(days=1)) == 1
    with reading() as session:
        line = session.scalars(select(StatementLine)).one()
    assert (line.units, line.correction) == (1, True)


def test_its_history_begins_with_its_first_line() -> None:
    queued()
    with reading() as session:
        lines = session.scalars(select(BookingHistory).order_by(BookingHistory.version)).all()
    assert [(line.from_state, line.to_state) for line in lines] == [
        (None, "awaiting_provider"),
        ("awaiting_provider", "confirmed"),
    ]
