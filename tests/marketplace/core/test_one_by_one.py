"""What is gone through row by row: one that breaks keeps none of the others from its turn."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from booking.hold import expire
from booking.hold.expire import expire_holds
from booking.hold.take import HOLD
from marketplace.core.errors import Busy
from marketplace.core.one_by_one import one_by_one
from tests.people import NOON
from tests.world import booking_row, make_world


def test_what_breaks_and_what_is_busy_is_left_and_counted() -> None:
    def work(row: int) -> str:
        if row == 1:
            raise ValueError("a name")
        if row == 2:
            raise Busy()
        return "done"

    assert one_by_one("test", [1, 2, 3, 4], work) == {"broken": 1, "busy": 1, "done": 2}


def test_what_is_not_begun_in_time_is_left() -> None:
    begun: list[int] = []

    def work(row: int) -> str:
        begun.append(row)
        time.sleep(0.01)
        return "done"

    assert one_by_one("test", [1, 2, 3], work, seconds=0.005) == {"done": 1}
    assert begun == [1]


def test_a_database_that_is_away_ends_it() -> None:
    seen: list[int] = []

    def work(row: int) -> str:
        seen.append(row)
        raise OperationalError("", None, Exception("gone"))

    with pytest.raises(OperationalError):
        one_by_one("test", [1, 2], work)
    assert seen == [1]


def test_a_hold_that_cannot_be_ended_does_not_keep_the_next_from_ending(
    db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(quantity=2)
    first, second = world.hold(0), world.hold(1)
    move = expire.move

    def broken(session: Any, booking: Any, *given: Any, **named: Any) -> None:
        if booking.public_id == first:
            session.execute(text("SELECT 1 / 0"))
        move(session, booking, *given, **named)

    monkeypatch.setattr(expire, "move", broken)
    assert expire_holds(now=NOON + HOLD) == 1
    assert [booking_row(each).state for each in (first, second)] == ["held", "expired"]
