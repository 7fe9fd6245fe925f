"""A provider's day: arrivals with lateness, reports owed, the week's places, and the figures."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import update

from booking.answering import answer
from booking.answering.day import Day, HalfDay, day, to_answer
from booking.models import Slot
from booking.states import BookingState
from marketplace.core.database.db import transaction
from tests.booking.answering.desk import at, desk_world, said
from tests.people import NOON
from tests.providers.partner_api.answering import requested
from tests.world import World, go, join, set_provider

pytestmark = pytest.mark.usefixtures("db")


def of(world: World, hour: float) -> Day:
    return day(world.provider.id, now=at(hour))


def confirmed(world: World, slot: int = 0) -> str:
    booking = requested(world, slot)
    answer.confirm(said(world, booking), now=NOON)
    return booking


def test_an_empty_provider_has_an_empty_day() -> None:
    world = desk_world(slots=0)
    it = of(world, 9)
    assert (it.queue, it.arrivals, it.reports, it.to_come) == ([], [], [], 0)
    assert (it.figures.to_answer, it.figures.expected, it.figures.places) == (0, 0, 0)
    assert [each.parts for each in it.week] == [[]] * 7
    assert it.week[0].day == date(2026, 3, 10)


def test_who_comes_today_is_late_from_her_time_on_and_then_there() -> None:
    world = desk_world()
    booking = confirmed(world)
    assert [it.late for it in of(world, 7.5).arrivals] == [None]
    [late] = of(world, 8.3).arrivals
    assert (late.late, late.came) == (timedelta(minutes=18), False)
    answer.report(said(world, booking), "checked_in", now=at(8.3))
    it = of(world, 8.4)
    assert [(row.came, row.late) for row in it.arrivals] == [(True, None)]
    assert (it.figures.came, it.figures.expected, it.to_come) == (1, 1, 0)
    assert of(world, 9).arrivals == [], "who came a while ago is not looked for any more"


def test_today_is_the_sites_day_and_not_the_days_beside_it() -> None:
    world = desk_world()
    confirmed(world)
    assert of(world, -0.1).arrivals == []
    assert len(of(world, 0.1).arrivals) == 1, "in Shanghai the day begins while it is yesterday in Greenwich"
    assert len(of(world, 23.9).arrivals) == 1
    assert of(world, 24.1).arrivals == []


def test_answers_that_are_due_soon_are_counted_apart() -> None:
    world = desk_world()
    booking = requested(world)
    assert (of_noon(world).figures.to_answer, of_noon(world).figures.pressing) == (1, 0)
    assert to_answer(world.provider.id) == 1
    due = NOON + timedelta(hours=48)
    it = day(world.provider.id, now=due - timedelta(minutes=29)).figures
    assert (it.to_answer, it.pressing) == (1, 1)
    answer.propose(said(world, booking), world.slots[1].public_id, reason="", expires_at=None, now=NOON)
    assert to_answer(world.provider.id) == of_noon(world).figures.to_answer == 0


def of_noon(world: World) -> Day:
    return day(world.provider.id, now=NOON)


def test_a_completed_visit_owes_its_report_until_it_is_there() -> None:
    world = desk_world()
    booking = confirmed(world)
    go(booking, BookingState.FULFILLED)
    it = of_noon(world)
    assert [(row.booking, row.overdue) for row in it.reports] == [(booking, False)]
    assert (it.figures.reports, it.figures.reports_today) == (1, 0)
    late = day(world.provider.id, now=it.reports[0].due_at)
    assert [row.overdue for row in late.reports] == [True]
    assert late.figures.reports_today == 1


def test_the_week_says_what_is_free_and_what_is_closed() -> None:
    world = desk_world(slots=6, capacity=4)  # 8 to 13: four in the morning, two in the afternoon
    requested(world)
    join(world.provider, world.offer, world.slots, phone="13800000031").submit(5)
    today = of(world, 6)
    assert list(today.week[0].parts) == [HalfDay("morning", 16, 15, False), HalfDay("afternoon", 8, 7, False)]
    assert (today.figures.places, today.figures.left) == (24, 22)
    with transaction() as session:
        session.execute(update(Slot).where(Slot.id.in_([world.slots[4].id, world.slots[5].id])).values(closed=True))
    assert list(of(world, 6).week[0].parts)[1] == HalfDay("afternoon", 1, 0, True)


def test_places_of_whole_days_and_of_another_zone_are_counted_there() -> None:
    world = desk_world(slots=1)
    set_provider(world.provider, time_zone="Asia/Urumqi")
    with transaction() as session:
        session.execute(update(Slot).values(starts_at=None, ends_at=None))
    assert list(of(world, 6).week[0].parts) == [HalfDay("day", 5, 5, False)]
    assert of(world, 1).week[0].day == date(2026, 3, 9), "in Urumqi it is still the day before"
