"""What closes a consultation that the customer has opened again, and what is late news of its end before."""

from __future__ import annotations

import pytest

from booking.consultation.close import reopen
from booking.consultation.open import Opened
from providers.port import Refused, Unknown
from tests.booking.consultation.outside.rooms import Outside, at, booking_event, make_outside, said_in, state_of

pytestmark = pytest.mark.usefixtures("db")


def opened_again() -> tuple[Outside, Opened]:
    """A summary closed it, at version 2 of the booking there; whose end the provider has not told by then."""
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.work()
    booking_event(it, opened, "in_service", 2, now=at(10))
    it.there.lines = [it.summary(opened, 1)]
    it.read(now=at(20))
    assert state_of(opened) == "fulfilled"
    reopen(it.world.principal, opened.conversation, now=at(100))
    return it, opened


def test_late_news_of_the_old_end_closes_nothing_and_nor_does_it_after_her_words_have_arrived() -> None:
    it, opened = opened_again()
    booking_event(it, opened, "fulfilled", 3, now=at(110))
    it.read(now=at(110))
    assert state_of(opened) == "in_service"

    it.ask(opened.conversation, "还有一个问题", now=at(120))
    it.work(now=at(120))
    it.read(now=at(130))

    assert state_of(opened) == "in_service"
    assert "closed_there" not in [each[2] for each in said_in(opened.conversation)]


def test_it_closes_nothing_while_her_words_are_on_their_way_nor_if_they_are_not_taken() -> None:
    it, opened = opened_again()
    it.ask(opened.conversation, "还有一个问题", now=at(101))
    it.there.meets = [Unknown("time-out"), Refused("closed")]
    it.work(now=at(101))
    booking_event(it, opened, "fulfilled", 3, now=at(102))
    it.read(now=at(102))
    assert state_of(opened) == "in_service"

    assert it.work(now=at(140)) == ["refused"]
    it.read(now=at(150))
    assert state_of(opened) == "in_service"


def test_an_end_that_is_told_after_her_words_were_taken_closes_it() -> None:
    it, opened = opened_again()
    booking_event(it, opened, "fulfilled", 3, now=at(110))
    it.read(now=at(110))
    it.ask(opened.conversation, "还有一个问题", now=at(120))
    it.work(now=at(120))
    booking_event(it, opened, "in_service", 4, now=at(121))
    it.there.lines.append(it.line(opened, 2, "不用担心"))
    booking_event(it, opened, "fulfilled", 5, now=at(130))
    it.read(now=at(130))

    assert state_of(opened) == "fulfilled"
    assert [each[2] for each in said_in(opened.conversation)][-2:] == ["text", "closed_there"]


def test_an_end_that_crosses_with_the_answer_to_her_words_closes_it_once_that_is_here() -> None:
    it, opened = opened_again()
    it.ask(opened.conversation, "还有一个问题", now=at(101))
    it.there.meets = [Unknown("time-out")]
    it.work(now=at(101))
    booking_event(it, opened, "fulfilled", 5, now=at(102))
    it.read(now=at(102))
    assert state_of(opened) == "in_service", "the provider may have them, and we do not know it"

    assert it.work(now=at(140)) == ["delivered"]
    it.read(now=at(150))
    assert state_of(opened) == "fulfilled"
