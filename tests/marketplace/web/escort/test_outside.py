"""An escort whom a provider's own system sends, on the pages that show our own ones too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.engine import Engine

from booking.escort.following.links import NewLink, make_link
from marketplace.core import clock
from tests.booking.escort.outside.stage import HE, LIN, WORD, Outside, assigned, code, line, make_outside
from tests.desk import at_desk, make_member
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.world import EIGHT

HERS = "13800000021"


@pytest.fixture
def one(db: Engine) -> Iterator[tuple[Outside, str]]:
    with clock.frozen(NOON):
        it = make_outside()
        booking = it.book()
        it.tell(assigned(booking), now=NOON)
        yield it, booking


def test_the_customer_reads_who_comes_her_word_and_her_code(app: Flask, one: tuple[Outside, str]) -> None:
    it, booking = one
    visitor = Visitor.signed_in(app, HERS)
    told = main(visitor.get(f"/bookings/{booking}/escort"))
    for words in (HE.name, "No. S-17", "Nurse", WORD, code(booking), "Set out"):
        assert words in told
    it.tell(line(booking, 2, "arrived", minutes=-5, position="within", accuracy_m=20), now=EIGHT)
    it.tell(line(booking, 3, "met", code=code(booking)), now=EIGHT)
    told = main(visitor.get(f"/bookings/{booking}/escort"))
    for words in ("Arrived at the hospital 07:55", "within 300 m", "Met 08:00"):
        assert words in told


def test_she_reads_at_once_that_another_one_comes(app: Flask, one: tuple[Outside, str]) -> None:
    it, booking = one
    it.tell(line(booking, 2, "released", cause="ill"), now=NOON + timedelta(hours=1))
    visitor = Visitor.signed_in(app, HERS)
    told = main(visitor.get(f"/bookings/{booking}/escort"))
    assert f"{HE.name} is ill and can't come" in told and WORD not in told
    it.tell(assigned(booking, 3, LIN, "竹林"), now=NOON + timedelta(hours=2))
    told = main(visitor.get(f"/bookings/{booking}/escort"))
    assert LIN.name in told and "竹林" in told


def test_the_family_follows_her_steps_and_learns_no_name(app: Flask, one: tuple[Outside, str]) -> None:
    it, booking = one
    it.tell(line(booking, 2, "met"), now=EIGHT)
    made = make_link(it.made.world.principal, booking, NewLink("哥哥", 1, with_notes=False), now=NOON)
    with clock.frozen(EIGHT):
        brother, path = Visitor(app), f"/shared/escort/{made.token}"
        brother.post(path, page=path)
        shown = brother.get(path)
        assert "Met 08:00" in main(shown) and HE.name not in shown.text and WORD not in shown.text


def test_the_desk_sees_whom_its_system_named_and_asks_nobody(app: Flask, one: tuple[Outside, str]) -> None:
    it, booking = one
    make_member(it.made.world.provider.code, login="yan")
    yan = at_desk(app, "yan")
    board = main(yan.get("/desk/dispatch"))
    assert "Your own system sends people" in board and HE.name in board and "Escort workers" not in board
    told = yan.get(f"/desk/dispatch/bookings/{booking}")
    assert told.status_code == 200 and HE.name in told.text and "named by your system" in told.text
    for control in ("Replace her", "Ask all the same", "/desk/dispatch/workers/"):
        assert control not in told.text
