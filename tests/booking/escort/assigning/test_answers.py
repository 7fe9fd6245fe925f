"""What becomes of a question: yes, no, silence; and of the booking with it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from booking.escort.assign import AskIsOver, NobodyAssigned, accept, assigned, decline, replace
from booking.escort.assigning.refusals import NotToBeEscorted
from booking.escort.models import EscortWorker
from booking.live.models import LiveEvent
from booking.messages.deliver import deliver_due
from booking.models import BookingHistory
from booking.notices.models import NotificationDelivery
from booking.pledges.models import Pledge
from booking.states import BookingState
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from marketplace.messages import compose
from tests.booking.escort.staff import (
    DESK,
    EIGHT,
    add_operator,
    after,
    asked,
    assignment,
    assignments,
    make_staff,
    notices,
)
from tests.people import NOON
from tests.world import booking_row, go

pytestmark = pytest.mark.usefixtures("db")
_COMES = ("escort_assigned", "escort_confirmed", "escort_replaced")


def test_her_yes_is_the_providers_to_a_request_and_the_customer_is_told_who_comes() -> None:
    staff = make_staff()
    booking, her = staff.book(), staff.workers[0]
    row = assignment(staff.ask(booking))
    assert booking_row(booking).state is BookingState.AWAITING_PROVIDER and notices(*_COMES) == []
    assert (row.answer_due_at, row.period.lower) == (after(minutes=15), EIGHT)
    for _twice in range(2):
        accept(her.id, row.public_id, now=after(minutes=1))
    stands = booking_row(booking)
    assert (stands.state, stands.answer_due_at) == (BookingState.CONFIRMED, None)
    with reading() as session:
        line = session.scalars(select(BookingHistory).where(BookingHistory.to_state == "confirmed")).one()
        assert (line.actor_kind, line.actor) == ("provider", her.public_id)
        assert session.scalars(select(Pledge)).one().state == "met"
        shown = assigned(session, stands.id)
    assert shown is not None and shown.worker.id == her.id and shown.assignment.state == "accepted"
    (told,) = notices("confirmed", *_COMES)
    assert told.kind == "escort_confirmed", "one notice says both"
    zh, en = (compose.say(told.kind, told.facts, language, as_of=NOON) for language in ("zh", "en"))
    assert zh.title == f"预约已确认，{her.shown_name}会陪同您" and "护理专业。见面时请先对见面口令" in zh.text
    assert (
        en.title == f"Your booking is confirmed: {her.shown_name} will be with you"
        and "Nurse. When you meet" in en.text
    )
    assert shown.safe_word not in zh.text, "only behind the sign-in"


def test_of_a_firm_booking_she_is_shown_with_a_new_version_and_another_one_is_told_as_another() -> None:
    staff = make_staff(2, firm=True)
    booking = staff.book()
    before = booking_row(booking)
    assert before.state is BookingState.CONFIRMED
    first, second = staff.workers
    accept(first.id, staff.ask(booking), now=NOON)
    assert booking_row(booking).version == before.version + 1
    replace(staff.provider.id, booking, "ill", actor=DESK, now=after(minutes=1))
    accept(second.id, staff.ask(booking, second), now=after(minutes=2), member="mem_2")
    assert asked(booking) == [(first.id, "replaced", "ill"), (second.id, "accepted", None)]
    one, other = notices("escort_assigned", "escort_replaced")
    assert (one.kind, one.facts["who"]) == ("escort_assigned", first.shown_name)
    assert (other.kind, other.facts["who"]) == ("escort_replaced", second.shown_name)
    said = compose.say(other.kind, other.facts, "en", as_of=NOON)
    assert "Time and place stay" in said.text and "new safe word" in said.text


@pytest.mark.parametrize(("slot", "outcome"), [(0, "sent"), (2, "waits")])
def test_who_comes_before_the_morning_is_told_in_the_night(slot: int, outcome: str) -> None:
    staff = make_staff(firm=True)
    night, her = EIGHT - timedelta(hours=1), staff.workers[0]
    booking = staff.book(slot, now=NOON)
    accept(her.id, staff.ask(booking, now=night), now=night)
    assert deliver_due(lambda _letter: None, lambda: night)[outcome] >= 1
    (told,) = notices("escort_assigned")
    with reading() as session:
        state = select(NotificationDelivery.state).where(NotificationDelivery.notification_id == told.id)
        assert session.scalars(state).one() == ("sent" if outcome == "sent" else "queued")


def test_where_it_names_who_is_taken_off_nobody_else_is() -> None:
    staff = make_staff(2, firm=True)
    booking = staff.book()
    first = staff.ask(booking)
    replace(staff.provider.id, booking, "desk", actor=DESK, now=NOON, assignment=first)
    second = staff.ask(booking, staff.workers[1])
    with pytest.raises(NobodyAssigned):
        replace(staff.provider.id, booking, "ill", actor=DESK, now=NOON, assignment=first)
    assert assignment(second).live
    replace(staff.provider.id, booking, "ill", actor=DESK, now=NOON, assignment=second)
    assert not assignment(second).live


def test_who_did_not_say_yes_was_never_told_of_so_the_next_one_is_no_other() -> None:
    staff = make_staff(2, firm=True)
    booking = staff.book()
    staff.ask(booking)
    replace(staff.provider.id, booking, "desk", actor=DESK, now=NOON)
    accept(staff.workers[1].id, staff.ask(booking, staff.workers[1]), now=NOON)
    assert [each.kind for each in notices("escort_assigned", "escort_replaced")] == ["escort_assigned"]
    with pytest.raises(NobodyAssigned):
        replace(staff.provider.id, staff.book(1), "desk", actor=DESK, now=NOON)


def test_a_no_and_a_late_yes_change_nothing_for_the_customer() -> None:
    staff = make_staff()
    booking, her = staff.book(), staff.workers[0]
    row = staff.ask(booking)
    with pytest.raises(AskIsOver) as late:
        accept(her.id, row, now=after(minutes=15))
    assert late.value.facts == {"state": "expired"}
    for _twice in range(2):
        decline(her.id, row, now=after(minutes=1))
    assert asked(booking) == [(her.id, "declined", "declined")]
    with pytest.raises(AskIsOver) as over:
        accept(her.id, row, now=after(minutes=2))
    assert over.value.facts == {"state": "declined"}
    assert booking_row(booking).state is BookingState.AWAITING_PROVIDER and notices(*_COMES) == []


def test_who_has_said_yes_can_not_say_no_any_more_and_nobody_answers_for_another() -> None:
    staff = make_staff(2)
    row = staff.ask(staff.book())
    first, second = staff.workers
    for answer in (accept, decline):
        with pytest.raises(NotFound):
            answer(second.id, row, now=NOON)
    accept(first.id, row, now=NOON)
    with pytest.raises(AskIsOver):
        decline(first.id, row, now=NOON)


def test_with_the_booking_it_ends_and_her_time_is_free() -> None:
    staff = make_staff()
    given_up, done, missed = staff.book(), staff.book(1), staff.book(2)
    her = staff.workers[0]
    accept(her.id, staff.ask(given_up), now=NOON)
    with transaction() as session:
        member = add_operator(staff.provider)
        session.add(member)
        session.flush()
        session.execute(update(EscortWorker).values(member_id=member.id))
    cancel(staff.made.world.principal, given_up, now=after(minutes=1))
    go(given_up, BookingState.CANCELLED)
    assert asked(given_up) == [(her.id, "withdrawn", "cancelled")]
    with reading() as session:
        heard = session.scalars(select(LiveEvent).where(LiveEvent.kind == "escort").order_by(LiveEvent.id)).all()[-1]
    assert heard.topics == [f"provider:{staff.provider.id}", f"member:{member.id}"]
    assert heard.facts == {"assignment": assignments(given_up)[0].public_id, "state": "withdrawn"}
    accept(her.id, staff.ask(done), now=NOON)
    go(done, BookingState.IN_SERVICE, BookingState.FULFILLED)
    assert asked(done) == [(her.id, "done", None)]
    row = staff.ask(missed)
    go(missed, BookingState.REJECTED)
    assert asked(missed) == [(her.id, "withdrawn", "cancelled")], "the desk said no meanwhile"
    with pytest.raises(AskIsOver):
        accept(her.id, row, now=NOON)
    assert all(each.ended_at is not None for each in assignments(missed))


def test_another_time_withdraws_her_and_somebody_is_looked_for_anew() -> None:
    staff = make_staff(firm=True)
    booking, her = staff.book(), staff.workers[0]
    accept(her.id, staff.ask(booking), now=NOON)
    reschedule(staff.made.world.principal, booking, staff.made.world.slots[2].public_id, now=after(minutes=1))
    assert asked(booking) == [(her.id, "withdrawn", "moved")]
    accept(her.id, staff.ask(booking, now=after(minutes=2)), now=after(minutes=2))
    assert [each.period.lower.hour for each in assignments(booking)] == [EIGHT.hour - 8, EIGHT.hour - 6]
    assert [each.kind for each in notices("escort_assigned", "escort_replaced")] == ["escort_assigned"] * 2


def test_what_is_being_cancelled_is_accepted_by_nobody() -> None:
    staff = make_staff()
    booking = staff.book()
    row = staff.ask(booking)
    go(booking, BookingState.CONFIRMED)
    with transaction() as session:
        session.execute(text("UPDATE provider_task SET first_sent_at = now(), state = 'done', finished_at = now()"))
    cancel(staff.made.world.principal, booking, now=NOON)
    with pytest.raises(NotToBeEscorted) as refused:
        accept(staff.workers[0].id, row, now=NOON)
    assert refused.value.facts == {"reason": "cancel_under_way"}
