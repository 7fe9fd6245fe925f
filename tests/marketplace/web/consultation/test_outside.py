"""The page of a conversation that doctors of an outside provider answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine

from booking.consultation.close import reopen
from booking.pledges.keep import keep_pledges
from marketplace.app import create_app
from marketplace.core import clock
from providers.port import Refused
from tests.booking.consultation.outside.rooms import Outside, at, make_outside
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON

PHONE = "13800000021"


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    return create_app()


@pytest.fixture
def outside(db: Engine) -> Iterator[Outside]:
    with clock.frozen(NOON):
        yield make_outside(phone=PHONE, quantity=2)


@pytest.fixture
def visitor(app: Flask, outside: Outside) -> Visitor:
    return Visitor.signed_in(app, PHONE)


def test_she_sees_the_clock_and_no_place_in_a_queue_that_nobody_here_knows(visitor: Visitor, outside: Outside) -> None:
    talk = outside.begin().conversation
    outside.ask(talk, "A rash")
    page = visitor.get(f"/consultation/{talk}")
    assert "We are passing your question on to Hexin." in main(page)
    assert 'data-left="90" data-total="90"' in page.text

    outside.work()
    shown = main(visitor.get(f"/consultation/{talk}"))
    assert "Your question is with the doctors of Hexin" in shown
    assert "How many are waiting there we can't see." in shown
    assert "ahead of you" not in shown and "on shift" not in shown and "heads of the shift" not in shown
    assert "Be called back" not in shown


def test_a_broken_pledge_is_told_with_what_it_gave(visitor: Visitor, outside: Outside) -> None:
    talk = outside.begin().conversation
    outside.ask(talk, "A rash")
    keep_pledges(now=at(90))
    with clock.frozen(at(91)):
        shown = main(visitor.get(f"/consultation/{talk}"))
    assert "We are late. Your question is still with the doctors" in shown
    assert "1 more consultation is yours for it." in shown


def test_the_doctor_is_named_with_her_title_as_our_own_are(visitor: Visitor, outside: Outside) -> None:
    opened = outside.begin()
    outside.ask(opened.conversation, "A rash")
    outside.tell(outside.line(opened, 1, "Since when?"), now=at(41))
    shown = main(visitor.get(f"/consultation/{opened.conversation}"))
    assert "何医生" in shown and "Attending physician, is with you now" in shown
    assert "Since when?" in shown and "Kept" in shown


def test_each_of_her_messages_says_whether_it_arrived(visitor: Visitor, outside: Outside) -> None:
    opened = outside.begin()
    talk = opened.conversation
    outside.ask(talk, "A rash")
    first = visitor.get(f"/consultation/{talk}/live?after=0")
    assert ">Sent</p>" in first.text and 'data-on-the-way="1"' in first.text

    outside.work()
    second = visitor.get(f"/consultation/{talk}/live?after=0", headers={"If-None-Match": first.headers["ETag"]})
    assert second.status_code == 200, "a delivery changes what the page shows"
    assert ">Delivered</p>" in second.text and 'data-on-the-way=""' in second.text

    outside.ask(talk, "On the arm")
    outside.there.meets = [Refused("closed")]
    outside.work()
    third = visitor.get(f"/consultation/{talk}/live?after=0")
    assert "Not delivered. The doctors did not get it." in third.text and 'data-not-delivered="2"' in third.text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("could not be read", "wrote after the end")),
        ("zh", ("无法读取", "在结束后又发来消息")),
    ],
)
def test_what_could_not_be_read_and_what_came_late_is_said_in_both_languages(
    app: Flask, outside: Outside, language: str, words: tuple[str, str]
) -> None:
    opened = outside.begin()
    outside.ask(opened.conversation, "A rash")
    outside.tell(outside.line(opened, 1))
    outside.tell(outside.line(opened, 2, id="m-1"))
    outside.tell(outside.summary(opened, 3))
    outside.tell(outside.line(opened, 4))
    shown = main(Visitor.signed_in(app, PHONE, language).get(f"/consultation/{opened.conversation}"))
    assert words[0] in shown and words[1] in shown
    with clock.frozen(NOON + timedelta(hours=1)):
        reopen(outside.world.principal, opened.conversation, now=clock.now())
        outside.tell(outside.line(opened, 4), now=clock.now())
        assert "请多喝水" in main(Visitor.signed_in(app, PHONE).get(f"/consultation/{opened.conversation}"))
