"""No place is offered outside what she asked for, and none too late or at night."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from booking.models import Slot
from booking.notices.models import NoticeSetting
from booking.waiting import join as waiting
from booking.waiting.offers import HOLD
from marketplace.catalog.models import Offer, Site
from marketplace.core.database.db import transaction
from tests.booking.waiting.lines import other
from tests.people import NOON
from tests.waiting import (
    entry,
    fill,
    give_up,
    offered,
    on,
    serve,
    wait,
)
from tests.world import EIGHT, World, make_slot, make_world

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


def test_a_place_outside_the_limits_is_not_offered(world: World, holder: tuple[World, str]) -> None:
    limits: dict[str, dict[str, Any]] = {
        "later": {"first_day": on(11), "last_day": on(20)},
        "earlier": {"first_day": on(3), "last_day": on(9)},
        "another weekday": {"last_day": on(20), "weekdays": frozenset({1, 3, 4, 5, 6, 7})},
        "a later hour": {"from_hour": 9},
        "an earlier hour": {"until_hour": 8},
    }
    entries = {name: wait(other(world, number), **these) for number, (name, these) in enumerate(limits.items())}
    give_up(holder)
    serve()
    assert {name: entry(each).state for name, each in entries.items()} == dict.fromkeys(limits, "waiting")


@pytest.mark.parametrize(
    ("first", "last", "turns", "becomes"),
    [
        (None, on(9), {"slots": 1}, "waiting"),
        (on(11), None, {"slots": 1}, "waiting"),
        (on(10), on(10), {"slots": 1, "held": 1}, "offered"),
    ],
    ids=["season over", "season not begun", "the season's only day"],
)
def test_a_place_outside_the_offers_season_is_not_offered(
    world: World, holder: tuple[World, str], first: date | None, last: date | None, turns: dict[str, int], becomes: str
) -> None:
    waits = wait(world)
    with transaction() as session:
        session.execute(update(Offer).values(available_from=first, available_until=last))
    give_up(holder)
    assert serve() == turns, "whoever is out of season is left out of the line, and doesn't end it as a full slot does"
    assert entry(waits).state == becomes


@pytest.mark.parametrize(("table", "values"), [(Slot, {"closed": True}), (Offer, {"active": False})])
def test_a_place_that_cannot_be_booked_is_not_offered(
    world: World, holder: tuple[World, str], table: type[Slot | Offer], values: dict[str, bool]
) -> None:
    waits = wait(world)
    give_up(holder)
    with transaction() as session:
        session.execute(update(table).values(values))
    assert serve() == {"slots": 1}, "she is left out of the line, and doesn't end it as a full slot does"
    assert entry(waits).state == "waiting"


def test_hours_are_those_of_the_site(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world, from_hour=8, until_hour=9, weekdays=frozenset({2}))
    give_up(holder)
    serve()
    assert entry(waits).state == "offered"


def test_any_of_several_sites_will_do() -> None:
    world = make_world(slots=1, capacity=1)
    second = make_world(slots=1, capacity=1, phone="13800000029")
    holders = [*fill(world), *fill(second, first=200)]
    waits = wait(world, offers=[world.offer.public_id, second.offer.public_id])
    give_up(holders[1])
    serve()
    assert offered(waits).offer_id == second.offer.id


def test_hours_before_end_the_window_and_the_hold(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world, hours_before=48)
    edge = EIGHT - timedelta(hours=48)
    give_up(holder, edge - timedelta(minutes=20))
    serve(edge - timedelta(minutes=20))
    assert offered(waits).hold_expires_at == edge


def test_no_offer_past_what_she_set(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world, hours_before=48)
    give_up(holder, EIGHT - timedelta(hours=48, minutes=4))
    assert serve(EIGHT - timedelta(hours=48, minutes=4)) == {"slots": 1}
    assert entry(waits).state == "waiting"


def test_no_offer_past_the_offers_own_window(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world)
    late = EIGHT - timedelta(minutes=720 + 4)
    with transaction() as session:
        session.execute(update(Offer).values(cancel_hours=0))
        session.execute(text("UPDATE booking SET snapshot = jsonb_set(snapshot, '{cancel_hours}', '0')"))
    give_up(holder, late)
    serve(late)
    assert entry(waits).state == "waiting"


def test_a_place_offered_at_night_waits_for_the_morning(world: World, holder: tuple[World, str]) -> None:
    waits = wait(world)
    night = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai
    give_up(holder, night)
    serve(night)
    assert offered(waits).hold_expires_at == datetime(2026, 3, 3, 0, 30, tzinfo=UTC)


def test_her_own_quiet_hours_count_and_the_window_all_the_more() -> None:
    world = make_world(slots=3, capacity=1, quantity=1)
    sleeper, waker = other(world, 1), other(world, 2)
    with transaction() as session:
        session.add(
            NoticeSetting(customer_id=sleeper.customer.id, updated_at=NOON, quiet_from=time(11), quiet_until=time(14))
        )
        session.add(NoticeSetting(customer_id=waker.customer.id, updated_at=NOON, quiet=False))
    entries = [wait(sleeper), wait(waker)]
    serve()  # noon in Shanghai
    assert [offered(each).hold_expires_at for each in entries] == [NOON + timedelta(hours=2, minutes=30), NOON + HOLD]
    late = EIGHT - timedelta(hours=13, minutes=-30)  # 19:30 the day before; booking closes at 20:00
    third = other(world, 3)
    with transaction() as session:
        session.add(
            NoticeSetting(customer_id=third.customer.id, updated_at=NOON, quiet_from=time(19), quiet_until=time(7))
        )
    waits = wait(third, now=late, until_hour=11)
    serve(late)
    assert offered(waits).hold_expires_at == offered(waits).starts_at - timedelta(hours=12)


def test_the_wait_ends_by_the_sites_clock_also_when_it_is_changed(world: World) -> None:
    ends = {
        ("America/New_York", on(8), 24): datetime(2026, 3, 9, 4, 0, tzinfo=UTC),  # the day of 23 hours
        ("America/New_York", on(7), 24): datetime(2026, 3, 8, 5, 0, tzinfo=UTC),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24): datetime(2026, 4, 5, 13, 30, tzinfo=UTC),  # half an hour more
        ("Australia/Lord_Howe", date(2026, 4, 5), 12): datetime(2026, 4, 5, 1, 30, tzinfo=UTC),
        ("Asia/Shanghai", on(10), 24): datetime(2026, 3, 10, 16, 0, tzinfo=UTC),
    }
    with transaction() as session:
        session.execute(update(Offer).values(lead_minutes=60))
    for (zone, day, hour), end in ends.items():
        with transaction() as session:
            session.execute(update(Site).values(time_zone=zone))
        waits = wait(world, first_day=day, last_day=day, until_hour=hour)
        assert entry(waits).closes_at == end - timedelta(hours=1), zone
        waiting.withdraw(world.principal, waits, now=NOON)


def test_hours_and_weekdays_are_read_on_the_clock_of_the_site_across_its_change() -> None:
    """08:30 in New York, before and after its clocks go forward on 8 March 2026."""
    for number, (day, half_past_eight) in enumerate(
        ((on(7), datetime(2026, 3, 7, 13, 30, tzinfo=UTC)), (on(9), datetime(2026, 3, 9, 12, 30, tzinfo=UTC)))
    ):
        world = make_world(slots=0, phone=f"1380001000{number}")
        with transaction() as session:
            session.execute(update(Site).values(time_zone="America/New_York"))
            session.add(make_slot(world.offer.pool_id, half_past_eight, 1, zone_hours=-5))
        waits = wait(world, first_day=day, last_day=day, from_hour=8, until_hour=9)
        serve()
        assert entry(waits).state == "offered", day
