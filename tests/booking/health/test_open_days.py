"""Days on which a provider has no slot ask nothing of it: they are no part of how long it takes to answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text, update

from booking.health import histogram
from booking.health.answers import ANSWERS, count_answers
from booking.health.models import ProviderCallCount
from booking.health.open_days import LOOKED_BACK, OpenDays, open_days
from booking.health.slowly import LEAST_LATELY, note_slow
from booking.models import Slot
from booking.offers.answers_slowly import SlowReason
from booking.states import BookingState
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from tests.booking.health.test_answers import answered
from tests.booking.health.test_slowly import took
from tests.world import World, booking_row, make_slot, make_world, set_provider

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]
ZONE = ZoneInfo("Asia/Shanghai")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
FRIDAY, SATURDAY, SUNDAY, MONDAY, TUESDAY = (date(2026, 2, 27) + timedelta(days=number) for number in range(5))
WEEKEND = frozenset((SATURDAY, SUNDAY))


def at(day: date, hour: float) -> datetime:
    return datetime.combine(day, datetime.min.time(), ZONE).astimezone(UTC) + timedelta(hours=hour)


@pytest.fixture
def world() -> World:
    """A provider that answers requests, from Monday to Friday."""
    made = make_world(quantity=9, slots=9)
    works(made, (date(2026, 2, 16) + timedelta(days=number) for number in range(22)))
    return made


def works(world: World, days: Iterable[date], *, closed: bool = False) -> None:
    """It has a slot at nine on those that are no Saturday and no Sunday."""
    with transaction() as session:
        for day in days:
            if day.isoweekday() < 6 or closed:
                slot = make_slot(world.offer.pool_id, at(day, 9), 5)
                slot.closed = closed
                session.add(slot)


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        (at(FRIDAY, 10), at(FRIDAY, 12), 2),
        (at(FRIDAY, 22), at(SATURDAY, 3), 2),
        (at(FRIDAY, 22), at(MONDAY, 9), 11),
        (at(SATURDAY, 10), at(SUNDAY, 20), 0),
        (at(SUNDAY, 23), at(MONDAY, 0), 0),
        (at(SATURDAY, 10), at(MONDAY, 1), 1),
        (at(MONDAY, 8), at(TUESDAY, 8), 24),
        (at(MONDAY, 9), at(MONDAY, 8), 0),
    ],
)
def test_time_is_counted_on_open_days_alone(since: datetime, until: datetime, hours: float) -> None:
    assert OpenDays("Asia/Shanghai", WEEKEND).within(since, until) == hours * HOUR


@pytest.mark.parametrize(
    ("until", "since"),
    [
        (at(FRIDAY, 12), at(FRIDAY, -12)),
        (at(SATURDAY, 12), at(FRIDAY, 0)),
        (at(SUNDAY, 24), at(FRIDAY, 0)),
        (at(MONDAY, 10), at(FRIDAY, 10)),
        (at(TUESDAY, 1), at(MONDAY, 1)),
    ],
)
def test_a_day_of_its_work_goes_back_over_a_weekend(until: datetime, since: datetime) -> None:
    assert OpenDays("Asia/Shanghai", WEEKEND).back(until, 24 * HOUR) == since


def test_the_day_on_which_clocks_go_forward_has_its_own_length() -> None:
    new_york = OpenDays("America/New_York", frozenset({date(2026, 3, 8)}))
    midnight = datetime(2026, 3, 8, 5, 0, tzinfo=UTC)
    assert new_york.within(midnight, midnight + 23 * HOUR) == timedelta()
    assert new_york.within(midnight, midnight + 24 * HOUR) == HOUR


def closed(world: World, now: datetime) -> frozenset[date]:
    with reading() as session:
        return open_days(session, [world.provider.id], now=now)[world.provider.id].closed


def test_closed_is_a_day_without_a_slot_and_one_whose_slots_are_closed(world: World) -> None:
    before = frozenset(date(2026, 2, 21) + timedelta(days=number) for number in (0, 1))
    assert closed(world, at(SUNDAY, 12)) == before | WEEKEND
    assert closed(world, at(SATURDAY, 12)) == before | {SATURDAY}
    with transaction() as session:
        session.execute(update(Slot).where(Slot.service_date == FRIDAY).values(closed=True))
    assert closed(world, at(SUNDAY, 12)) == before | WEEKEND | {FRIDAY}
    works(world, [SATURDAY], closed=True)
    assert SATURDAY in closed(world, at(SUNDAY, 12))


def test_of_who_has_no_slots_or_has_only_just_begun_nothing_is_known(world: World) -> None:
    with transaction() as session:
        session.execute(update(Slot).where(Slot.service_date < MONDAY).values(closed=True))
    assert closed(world, at(SUNDAY, 12)) == frozenset()
    assert closed(world, at(MONDAY, 12)) == frozenset()
    assert closed(world, at(SUNDAY, 12) + LOOKED_BACK + timedelta(days=30)) == frozenset()


# --- who is slow -----------------------------------------------------------------------------------------------------


def usually(world: World, each: timedelta) -> None:
    took(world, 20, each, at=at(FRIDAY - timedelta(days=3), 12))


def reason(world: World, now: datetime) -> SlowReason | None:
    note_slow(now=now)
    with reading() as session:
        found = session.get_one(Provider, world.provider.id).answers_slowly_reason
    return SlowReason(found) if found else None


def asked(world: World, now: datetime, number: int = LEAST_LATELY) -> list[str]:
    made = [world.submit(slot, now=now) for slot in range(number)]
    with transaction() as session:
        session.execute(text("UPDATE provider_task SET state = 'done', finished_at = now()"))
    return made


@pytest.mark.parametrize(
    ("asked_at", "now", "slow"),
    [
        (at(FRIDAY, 10), at(FRIDAY, 11.5), False),
        (at(FRIDAY, 10), at(FRIDAY, 12.5), True),
        (at(FRIDAY, 23), at(SATURDAY, 12), False),
        (at(FRIDAY, 23), at(SUNDAY, 23), False),
        (at(FRIDAY, 23), at(MONDAY, 0.5), False),
        (at(FRIDAY, 23), at(MONDAY, 1.5), True),
        (at(SATURDAY, 9), at(SUNDAY, 23), False),
        (at(SATURDAY, 9), at(MONDAY, 1.5), False),
        (at(SATURDAY, 9), at(MONDAY, 2.5), True),
        (at(FRIDAY, 10), at(SUNDAY, 12), True),
    ],
)
def test_requests_that_wait_over_a_weekend_make_nobody_slow_for_that(
    world: World, asked_at: datetime, now: datetime, slow: bool
) -> None:
    usually(world, HOUR)
    asked(world, asked_at)
    assert reason(world, now) is (SlowReason.SLOWER if slow else None)


@pytest.mark.parametrize("now", [at(FRIDAY, 23), at(SATURDAY, 12), at(SUNDAY, 23), at(MONDAY, 8)])
def test_who_was_slow_on_its_last_day_of_work_is_not_shown_as_well_on_a_closed_day(world: World, now: datetime) -> None:
    usually(world, HOUR)
    took(world, LEAST_LATELY, 5 * HOUR, at=at(FRIDAY, 12))
    assert reason(world, now) is SlowReason.SLOWER


def test_who_was_quick_on_its_last_day_of_work_is_judged_by_it_until_it_works_again(world: World) -> None:
    usually(world, HOUR)
    took(world, LEAST_LATELY, 5 * HOUR, at=at(FRIDAY, 12))
    assert reason(world, at(SUNDAY, 12)) is SlowReason.SLOWER
    took(world, LEAST_LATELY + 1, 30 * MINUTE, at=at(MONDAY, 11))
    assert reason(world, at(MONDAY, 11.5)) is None, "six quick ones against five of Friday noon"
    assert reason(world, at(MONDAY, 13)) is None


def test_an_answer_on_monday_took_no_weekend(world: World) -> None:
    made = asked(world, at(FRIDAY, 23), 1)
    answered(made[0], BookingState.CONFIRMED, at=at(MONDAY, 9))
    count_answers(now=at(MONDAY, 9.1))
    with reading() as session:
        row = session.scalars(select(ProviderCallCount).where(ProviderCallCount.call == ANSWERS)).one()
    assert (row.milliseconds, row.histogram) == (10 * 3_600_000, histogram.counted([10 * 3_600_000.0]))
    assert booking_row(made[0]).state is BookingState.CONFIRMED


def test_where_it_works_every_day_a_weekend_counts(world: World) -> None:
    set_provider(world.provider, answer_hours=48)
    usually(world, HOUR)
    with transaction() as session:
        for day in WEEKEND:
            session.add(make_slot(world.offer.pool_id, at(day, 9), 5))
    asked(world, at(SATURDAY, 9))
    assert reason(world, at(SATURDAY, 12)) is SlowReason.SLOWER
