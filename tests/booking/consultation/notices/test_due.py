"""What a customer is notified of who isn't looking: once, while it is true, and without a word of her health."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from booking.changes.cancel import cancel
from booking.consultation.assigning.leaving import go_off, take_a_break
from booking.consultation.close import close
from booking.consultation.notices.due import ANSWERED, CALL_BACK, CHOOSE, FRESH, notify_due
from booking.consultation.place import choose
from booking.consultation.queue import accept
from booking.consultation.read import mark_read
from booking.consultation.summary import Summary
from booking.messages.freshness import stale
from booking.notices.kinds import KINDS
from booking.notices.models import Notification, NotificationDelivery
from marketplace.core.database.db import reading
from marketplace.messages import compose
from providers.staff import shifts
from tests.booking.consultation.rooms import Practice, make_clinician, make_practice
from tests.concurrency.controls import all_at_once
from tests.people import NOON

pytestmark = pytest.mark.usefixtures("db")
QUESTION = "胸口起疹子"


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def told(*kinds: str) -> list[Notification]:
    """The notices of these kinds."""
    with reading() as session:
        query = select(Notification).where(Notification.kind.in_(kinds or (ANSWERED, CALL_BACK, CHOOSE)))
        return list(session.scalars(query.order_by(Notification.id)))


def why_not(notice: Notification, now: datetime) -> str:
    """Why it would not be sent any more."""
    with reading() as session:
        return stale(session, session.get_one(Notification, notice.id), now)


def channels(notice: Notification) -> Sequence[str]:
    with reading() as session:
        query = select(NotificationDelivery.channel).where(NotificationDelivery.notification_id == notice.id)
        return session.scalars(query).all()


@pytest.fixture
def practice() -> Practice:
    return make_practice(quantity=5)


@pytest.fixture
def alone(practice: Practice) -> Practice:
    """Nobody is on shift."""
    go_off(practice.clinician, now=NOON)
    return practice


def asked(practice: Practice) -> str:
    conversation = practice.open().conversation
    practice.ask(conversation, QUESTION)
    return conversation


def test_an_answer_that_she_has_not_read_for_half_a_minute_is_told_once(practice: Practice) -> None:
    conversation = asked(practice)
    practice.answer(conversation, "多久了？", now=after(10))
    assert notify_due(now=after(39.9)) == {} and told() == []
    assert notify_due(now=after(40))[ANSWERED] == 1
    practice.answer(conversation, "在哪里？", now=after(50))
    assert notify_due(now=after(90)) == {}
    (notice,) = told()
    assert (notice.kind, notice.subject, notice.facts["conversation"]) == (ANSWERED, conversation, conversation)
    assert channels(notice) == ["sms"] and KINDS[ANSWERED].urgent
    assert why_not(notice, after(41)) == ""


def test_who_has_read_it_is_told_nothing_and_what_she_reads_meanwhile_is_not_sent(practice: Practice) -> None:
    looking, later = asked(practice), asked(practice)
    for conversation in (looking, later):
        practice.answer(conversation, "多久了？", now=NOON)
    mark_read(practice.world.principal, looking, 2, after(3))
    mark_read(practice.world.principal, later, 1, after(3))
    notify_due(now=after(31))
    (notice,) = told()
    assert notice.subject == later
    mark_read(practice.world.principal, later, 2, after(32))
    assert why_not(notice, after(33)) == "moved_on"


def test_a_clinicians_own_mark_is_not_the_customers(practice: Practice) -> None:
    conversation = asked(practice)
    practice.answer(conversation, "多久了？", now=NOON)
    mark_read(practice.clinician, conversation, 2, NOON)
    assert notify_due(now=after(31))[ANSWERED] == 1


def test_what_is_old_news_or_over_is_told_to_nobody(practice: Practice) -> None:
    old, over, closed = asked(practice), practice.open(), asked(practice)
    practice.answer(old, "多久了？", now=NOON - FRESH)
    practice.answer(closed, "多久了？", now=NOON)
    close(practice.clinician, closed, Summary("湿疹"), now=after(5))
    practice.ask(over.conversation, QUESTION)
    cancel(practice.world.principal, over.booking, now=after(5))
    assert notify_due(now=after(70)) == {}


def test_nobody_on_shift_is_told_a_minute_after_she_asked_unless_she_has_chosen(alone: Practice) -> None:
    silent, chosen = asked(alone), asked(alone)
    unasked = alone.open().conversation
    choose(alone.world.principal, chosen, "wait", now=after(20))
    assert notify_due(now=after(59.9)) == {}
    assert notify_due(now=after(60))[CHOOSE] == 1
    assert notify_due(now=after(65)) == {}
    (notice,) = told()
    assert notice.subject == silent != unasked
    choose(alone.world.principal, silent, "wait", now=after(66))
    assert why_not(notice, after(67)) == "moved_on"


@pytest.mark.parametrize("there", ["department", "general", "other_language", "other_department", "break"])
def test_only_who_could_answer_her_counts_as_there(alone: Practice, there: str) -> None:
    conversation = asked(alone)
    doctor = make_clinician(
        alone.world,
        languages=("en",) if there == "other_language" else ("zh", "en"),
        departments={"general": ("general",), "other_department": ("dermatology",)}.get(there, ("general",)),
    )
    if there == "break":
        take_a_break(doctor, now=NOON)
    notify_due(now=after(60))
    missing = there in ("other_language", "other_department", "break")
    assert [it.subject for it in told()] == ([conversation] if missing else [])


def test_the_moment_at_which_she_wanted_to_be_called_back_is_told_once_for_each_moment(alone: Practice) -> None:
    conversation, me = asked(alone), alone.world.principal
    choose(me, conversation, "call_back", call_back_at=after(600), now=NOON)
    shifts.begin(alone.clinician, now=after(590), capacity=20)
    assert notify_due(now=after(599)) == {}
    assert notify_due(now=after(600))[CALL_BACK] == 1
    assert notify_due(now=after(605)) == {}
    first = told()[0]
    assert why_not(first, after(601)) == ""
    choose(me, conversation, "call_back", call_back_at=after(1200), now=after(606))
    assert why_not(first, after(607)) == "moved_on"
    assert notify_due(now=after(1200))[CALL_BACK] == 1
    assert [it.kind for it in told()] == [CALL_BACK, CALL_BACK]


def test_she_is_not_told_that_a_doctor_answers_while_none_is_there(alone: Practice) -> None:
    conversation, me = asked(alone), alone.world.principal
    choose(me, conversation, "call_back", call_back_at=after(600), now=NOON)
    assert notify_due(now=after(601)) == {}
    shifts.begin(alone.clinician, now=after(700), capacity=20)
    assert notify_due(now=after(701)) == {CALL_BACK: 1}


def test_who_chose_something_else_or_was_taken_is_not_told_of_the_moment(alone: Practice) -> None:
    me = alone.world.principal
    changed, taken, answered = asked(alone), asked(alone), asked(alone)
    for conversation in (changed, taken, answered):
        choose(me, conversation, "call_back", call_back_at=after(600), now=NOON)
    choose(me, changed, "emergency", now=after(10))
    shifts.begin(alone.clinician, now=after(20), capacity=20)
    accept(alone.clinician, taken, now=after(30))
    alone.answer(answered, "多久了？", now=after(30))
    mark_read(me, answered, 2, after(31))
    assert notify_due(now=after(600)) == {}


def test_many_workers_at_once_tell_it_once(practice: Practice) -> None:
    practice.answer(asked(practice), "多久了？", now=NOON)
    results = all_at_once([lambda: notify_due(now=after(31))] * 8)
    assert sum(each[ANSWERED] for each in results if not isinstance(each, Exception)) == 1
    assert len(told()) == 1


@pytest.mark.parametrize("kind", [ANSWERED, CALL_BACK, CHOOSE])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_its_words_say_nothing_of_what_was_asked_or_where(alone: Practice, kind: str, language: str) -> None:
    conversation, me = asked(alone), alone.world.principal
    if kind == CALL_BACK:
        choose(me, conversation, "call_back", call_back_at=after(60), now=NOON)
        shifts.begin(alone.clinician, now=after(50), capacity=20)
    if kind == ANSWERED:
        shifts.begin(alone.clinician, now=NOON, capacity=20)
        alone.answer(conversation, "多久了？", now=NOON)
    notify_due(now=after(60))
    (notice,) = told(kind)
    said = compose.say(kind, notice.facts, "zh" if language == "zh" else "en", as_of=NOON)
    assert said.title and said.text and "{" not in said.title + said.text
    for secret in (QUESTION, "多久了", "皮肤", "全科", "Dermatology", "General practice", "何医生"):
        assert secret not in said.title + said.text
    assert QUESTION not in str(notice.facts)
