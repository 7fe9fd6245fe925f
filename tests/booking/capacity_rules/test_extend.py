"""Rules become slots in the books: the same each time, nothing unsold, nobody's slot doubled."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from booking.capacity_rules import extend
from booking.capacity_rules.extend import extend_calendars, publish_calendar
from booking.capacity_rules.models import PoolCalendar
from booking.capacity_rules.plan import Rules
from booking.closures.close import close_site, reopen_site
from booking.discrepancies import Discrepancy
from booking.models import Slot
from booking.notices.models import Notification
from booking.sync.publish import Call, publish_slots
from marketplace.catalog.models import Site
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import TooMany
from providers.reported import RemoteSlot
from tests.booking.capacity_rules.calendars import (
    ON,
    all_of,
    another,
    answers_here,
    books,
    closed_day,
    on_sale,
    save,
    weekly,
)
from tests.people import NOON, TODAY, make_insurer
from tests.world import DAY, World, make_world, set_provider, taken
from vip.principal import Principal

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def world() -> World:
    return answers_here(make_world(slots=0, quantity=9))


def calendar(world: World) -> PoolCalendar:
    with reading() as session:
        return session.get_one(PoolCalendar, world.offer.pool_id)


def state(world: World) -> list[tuple[object, ...]]:
    return [
        (s.external_ref, s.service_date, s.starts_at, s.ends_at, s.offered, s.taken, s.closed, s.version)
        for s in books(world)
    ]


def test_rules_become_slots_for_as_many_days_as_the_horizon_has(world: World) -> None:
    save(world, weekly())
    found = books(world)
    assert len(found) == 14 * 4
    assert {slot.service_date for slot in found} == {TODAY + timedelta(days=n) for n in range(14)}
    assert found[0].external_ref == "2026-03-02T08:00"
    assert {slot.offered for slot in found} == {4}


def test_published_again_and_again_they_are_the_same_slots(world: World) -> None:
    save(world, weekly())
    before = state(world)
    assert publish_calendar(world.offer.pool_id, now=NOON) == "published"
    assert state(world) == before
    assert extend_calendars(now=NOON) == {}, "there is nothing to do"


def test_each_night_one_more_day_is_made_and_a_day_that_is_over_stays_as_it_was(world: World) -> None:
    save(world, weekly())
    first = state(world)[:4]
    assert extend_calendars(now=NOON + timedelta(days=1)) == {"published": 1}
    found = state(world)
    assert len(found) == 15 * 4
    assert found[:4] == first


def test_a_new_notice_of_holidays_makes_them_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    save(world, replace(weekly(), closed_on_holidays=True, horizon_days=40))
    assert on_sale(world, date(2026, 4, 4)) == []
    newer = replace(extend.public_holidays(), edition="2026-03-01", years={})
    monkeypatch.setattr(extend, "public_holidays", lambda: newer)
    assert extend_calendars(now=NOON) == {"published": 1}
    assert len(on_sale(world, date(2026, 4, 4))) == 4


def test_what_the_rules_no_longer_have_is_closed_and_comes_back_with_them(world: World) -> None:
    save(world, weekly())
    save(world, closed_day())
    assert on_sale(world, ON) == []
    assert len(on_sale(world)) == 13 * 4
    save(world, replace(closed_day(), sections=None))
    assert len(on_sale(world)) == 14 * 4


def test_what_is_sold_stays_sold_and_that_is_no_discrepancy(world: World) -> None:
    save(world, weekly())
    world.slots[:] = books(world, DAY)
    for _ in range(2):
        another(world).submit(0)
    save(world, weekly(places=1), all_of(world, "keep"))
    slot = books(world, DAY)[0]
    assert (slot.offered, slot.capacity, slot.taken, slot.has_place) == (1, 2, 2, False)
    with reading() as session:
        assert session.scalars(select(Discrepancy)).all() == []
        assert session.scalars(select(Notification).where(Notification.kind == "provider_differs")).all() == []


def test_control_a_program_that_offers_less_than_is_sold_is_a_discrepancy(world: World) -> None:
    save(world, weekly())
    world.slots[:] = books(world, DAY)
    world.submit(0)
    slot = world.slots[0]
    line = RemoteSlot("pool-1", slot.external_ref, DAY, slot.starts_at, slot.ends_at, 0, version=99)
    publish_slots(Call(world.provider.id, "r", None, NOON), [line])
    with reading() as session:
        assert session.scalars(select(Discrepancy.kind)).all() == ["slot_oversold"]


def test_a_slot_that_a_program_made_is_taken_over_with_what_is_sold_of_it() -> None:
    world = answers_here(make_world(slots=3, capacity=5, quantity=9))
    world.submit(0)
    with transaction() as session:
        session.execute(update(Slot).values(version=7))
    save(world, weekly(places=2), now=NOON)
    found = [slot for slot in books(world, DAY) if not slot.closed]
    assert [slot.offered for slot in found] == [2, 2, 2, 2]
    assert taken(world.slots[0]) == 1
    assert found[0].id == world.slots[0].id
    closed = [slot.id for slot in books(world, DAY) if slot.closed]
    assert closed == [world.slots[2].id], "ten o'clock is none of the rules'"


def test_a_slot_that_is_sold_keeps_the_end_that_was_promised(world: World) -> None:
    save(world, weekly(minutes=30))
    world.slots[:] = books(world, DAY)
    world.submit(0)
    save(world, weekly(minutes=40), all_of(world, "keep"))
    first, second = [slot for slot in books(world, DAY) if not slot.closed][:2]
    assert first.starts_at is not None and second.starts_at is not None
    assert (first.ends_at, second.ends_at) == (
        first.starts_at + timedelta(minutes=30),
        second.starts_at + timedelta(minutes=40),
    )
    with reading() as session:
        assert session.scalars(select(Discrepancy)).all() == []


def test_a_day_as_one_slot_has_no_times(world: World) -> None:
    save(world, weekly(places=40, start=0, end=1440, minutes=None))
    assert [(slot.external_ref, slot.starts_at, slot.offered) for slot in books(world, DAY)] == [
        ("2026-03-10", None, 40)
    ]


def test_while_another_process_publishes_nobody_else_does_and_its_lease_ends(world: World) -> None:
    save(world, weekly(), publish=False)
    assert extend._begin(world.offer.pool_id, NOON) is not None
    assert publish_calendar(world.offer.pool_id, now=NOON) == "busy"
    assert extend_calendars(now=NOON) == {}
    assert extend_calendars(now=NOON + extend.LEASE) == {"published": 1}
    assert len(books(world)) == 14 * 4


def test_in_a_long_run_a_lease_lasts_from_when_it_is_taken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    save(world, weekly(), publish=False)
    honest, ends, late = extend.publish_slots, list[datetime | None](), NOON + timedelta(seconds=90)

    def look(call: Call, lines: list[RemoteSlot]) -> object:
        ends.append(calendar(world).lease_until)
        return honest(call, lines)

    monkeypatch.setattr(extend, "publish_slots", look)
    assert extend_calendars(now=NOON, clock=lambda: late) == {"published": 1}
    assert ends == [late + extend.LEASE]


def test_rules_that_change_while_they_are_published_are_published_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(world, weekly(), publish=False)
    honest, changed = extend.publish_slots, list[str]()

    def and_meanwhile(call: Call, lines: list[RemoteSlot]) -> object:
        if not changed:
            changed.append(save(world, weekly(places=9), publish=False))
        return honest(call, lines)

    monkeypatch.setattr(extend, "publish_slots", and_meanwhile)
    assert publish_calendar(world.offer.pool_id, now=NOON) == "published"
    assert {slot.offered for slot in books(world)} == {9}
    assert calendar(world).published_version == calendar(world).version


def test_what_older_rules_made_never_overwrites_what_newer_ones_did(world: World) -> None:
    save(world, weekly(), publish=False)
    old = extend._begin(world.offer.pool_id, NOON)
    assert old is not None
    save(world, weekly(places=9), publish=False)
    late = NOON + extend.LEASE
    assert publish_calendar(world.offer.pool_id, now=late) == "published"
    publish_slots(Call(world.provider.id, "calendar", None, late, keeps_sold=True), old.lines)
    assert {slot.offered for slot in books(world)} == {9}
    assert not extend._end(world.offer.pool_id, old, complete=True), "its lease is over"
    assert calendar(world).published_version == calendar(world).version


def test_a_program_that_publishes_higher_versions_does_not_stop_the_calendar(world: World) -> None:
    save(world, weekly())
    slot = books(world, DAY)[0]
    line = RemoteSlot("pool-1", slot.external_ref, DAY, slot.starts_at, slot.ends_at, 77, version=500)
    publish_slots(Call(world.provider.id, "r", None, NOON), [line])
    save(world, weekly(places=3))
    assert {each.offered for each in books(world)} == {3}


def test_a_provider_that_no_longer_answers_here_is_left_alone(world: World) -> None:
    save(world, weekly(), publish=False)
    set_provider(world.provider, adapter="open_protocol")
    assert extend_calendars(now=NOON) == {}
    assert books(world) == []


def test_a_process_that_is_too_busy_leaves_it_for_the_next_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    save(world, weekly(), publish=False)

    def crowded(*_: object) -> object:
        raise TooMany(retry_after=2)

    with monkeypatch.context() as patched:
        patched.setattr(extend, "publish_slots", crowded)
        with pytest.raises(TooMany):
            publish_calendar(world.offer.pool_id, now=NOON)
    assert extend_calendars(now=NOON + extend.LEASE) == {"published": 1}


def site_of(world: World) -> Site:
    with reading() as session:
        return session.get_one(Site, world.offer.site_id)


def test_a_site_whose_clocks_change_opens_at_eight_by_the_clock_on_its_wall(world: World) -> None:
    with transaction() as session:
        session.execute(update(Site).where(Site.id == world.offer.site_id).values(time_zone="America/New_York"))
    save(world, weekly())
    first = {slot.service_date: slot.starts_at for slot in reversed(books(world)) if slot.starts_at}
    assert min(first) == date(2026, 3, 1), "at noon in Shanghai it is still Sunday there"
    assert first[date(2026, 3, 7)] == datetime(2026, 3, 7, 13, 0, tzinfo=UTC)
    assert first[date(2026, 3, 8)] == datetime(2026, 3, 8, 12, 0, tzinfo=UTC)
    evening = datetime(2026, 3, 3, 4, 30, tzinfo=UTC)  # half past eleven on the second there
    assert extend_calendars(now=evening) == {"published": 1}
    assert max(slot.service_date for slot in books(world)) == date(2026, 3, 15)


def test_a_site_that_its_insurer_closed_stays_closed(world: World) -> None:
    save(world, weekly())
    operator = Principal("operator", 1, "opr_1", make_insurer().id, 1, "Asia/Shanghai", "admin")
    closing = close_site(operator, site_of(world).public_id, ON, ON, "cancel", now=NOON)
    assert publish_calendar(world.offer.pool_id, now=NOON) == "published"
    assert on_sale(world, ON) == []
    assert len(on_sale(world)) == 13 * 4
    reopen_site(operator, closing, now=NOON)
    assert publish_calendar(world.offer.pool_id, now=NOON) == "published"
    assert len(on_sale(world, ON)) == 4


def test_an_empty_calendar_takes_everything_off_sale(world: World) -> None:
    save(world, weekly())
    save(world, Rules(horizon_days=14))
    assert on_sale(world) == []
