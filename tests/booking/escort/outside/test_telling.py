"""Who comes, by name, as it was then; and how often the customer hears of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from booking.changes.reschedule import reschedule
from booking.escort.after.record import conclusion_of
from booking.escort.deeds import deeds_of
from booking.escort.outside.telling import OFTEN
from booking.escort.shown.told import told_of
from booking.messages.freshness import stale
from booking.notices.models import Notification
from marketplace.core.database.db import reading
from providers.port import Confirmed
from tests.booking.escort.outside.stage import (
    ENDS,
    HE,
    LIN,
    WORD,
    assigned,
    by_event,
    code,
    line,
    make_outside,
    sent,
    state,
)
from tests.booking.escort.outside.test_lies import LATER, time_at
from tests.booking.escort.staff import notices
from tests.people import NOON
from tests.world import EIGHT, booking_row, one_pass

pytestmark = pytest.mark.usefixtures("db")

SOMEBODY = replace(HE, name="赵敏", staff_number="S-99", qualification_zh="社工", qualification_en="Social worker")
"""Another person under the code of before."""
_ALL = ("escort_assigned", "escort_replaced", "escort_word", "escort_nobody")


def later(minutes: float) -> datetime:
    """So long after the beginning."""
    return EIGHT + timedelta(minutes=minutes)


def names(booking: str) -> set[str]:
    """Who is named by what stands there of a booking."""
    with reading() as session:
        row = booking_row(booking)
        told = told_of(session, row.id)
        by_deeds = {deed.worker for deed in deeds_of(session, row.id)}
        said = conclusion_of(told, row, "zh")
    return by_deeds | {one.name for one in told.sent} | {each for each in (HE.name, SOMEBODY.name) if each in said}


def test_a_code_that_is_somebody_elses_later_changes_no_name_of_before() -> None:
    it = make_outside()
    before, after = it.book(), it.book(2)
    it.tell(assigned(before), now=NOON)
    by_event(it, line(before, 2, "met", code=code(before)), later(1))
    by_event(it, line(before, 3, "handed_over", minutes=60, words="一切顺利"), later(61))
    it.status(before, "fulfilled", 3, now=later(62))
    it.read(later(62))
    assert state(before) == "fulfilled"

    it.tell(assigned(after, who=SOMEBODY), now=later(120))
    assert names(before) == {HE.name}
    worker = it.view(before, now=later(121)).worker
    assert worker is not None
    assert (worker.name, worker.staff_number, worker.qualification.zh) == (HE.name, "S-17", "护理专业")
    worker = it.view(after, now=later(121)).worker
    assert worker is not None
    assert (worker.name, worker.staff_number, worker.done) == (SOMEBODY.name, "S-99", 0), (
        "what she did is not the other's"
    )


def test_another_name_under_the_same_code_is_somebody_else() -> None:
    it = make_outside()
    booking = it.book()
    it.tell(assigned(booking), now=NOON)
    it.tell(line(booking, 2, "on_the_way", minutes=-30), now=later(-30))
    it.tell(assigned(booking, 3, SOMEBODY, "大海"), now=later(-20))
    (told,) = notices("escort_replaced")
    assert told.facts["who"] == SOMEBODY.name
    assert (sent(booking), names(booking)) == ([("replaced", "desk"), ("accepted", None)], {HE.name, SOMEBODY.name})
    view = it.view(booking, now=later(-19))
    assert ([each.name for each in view.replaced], view.worker and view.worker.name) == ([HE.name], SOMEBODY.name)


def test_the_same_one_with_another_word_is_told_and_with_the_same_one_is_not() -> None:
    it = make_outside()
    booking = it.book()
    it.tell(assigned(booking), now=NOON)
    shown = code(booking)
    it.tell(assigned(booking, 2, replace(HE, staff_number="S-18")), now=NOON + timedelta(minutes=1))
    assert [each.kind for each in notices(*_ALL)] == ["escort_assigned"]
    view = it.view(booking, now=NOON)
    assert view.worker is not None
    assert view.worker.staff_number == "S-18"
    it.tell(assigned(booking, 3, word="大海"), now=NOON + timedelta(minutes=2))
    (told,) = notices("escort_word")
    assert WORD not in str(told.facts)
    assert "大海" not in str(told.facts), "a message is read by others: the page says the word"
    view = it.view(booking, now=NOON)
    assert (view.safe_word, code(booking), sent(booking)) == ("大海", shown, [("accepted", None)])

    assert why_stale(told) == ""
    it.tell(assigned(booking, 4, LIN, "明月"), now=NOON + timedelta(minutes=3))
    assert why_stale(told) == "moved_on"


def why_stale(notice: Notification) -> str:
    """Why it is not sent any more."""
    with reading() as session:
        return stale(session, session.scalars(select(Notification).where(Notification.id == notice.id)).one(), NOON)


def test_a_flood_of_names_is_a_few_notices_and_the_last_one_arrives() -> None:
    it = make_outside()
    booking = it.book()
    for number in range(20):  # one a second
        who, word = ((HE, WORD), (LIN, "大海"))[number % 2]
        it.tell(assigned(booking, number + 1, who, word), now=NOON + timedelta(seconds=number))
    assert len(notices(*_ALL)) == OFTEN.capacity
    assert it.watch(NOON + timedelta(minutes=4)) == {}

    assert it.watch(NOON + timedelta(minutes=6)) == {"told": 1}
    last = notices(*_ALL)[-1]
    assert (last.kind, last.facts["who"], why_stale(last)) == ("escort_replaced", LIN.name, "")
    assert it.watch(NOON + timedelta(minutes=7)) == {}
    assert len(notices(*_ALL)) == OFTEN.capacity + 1


def test_words_that_change_all_the_time_are_a_few_notices_too() -> None:
    it = make_outside()
    booking = it.book()
    for number in range(20):
        word = (WORD, "大海")[number % 2]
        it.tell(assigned(booking, number + 1, word=word), now=NOON + timedelta(seconds=number))
    assert [each.kind for each in notices(*_ALL)] == ["escort_assigned", "escort_word", "escort_word"]
    it.watch(NOON + timedelta(minutes=6))
    assert [each.kind for each in notices(*_ALL)][3:] == ["escort_word"]


@pytest.mark.parametrize("minutes", [-90, 10], ids=["when the clock asks people", "once it has begun"])
def test_names_and_releases_in_turn_are_a_few_notices_and_the_last_one_arrives(minutes: int) -> None:
    it = make_outside()
    booking = it.book()
    at = later(minutes)
    for number in range(0, 16, 2):
        now = at + timedelta(seconds=number)
        it.tell(assigned(booking, number + 1), now=now)
        it.tell(line(booking, number + 2, "released"), now=now + timedelta(seconds=1))
        it.watch(now + timedelta(seconds=1))
    assert len(notices(*_ALL)) == OFTEN.capacity
    it.watch(at + timedelta(minutes=6))
    assert [each.kind for each in notices(*_ALL)][OFTEN.capacity :] == ["escort_nobody"]


def test_what_was_to_be_told_of_what_is_over_is_not_told() -> None:
    it = make_outside()
    booking = it.book()
    for number in range(6):
        who, word = ((HE, WORD), (LIN, "大海"))[number % 2]
        it.tell(assigned(booking, number + 1, who, word), now=ENDS - timedelta(seconds=9 - number))
    assert it.watch(ENDS + timedelta(minutes=6))["over"] == 1
    assert len(notices(*_ALL)) == OFTEN.capacity


def test_what_was_to_be_told_of_a_booking_that_was_cancelled_is_not_told() -> None:
    it = make_outside()
    booking = it.book()
    for number in range(6):
        who, word = ((HE, WORD), (LIN, "大海"))[number % 2]
        it.tell(assigned(booking, number + 1, who, word), now=NOON + timedelta(seconds=number))
    it.status(booking, "cancelled", 2, now=NOON + timedelta(minutes=1))
    assert state(booking) == "cancelled"
    it.watch(NOON + timedelta(minutes=6))
    assert len(notices(*_ALL)) == OFTEN.capacity


def test_that_nobody_came_at_the_time_from_which_it_was_moved_is_not_told_of_the_new_one() -> None:
    it = make_outside()
    booking = it.book()
    for number in range(5):
        who, word = ((HE, WORD), (LIN, "大海"))[number % 2]
        it.tell(assigned(booking, number + 1, who, word), now=NOON + timedelta(seconds=number))
    it.tell(line(booking, 6, "released"), now=NOON + timedelta(seconds=6))
    assert (len(notices(*_ALL)), notices("escort_nobody")) == (OFTEN.capacity, [])
    reschedule(it.made.world.principal, booking, time_at(LATER), now=NOON + timedelta(minutes=1))
    it.there.answers = [Confirmed(f"R-{booking}", 4)]
    one_pass(it.made.world, it.there, now=NOON + timedelta(minutes=2))
    assert booking_row(booking).starts_at == LATER
    it.watch(NOON + timedelta(minutes=8))
    assert (notices("escort_nobody"), it.view(booking, now=NOON + timedelta(minutes=8)).nobody_since) == ([], None)
