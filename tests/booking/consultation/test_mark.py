"""The mark of a conversation differs whenever its page would, and only then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from booking.consultation import read
from booking.consultation.assigning.leaving import take_a_break
from booking.consultation.close import close, reopen
from booking.consultation.mark import Mark, mark
from booking.consultation.place import choose
from booking.consultation.queue import accept
from booking.consultation.summary import Summary
from booking.pledges.keep import keep_pledges
from tests.booking.consultation.rooms import make_clinician, make_practice
from tests.people import NOON

SECOND = timedelta(seconds=1)


@pytest.mark.usefixtures("db")
def test_each_thing_that_a_page_shows_moves_the_mark_and_nothing_else_does() -> None:
    practice = make_practice(quantity=9)
    me, doctor = practice.world.principal, practice.clinician
    first = practice.open(department="general").conversation
    talk = practice.open().conversation
    at = NOON

    def now() -> Mark:
        return mark(me, talk, now=at)

    def moves(*acts: Callable[[], object]) -> None:
        for number, act in enumerate(acts):
            before = now()
            assert now() == before, "nothing has happened"
            act()
            assert now() != before, f"act {number} of {len(acts)}"

    moves(lambda: practice.ask(talk, "嗓子疼"))
    assert now()[0] == 1, "the number of the newest message comes first"
    moves(
        lambda: practice.ask(first, "胸口剧痛，喘不上气"),  # an emergency, which goes before her
        lambda: make_clinician(practice.world),  # one more who could take it
        lambda: take_a_break(doctor, now=at),
        lambda: choose(me, talk, "wait", now=at),
        lambda: choose(me, talk, "emergency", now=at),
    )
    before, at = now(), NOON + 90 * SECOND
    assert now() != before, "the promised moment has passed"
    moves(lambda: keep_pledges(now=at))
    another = make_clinician(practice.world)
    moves(
        lambda: accept(another, talk, now=at),
        lambda: read.mark_read(another, talk, 1, at),
        lambda: read.typing(another, talk, at),
    )
    before, at = now(), at + read.TYPING_SHOWN + SECOND
    assert now() != before, "she has stopped typing"
    practice.clinician = another
    moves(
        lambda: practice.answer(talk, "多久了？", now=at),
        lambda: close(another, talk, Summary("急性咽炎"), now=at),
        lambda: reopen(me, talk, now=at + SECOND),
    )
    before = now()
    practice.ask(first, "还在疼", now=at)
    read.typing(me, talk, at)
    read.mark_read(me, talk, 2, at)
    assert now() == before, "what she does herself, and what others say elsewhere, is not told to her"
