"""A pledge from the customer's first message to its end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError

from booking.actors import Actor, ActorKind
from booking.changes.cancel import cancel
from booking.consultation.close import close
from booking.consultation.models import Conversation
from booking.consultation.queue import accept
from booking.consultation.say import Said, append
from booking.consultation.summary import Summary
from booking.pledges import pledge
from booking.pledges.keep import keep_pledges
from booking.pledges.pledge import PledgeView, Promise, Subject
from booking.states import BookingState
from booking.transition import lock_booking, move
from marketplace.core.database.db import reading, transaction, violated
from marketplace.messages import compose
from tests.booking.consultation.rooms import Practice, make_practice
from tests.booking.pledges.rows import after, compensations, give_up, granted, notices, pledges, the_pledge
from tests.people import NOON
from tests.world import booking_row

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


@pytest.fixture
def practice() -> Practice:
    """Doctors who promise an answer within 90 seconds."""
    return make_practice()


@pytest.fixture
def conversation(practice: Practice) -> str:
    """One in which the customer has just asked."""
    opened = practice.open().conversation
    practice.ask(opened, "嗓子疼")
    return opened


def conversation_row(public_id: str) -> Conversation:
    with reading() as session:
        return session.scalars(select(Conversation).where(Conversation.public_id == public_id)).one()


def end_of() -> tuple[str, Any, Any, Any]:
    found = the_pledge()
    return found.state, found.met_at, found.breached_at, found.cancelled_at


def test_opening_promises_nothing_and_the_first_message_begins_it_once(practice: Practice) -> None:
    opened = practice.open().conversation
    assert pledges() == []
    practice.ask(opened, "嗓子疼", now=after(5))
    practice.ask(opened, "还发烧", now=after(40))
    found = the_pledge()
    assert (found.state, found.seconds, found.begun_at, found.due_at) == ("pending", 90, after(5), after(95))
    assert (found.subject_kind, found.subject, found.promise) == ("conversation", opened, "first_answer")


def test_an_answer_at_89_seconds_meets_it(practice: Practice, conversation: str) -> None:
    practice.answer(conversation, "多久了？", now=after(89))
    assert end_of() == ("met", after(89), None, None)
    assert keep_pledges(now=after(91))["breached"] == 0
    assert (compensations(), notices()) == ([], [])


def test_an_answer_at_89_seconds_that_commits_behind_the_clocks_pass_meets_it(
    practice: Practice, conversation: str
) -> None:
    """Its moment is read under the lock: the pass leaves the row to it, and finds it met."""
    with transaction() as session:
        booking, _ = lock_booking(session, conversation_row(conversation).booking_id)
        passes = _elsewhere(lambda: keep_pledges(now=after(91)))
        assert (passes["left"], passes["breached"]) == (1, 0)
        pledge.meet(session, "first_answer", Subject("conversation", conversation), now=after(89))
    assert keep_pledges(now=after(92))["breached"] == 0
    assert end_of() == ("met", after(89), None, None)
    assert booking.id


def test_an_answer_at_91_seconds_is_a_breach_although_the_clock_has_not_run(
    practice: Practice, conversation: str
) -> None:
    practice.answer(conversation, "多久了？", now=after(91))
    assert end_of() == ("breached", None, after(91), None)
    assert granted() == [(2, 1), (1, 1)]
    assert keep_pledges(now=after(92))["breached"] == 0
    assert len(compensations()) == len(notices()) == 1
    (facts,) = notices()
    assert compose.say("pledge_breached", facts, "en", as_of=NOON).text.endswith(
        "We gave you 1 more use of: Online consultation. A doctor has answered now: open the consultation to read it."
    )
    assert "仍在排队" not in compose.say("pledge_breached", facts, "zh", as_of=NOON).text
    assert facts["conversation"] == conversation, "the inbox leads there"


def test_the_clock_writes_a_breach_once_gives_a_consultation_and_tells_her(
    practice: Practice, conversation: str
) -> None:
    assert keep_pledges(now=after(89.9))["breached"] == 0
    assert keep_pledges(now=after(90))["breached"] == 1
    assert keep_pledges(now=after(91))["breached"] == 0
    assert end_of() == ("breached", None, after(90), None)
    (given,) = compensations()
    assert (given.units, given.at, granted()) == (1, after(90), [(2, 1), (1, 1)])
    (facts,) = notices()
    assert compose.say("pledge_breached", facts, "zh", as_of=NOON).text == (
        "我们承诺 90 秒内回复，没有做到。已为您补偿 1 次在线问诊。您的问题仍在排队，不用重新提问。"
    )
    assert compose.say("pledge_breached", facts, "en", as_of=NOON).text == (
        "We promised an answer within 90 seconds and did not keep it. We gave you 1 more use of: Online consultation."
        " Your question stays in the queue: you need not ask again."
    )


def test_an_answer_after_the_breach_changes_nothing_of_it(practice: Practice, conversation: str) -> None:
    keep_pledges(now=after(90))
    practice.answer(conversation, "多久了？", now=after(120))
    assert end_of() == ("breached", None, after(90), None)
    assert len(compensations()) == 1


def test_it_is_at_risk_from_half_of_its_time_and_can_still_be_met(practice: Practice, conversation: str) -> None:
    assert keep_pledges(now=after(44))["at_risk"] == 0
    assert keep_pledges(now=after(46))["at_risk"] == 1
    assert keep_pledges(now=after(47))["at_risk"] == 0
    assert (the_pledge().state, the_pledge().at_risk_at) == ("at_risk", after(46))
    practice.answer(conversation, "多久了？", now=after(80))
    assert (the_pledge().state, the_pledge().at_risk_at) == ("met", after(46))


def test_neither_accepting_nor_an_automatic_line_stops_it(practice: Practice, conversation: str) -> None:
    accept(practice.clinician, conversation, now=after(10))
    with transaction() as session:
        row = session.merge(conversation_row(conversation))
        append(session, row, Said("automatic-1", "医生已接诊"), author="automatic", now=after(11))
    assert the_pledge().state == "pending"
    assert keep_pledges(now=after(90))["breached"] == 1


def test_what_is_unlimited_is_regretted_and_not_added_to() -> None:
    practice = make_practice(quantity=None)
    practice.ask(practice.open().conversation, "嗓子疼")
    keep_pledges(now=after(90))
    (given,) = compensations()
    assert (given.units, given.entitlement_id, granted()) == (0, None, [(None, None)])
    (facts,) = notices()
    assert "补偿" not in compose.say("pledge_breached", facts, "zh", as_of=NOON).text


@pytest.mark.parametrize(("quantity", "promised"), [(None, 0), (1, 1)])
def test_she_is_promised_what_a_breach_would_give_and_no_more(quantity: int | None, promised: int) -> None:
    practice = make_practice(quantity=quantity)
    first = practice.open()
    practice.ask(first.conversation, "嗓子疼")
    assert shown(first.booking).units == promised
    keep_pledges(now=after(90))
    give_up(first.booking, now=after(95))
    again = practice.open(now=after(100))
    practice.ask(again.conversation, "嗓子疼", now=after(100))
    assert shown(again.booking).units == 0, "each unit is made good once"


def shown(booking: str) -> PledgeView:
    with reading() as session:
        found = pledge.pledge_of(session, booking_row(booking).id)
    assert found is not None
    return found


def test_the_package_says_how_long_and_how_much() -> None:
    practice = make_practice(package={"pledge_seconds": 3600, "compensation_units": 2})
    practice.ask(practice.open().conversation, "嗓子疼")
    assert keep_pledges(now=after(3599))["breached"] == 0
    assert keep_pledges(now=after(3600))["breached"] == 1
    assert granted() == [(2, 1), (2, 2)]
    (facts,) = notices()
    assert "within 1 hour" in compose.say("pledge_breached", facts, "en", as_of=NOON).text


def test_what_is_given_can_be_used_for_a_while_though_the_benefit_ends_tomorrow(
    practice: Practice, conversation: str, owner_connection: Connection
) -> None:
    owner_connection.execute(text("UPDATE entitlement SET valid_until = '2026-03-03'"))
    keep_pledges(now=after(90))
    found = owner_connection.execute(text("SELECT valid_from, valid_until FROM entitlement ORDER BY id DESC")).first()
    assert [str(day) for day in found or ()] == ["2026-03-02", "2026-05-31"]


@pytest.mark.parametrize("by", ["customer", "agent"])
def test_her_own_cancel_ends_it_and_is_no_breach(practice: Practice, by: ActorKind) -> None:
    opened = practice.open()
    practice.ask(opened.conversation, "嗓子疼")
    give_up(opened.booking, now=after(30), by=by)
    assert end_of() == ("cancelled", None, None, after(30))
    assert keep_pledges(now=after(91))["breached"] == 0
    assert compensations() == []


def test_a_summary_as_the_first_words_after_her_question_keeps_the_pledge(practice: Practice) -> None:
    opened = practice.open()
    practice.answer(opened.conversation, "我看了您填写的情况", now=after(-20))
    practice.ask(opened.conversation, "要吃药吗？", now=NOON)
    close(practice.clinician, opened.conversation, Summary("不用"), now=after(10))
    assert end_of() == ("met", after(10), None, None)


def test_her_cancel_past_its_moment_is_a_breach(practice: Practice) -> None:
    opened = practice.open()
    practice.ask(opened.conversation, "嗓子疼")
    give_up(opened.booking, now=after(95))
    assert end_of() == ("breached", None, after(95), None)


@pytest.mark.parametrize(("seconds", "ended"), [(10, "cancelled"), (91, "breached")])
@pytest.mark.parametrize("off", [-3600, 3600])
def test_her_cancel_is_decided_by_the_moment_under_the_lock_and_by_nobodys_own_clock(
    practice: Practice, seconds: int, ended: str, off: int
) -> None:
    opened = practice.open()
    practice.ask(opened.conversation, "嗓子疼")
    cancel(practice.world.principal, opened.booking, now=after(seconds + off), pledged=lambda _: after(seconds))
    assert the_pledge().state == ended
    assert len(compensations()) == (ended == "breached")


@pytest.mark.parametrize("by", ["operator", "clock", "provider"])
def test_anybody_elses_cancel_ends_nothing(practice: Practice, by: ActorKind) -> None:
    opened = practice.open()
    practice.ask(opened.conversation, "嗓子疼")
    give_up(opened.booking, now=after(20), by=by)
    assert booking_row(opened.booking).state == "cancelled"
    assert the_pledge().state == "pending"


def test_the_providers_refusal_ends_nothing(practice: Practice) -> None:
    opened = practice.open()
    practice.ask(opened.conversation, "嗓子疼")
    with transaction() as session:
        booking, _ = lock_booking(session, booking_row(opened.booking).id)
        move(session, booking, BookingState.REJECTED, actor=Actor("provider"), now=after(20), cause="sold_out")
    assert the_pledge().state == "pending"
    assert keep_pledges(now=after(90))["breached"] == 1


def test_another_promise_about_the_same_booking_is_an_object_of_its_own(practice: Practice, conversation: str) -> None:
    promise = Promise("booking_answer", 7200, units=0)
    with transaction() as session:
        booking, _ = lock_booking(session, conversation_row(conversation).booking_id)
        subject = Subject("booking", booking.public_id)
        begun = [pledge.begin(session, promise, subject, booking, now=NOON) for _ in range(2)]
    assert begun == [True, False]
    with transaction() as session:
        assert pledge.meet(session, "booking_answer", subject, now=after(7000)) == "met"
        assert pledge.meet(session, "complaint", subject, now=after(7000)) is None
        found = pledge.pledge_of(session, booking.id)
    assert found is not None
    assert (found.promise, found.state) == ("first_answer", "pending")


@pytest.mark.parametrize(
    "change",
    [
        "state = 'met', met_at = begun_at, breached_at = NULL",
        "state = 'at_risk', breached_at = NULL, at_risk_at = begun_at",
        "breached_at = breached_at + interval '1 second'",
        "seconds = 91, due_at = due_at + interval '1 second'",
    ],
)
def test_an_ended_one_never_changes(
    practice: Practice, conversation: str, owner_connection: Connection, change: str
) -> None:
    keep_pledges(now=after(90))
    with pytest.raises(DBAPIError) as refused:
        owner_connection.execute(text(f"UPDATE pledge SET {change}"))
    assert violated(refused.value) == "pledge_ended"
    with pytest.raises(DBAPIError) as refused:
        owner_connection.execute(text("DELETE FROM pledge WHERE id NOT IN (SELECT pledge_id FROM pledge_compensation)"
                                      " OR true"))  # fmt: skip
    assert violated(refused.value) == "pledge_ended"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("seconds = 1000", "pledge_stands"),
        ("due_at = due_at + interval '1 hour', seconds = seconds + 3600", "pledge_stands"),
        ("state = 'met'", "ck_pledge_end"),
        ("state = 'met', met_at = due_at", "ck_pledge_decided_by_moment"),
        ("state = 'breached', breached_at = due_at - interval '1 second'", "ck_pledge_decided_by_moment"),
        ("state = 'cancelled', cancelled_at = due_at", "ck_pledge_decided_by_moment"),
        ("met_at = begun_at", "ck_pledge_end"),
        ("state = 'at_risk'", "ck_pledge_risk"),
        ("state = 'overdue'", "ck_pledge_state"),
    ],
)
def test_state_and_moments_agree(
    practice: Practice, conversation: str, owner_connection: Connection, change: str, constraint: str
) -> None:
    with pytest.raises(DBAPIError) as refused:
        owner_connection.execute(text(f"UPDATE pledge SET {change}"))
    assert violated(refused.value) == constraint


def test_one_that_breaks_stops_no_other(practice: Practice, conversation: str, owner_connection: Connection) -> None:
    """The first is refused by its constraint, as if it had been compensated before."""
    practice.ask(practice.open().conversation, "头疼", now=after(1))
    first, second = pledges()
    owner_connection.execute(
        text("INSERT INTO pledge_compensation (pledge_id, units, at) VALUES (:id, 0, now())"), {"id": first.id}
    )
    counts = keep_pledges(now=after(95))
    assert (counts["breached"], counts["broken"]) == (1, 1)
    assert [each.state for each in pledges()] == ["at_risk", "breached"]
    assert granted() == [(2, 0), (1, 1)]
    assert second.id


def _elsewhere(work: Any) -> Any:
    """Done by another thread, which has a transaction of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def test_a_unit_is_made_good_once_however_often_she_gives_up_and_asks_again() -> None:
    practice = make_practice(quantity=1)
    for turn in range(3):
        at = NOON + timedelta(minutes=10 * turn)
        opened = practice.open(now=at)
        practice.ask(opened.conversation, "嗓子疼", now=at)
        keep_pledges(now=at + timedelta(seconds=91))
        give_up(opened.booking, now=at + timedelta(seconds=95))
    assert [each.units for each in compensations()] == [1, 0, 0]
    assert granted() == [(1, 1), (1, 1)]
