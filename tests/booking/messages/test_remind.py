"""Reminders: once for each date, at 18:00 the day before on the site's own clock; and of benefits about to end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from booking.changes.reschedule import reschedule
from booking.messages import inbox
from booking.messages.remind import due_at, is_due, preparation, remind_of_bookings, remind_of_endings
from booking.notices.models import Notification
from marketplace.core.database.db import reading
from marketplace.core.text import Text
from marketplace.messages import compose
from providers.port import Confirmed
from tests.booking.test_moves import S, go
from tests.people import NOON, give, make_customer
from tests.world import FakeAdapter, World, make_world, one_pass

EVE = datetime(2026, 3, 9, 10, 0, tzinfo=UTC)  # 18:00 in Shanghai the day before the world's slots
SECOND = timedelta(seconds=1)
FASTING = {
    "items": [],
    "sex": "any",
    "fasting": {"hours": 10, "hint_zh": "前一晚 22:00 后请勿进食。", "hint_en": "Nothing to eat after 22:00."},
}


@pytest.fixture
def world(db: object) -> World:
    """A customer with two uses, tomorrow being the day before EVE's morrow."""
    return make_world(package=FASTING)


def confirmed(world: World, slot: int = 0, now: datetime = NOON) -> str:
    booking = world.submit(slot, now=now)
    one_pass(world, FakeAdapter(answers=[Confirmed(f"R-{slot}", 1)]), now=now)
    return booking


def reminders() -> list[dict[str, Any]]:
    with reading() as session:
        return list(
            session.scalars(select(Notification.facts).where(Notification.kind == "reminder").order_by(Notification.id))
        )


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- when ------------------------------------------------------------------------------------------------------------

DUE: list[tuple[str, str, date, str]] = [
    ("Shanghai", "Asia/Shanghai", date(2026, 3, 10), "2026-03-09T10:00"),
    ("new year's day in Shanghai", "Asia/Shanghai", date(2027, 1, 1), "2026-12-31T10:00"),
    ("29 February", "Asia/Shanghai", date(2028, 2, 29), "2028-02-28T10:00"),
    ("1 March after 29 February", "Asia/Shanghai", date(2028, 3, 1), "2028-02-29T10:00"),
    ("New York in winter", "America/New_York", date(2026, 3, 8), "2026-03-07T23:00"),
    ("New York, the day after its clocks went forward", "America/New_York", date(2026, 3, 9), "2026-03-08T22:00"),
    ("New York, the day its clocks go back", "America/New_York", date(2026, 11, 1), "2026-10-31T22:00"),
    ("New York, the day after", "America/New_York", date(2026, 11, 2), "2026-11-01T23:00"),
    ("Lord Howe in summer", "Australia/Lord_Howe", date(2026, 4, 5), "2026-04-04T07:00"),
    ("Lord Howe, half an hour back", "Australia/Lord_Howe", date(2026, 4, 6), "2026-04-05T07:30"),
    ("Lord Howe, half an hour forward", "Australia/Lord_Howe", date(2026, 10, 5), "2026-10-04T07:00"),
]


@pytest.mark.parametrize(("zone", "day", "due"), [row[1:] for row in DUE], ids=[row[0] for row in DUE])
def test_the_hour_is_the_sites(zone: str, day: date, due: str) -> None:
    assert due_at(day, zone) == moment(due)
    assert not is_due(day, None, zone, moment(due) - SECOND)
    assert is_due(day, None, zone, moment(due))


def test_nothing_is_told_before_the_hour_and_once_after_it(world: World) -> None:
    confirmed(world)
    assert remind_of_bookings(now=EVE - SECOND) == 0
    assert remind_of_bookings(now=EVE) == 1
    assert remind_of_bookings(now=EVE + timedelta(minutes=1)) == 0
    assert len(reminders()) == 1


def test_a_day_without_a_time_is_reminded_of_too(world: World, owner_connection: Any) -> None:
    booking = confirmed(world)
    owner_connection.execute(
        text("UPDATE booking SET starts_at = NULL, ends_at = NULL WHERE public_id = :id"), {"id": booking}
    )
    assert (remind_of_bookings(now=EVE), remind_of_bookings(now=EVE)) == (1, 0)
    assert reminders()[0]["starts_at"] is None


@pytest.mark.parametrize("state", [S.CANCELLED, S.CHECKED_IN, S.NO_SHOW])
def test_what_is_not_ahead_any_more_is_not_reminded_of(world: World, state: S) -> None:
    go(confirmed(world), state)
    assert remind_of_bookings(now=EVE) == 0


def test_a_booking_that_waits_for_its_answer_is_not_reminded_of(world: World) -> None:
    world.submit()
    assert remind_of_bookings(now=EVE) == 0


def test_a_changed_date_is_reminded_of_again_and_an_unchanged_one_is_not(world: World, owner_connection: Any) -> None:
    booking = confirmed(world)
    assert remind_of_bookings(now=EVE) == 1
    owner_connection.execute(text("UPDATE offer SET lead_minutes = 0, change_hours = 0"))
    owner_connection.execute(
        text('UPDATE booking SET snapshot = snapshot || \'{"cancel_hours": 0, "change_hours": 0}\'::jsonb')
    )
    reschedule(world.principal, booking, world.slots[1].public_id, now=EVE)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-0", 2)]), now=EVE)
    assert (remind_of_bookings(now=EVE), remind_of_bookings(now=EVE)) == (1, 0)
    assert [facts["starts_at"][11:16] for facts in reminders()] == ["00:00", "01:00"]


@pytest.mark.parametrize(("hours_before", "told"), [(13, 1), (3, 1), (2, 0)])
def test_one_made_after_the_hour_is_reminded_of_at_once_unless_it_is_near(
    world: World, owner_connection: Any, hours_before: int, told: int
) -> None:
    owner_connection.execute(text("UPDATE offer SET lead_minutes = 0"))
    made = datetime(2026, 3, 10, 0, 0, tzinfo=UTC) - timedelta(hours=hours_before)
    confirmed(world, now=made)
    assert remind_of_bookings(now=made) == told


def test_the_reminder_says_how_to_prepare_and_what_to_bring(world: World) -> None:
    confirmed(world)
    remind_of_bookings(now=EVE)
    (notice,) = [it for it in inbox.notices(world.principal, cursor=None, limit=9).items if it.kind == "reminder"]
    chinese = compose.say("reminder", notice.facts, "zh", as_of=EVE)
    assert chinese.title == "明天有预约"
    assert "3 月 10 日 周二 08:00" in chinese.text
    assert chinese.text.endswith("前一晚 22:00 后请勿进食。请携带体检人的身份证原件。")
    english = compose.say("reminder", notice.facts, "en", as_of=EVE)
    assert english.text.endswith("Nothing to eat after 22:00. Bring the original ID card of the person who is checked.")


def test_a_package_without_hints_still_says_what_to_bring() -> None:
    assert preparation("health_check", {}) == Text(
        "请携带体检人的身份证原件。", "Bring the original ID card of the person who is checked."
    )
    several = preparation("health_check", {"preparation": [{"zh": f"{n}。", "en": f"{n}."} for n in range(9)]})
    assert several.zh.startswith("0。1。2。请")
    told = preparation("health_check", {"preparation": [{"zh": "请带身份证。", "en": "Bring your ID card."}]})
    assert told == Text("请带身份证。", "Bring your ID card."), "it is said once"


# --- benefits about to end -------------------------------------------------------------------------------------------

LAST = date(2026, 6, 30)


def midday(days_before: int) -> datetime:
    return datetime(2026, 6, 30, 4, 0, tzinfo=UTC) - timedelta(days=days_before)


def endings() -> list[tuple[str, int]]:
    with reading() as session:
        found = session.scalars(
            select(Notification).where(Notification.kind == "entitlement_expiring").order_by(Notification.id)
        )
        return [(it.subject.rsplit(":", 1)[1], it.facts["days_left"]) for it in found]


@pytest.fixture
def half_year(db: object, owner_connection: Any) -> int:
    """A benefit of two uses until the end of June, granted in January."""
    held = give(make_customer("13800000061"), 2, valid_until=LAST)
    owner_connection.execute(text("UPDATE entitlement SET created_at = '2026-01-02T00:00:00Z'"))
    return held.id


def test_an_end_is_told_thirty_and_seven_days_before(half_year: int) -> None:
    for days in (31, 30, 30, 29, 8, 7, 6, 0, -1):
        remind_of_endings(now=midday(days))
    assert endings() == [("30", 30), ("7", 7)]


def test_many_ends_on_one_day_are_told_part_by_part(half_year: int, owner_connection: Any) -> None:
    for number in range(4):
        give(make_customer(f"1380000007{number}"), 1, valid_until=LAST)
    owner_connection.execute(text("UPDATE entitlement SET created_at = '2026-01-02T00:00:00Z'"))
    assert remind_of_endings(now=midday(30), part=2) == 5
    assert remind_of_endings(now=midday(30), part=2) == 0


def test_a_run_that_was_missed_is_made_up_for_once(half_year: int) -> None:
    for days in (28, 3, 2):
        remind_of_endings(now=midday(days))
    assert endings() == [("30", 28), ("7", 3)]


def test_the_day_is_the_insurers(half_year: int) -> None:
    last_second_of_the_31st_day = datetime(2026, 5, 30, 15, 59, 59, tzinfo=UTC)
    assert remind_of_endings(now=last_second_of_the_31st_day) == 0
    assert remind_of_endings(now=last_second_of_the_31st_day + SECOND) == 1


def test_nothing_left_is_nothing_to_tell(db: object, owner_connection: Any) -> None:
    customer = make_customer("13800000062")
    give(customer, None, valid_until=LAST)
    owner_connection.execute(text("UPDATE entitlement SET created_at = '2026-01-02T00:00:00Z'"))
    assert remind_of_endings(now=midday(7)) == 0


def test_what_was_granted_within_those_days_is_not_told_of(db: object, owner_connection: Any) -> None:
    give(make_customer("13800000063"), 1, valid_until=LAST)
    owner_connection.execute(text("UPDATE entitlement SET created_at = '2026-06-20T00:00:00Z'"))
    assert remind_of_endings(now=midday(9)) == 0
    assert remind_of_endings(now=midday(7)) == 1
    assert endings() == [("7", 7)]


def test_an_end_that_has_moved_is_corrected_by_provider(half_year: int, owner_connection: Any) -> None:
    assert remind_of_endings(now=midday(7)) == 1
    owner_connection.execute(text("UPDATE entitlement SET valid_until = '2026-07-30'"))
    assert remind_of_endings(now=midday(0)) == 1
    assert endings() == [("7", 7), ("30", 30)]
