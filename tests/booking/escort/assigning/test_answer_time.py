"""How long a worker has for her answer."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from booking.escort.assigning.answer_time import answer_due
from tests.people import NOON

ZONE = "Asia/Shanghai"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("left", "deadline", "given"),
    [
        (8 * 24 * HOUR, None, 15 * MINUTE),
        (24 * HOUR, None, 15 * MINUTE),
        (24 * HOUR - MINUTE, None, 5 * MINUTE),
        (3 * HOUR, None, 5 * MINUTE),
        (3 * HOUR - MINUTE, None, 2 * MINUTE),
        (MINUTE, None, MINUTE),
        (24 * HOUR, 10 * MINUTE, 10 * MINUTE),
        (24 * HOUR, 20 * MINUTE, 15 * MINUTE),
        (24 * HOUR, timedelta(seconds=29), None),
        (timedelta(seconds=29), None, None),
        (-MINUTE, None, None),
        (24 * HOUR, -MINUTE, None),
    ],
)
def test_it_is_shorter_the_nearer_the_start_and_never_past_what_bounds_it(
    left: timedelta, deadline: timedelta | None, given: timedelta | None
) -> None:
    due = answer_due(NOON + left, None if deadline is None else NOON + deadline, NOON, zone=ZONE)
    assert due == (None if given is None else NOON + given)


@pytest.mark.parametrize(
    ("asked", "left", "deadline", "due"),
    [
        ("21:44", 7 * 24 * HOUR, None, "21:59"),
        ("21:50", 7 * 24 * HOUR, None, "08:15"),  # it would end in the night
        ("23:00", 7 * 24 * HOUR, None, "08:15"),
        ("07:50", 7 * 24 * HOUR, None, "08:15"),
        ("08:00", 7 * 24 * HOUR, None, "08:15"),
        ("23:00", 23 * HOUR, None, "23:05"),  # there is no time to lose
        ("23:00", 7 * 24 * HOUR, 4 * HOUR, "23:15"),  # the booking ends in the night: others are asked, too
        ("23:00", 7 * 24 * HOUR, 12 * HOUR, "08:15"),
    ],
)
def test_the_night_does_not_count_for_what_is_days_away(
    asked: str, left: timedelta, deadline: timedelta | None, due: str
) -> None:
    now = datetime.fromisoformat(f"2026-03-10T{asked}:00+08:00")
    given = answer_due(now + left, None if deadline is None else now + deadline, now, zone=ZONE)
    assert given is not None and f"{given.astimezone(now.tzinfo):%H:%M}" == due


def test_once_it_has_begun_there_are_two_minutes_within_the_service() -> None:
    for left, given in ((3 * HOUR, 2 * MINUTE), (MINUTE, MINUTE), (MINUTE / 4, None)):
        due = answer_due(NOON - HOUR, None, NOON, zone=ZONE, until=NOON + left)
        assert due == (None if given is None else NOON + given)
