"""Windows and quotas where clocks change, on 29 February and at the year's end. Hours are hours that pass; days are the
site's days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text, update

from booking.attendance.no_show import call_no_shows, no_show_after
from booking.changes.reschedule import reschedule
from booking.changes.rules import cancel_until, change_until
from booking.feeds.cursors import done
from booking.hold.submit import submit
from booking.hold.take import HOLD
from booking.models import Booking
from booking.offers.bookable import Rule
from booking.views.customer import booking as view
from marketplace.catalog.models import Site
from marketplace.core.clock import window_of
from marketplace.core.database.db import reading, transaction
from providers.port import Confirmed
from tests.people import give
from tests.world import FakeAdapter, World, booking_row, make_slot, make_world, one_pass
from vip.entitlements.of_customer import EntitlementExhausted, ValidityOver

NEW_YORK, LORD_HOWE, SHANGHAI = "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai"


def utc(text_: str) -> datetime:
    return datetime.fromisoformat(text_).replace(tzinfo=UTC)


@dataclass(frozen=True)
class Edge:
    """A booking at an edge of the calendar, and what must come out, in UTC. Without `starts` it is for the day."""

    zone: str
    day: str
    starts: str | None
    opens: str
    ends: str
    cancel: str
    no_show: str


EDGES = {
    "clocks forward, the whole day of 23 hours": Edge(
        NEW_YORK, "2026-03-08", None, "2026-03-08T05:00", "2026-03-09T04:00", "2026-03-07T05:00", "2026-03-10T04:00"
    ),
    "clocks forward, nine o'clock": Edge(
        NEW_YORK,
        "2026-03-08",
        "2026-03-08T13:00",
        "2026-03-08T13:00",
        "2026-03-08T13:30",
        "2026-03-07T13:00",
        "2026-03-09T13:30",
    ),
    "the day after clocks forward": Edge(
        NEW_YORK, "2026-03-09", None, "2026-03-09T04:00", "2026-03-10T04:00", "2026-03-08T04:00", "2026-03-11T04:00"
    ),
    "clocks back, the whole day of 25 hours": Edge(
        NEW_YORK, "2026-11-01", None, "2026-11-01T04:00", "2026-11-02T05:00", "2026-10-31T04:00", "2026-11-03T05:00"
    ),
    "half an hour back": Edge(
        LORD_HOWE, "2026-04-05", None, "2026-04-04T13:00", "2026-04-05T13:30", "2026-04-03T13:00", "2026-04-06T13:30"
    ),
    "half an hour forward": Edge(
        LORD_HOWE, "2026-10-04", None, "2026-10-03T13:30", "2026-10-04T13:00", "2026-10-02T13:30", "2026-10-05T13:00"
    ),
    "half an hour forward, nine o'clock": Edge(
        LORD_HOWE,
        "2026-10-04",
        "2026-10-03T22:00",
        "2026-10-03T22:00",
        "2026-10-03T22:30",
        "2026-10-02T22:00",
        "2026-10-04T22:30",
    ),
    "29 February": Edge(
        SHANGHAI, "2028-02-29", None, "2028-02-28T16:00", "2028-02-29T16:00", "2028-02-27T16:00", "2028-03-01T16:00"
    ),
    "the last day of the year": Edge(
        SHANGHAI, "2026-12-31", None, "2026-12-30T16:00", "2026-12-31T16:00", "2026-12-29T16:00", "2027-01-01T16:00"
    ),
    "the first morning of the year": Edge(
        SHANGHAI,
        "2027-01-01",
        "2027-01-01T00:00",
        "2027-01-01T00:00",
        "2027-01-01T00:30",
        "2026-12-31T00:00",
        "2027-01-02T00:30",
    ),
}
EVERY = pytest.mark.parametrize("edge", EDGES.values(), ids=EDGES.keys())


def booked(edge: Edge) -> Booking:
    starts = utc(edge.starts) if edge.starts else None
    return Booking(
        service_date=date.fromisoformat(edge.day),
        starts_at=starts,
        ends_at=starts + timedelta(minutes=30) if starts else None,
        time_zone=edge.zone,
        snapshot={"cancel_hours": 24, "change_hours": 48},
    )


@EVERY
def test_windows_are_hours_that_pass_before_the_start(edge: Edge) -> None:
    booking = booked(edge)
    assert cancel_until(booking) == utc(edge.cancel)
    assert change_until(booking) == utc(edge.cancel) - timedelta(hours=24)


@EVERY
def test_a_service_takes_the_sites_day_and_the_grace_follows_its_end(edge: Edge) -> None:
    booking = booked(edge)
    opens, ends = window_of(booking.service_date, booking.starts_at, booking.ends_at, edge.zone)
    assert (opens.astimezone(UTC), ends.astimezone(UTC)) == (utc(edge.opens), utc(edge.ends))
    assert no_show_after(booking, 24) == utc(edge.no_show)


@EVERY
@pytest.mark.usefixtures("db")
def test_the_databases_start_is_the_same_and_booking_closes_before_it(edge: Edge) -> None:
    rule = Rule("l", "o", "s", "now()", "o.market")
    with reading() as session:
        start, closes = session.execute(
            text(
                f"SELECT {rule.starts_at}, {rule.closes_at} FROM "
                "(VALUES (CAST(:starts AS timestamptz), CAST(:day AS date))) AS l (starts_at, service_date), "
                "(VALUES (720)) AS o (lead_minutes), (VALUES (:zone)) AS s (time_zone)"
            ),
            {"zone": edge.zone, "starts": utc(edge.starts) if edge.starts else None, "day": edge.day},
        ).one()
    assert start == utc(edge.opens)
    assert closes == utc(edge.opens) - timedelta(hours=12)


# --- quotas, holds and the clock, in the database ---------------------------------------------------------------------


def world_in(zone: str, *slots: tuple[str, str | None], valid_until: str) -> World:
    """A customer whose benefit is valid for two years until that day, and an offer at a site in that zone with these
    slots (day there, start in UTC)."""
    world = make_world(slots=0, quantity=1)
    with transaction() as session:
        session.execute(update(Site).where(Site.id == world.offer.site_id).values(time_zone=zone))
        for day, starts in slots:
            slot = make_slot(world.offer.pool_id, utc(starts) if starts else utc(f"{day}T00:00"), 5)
            slot.external_ref, slot.service_date = f"{day}-{starts}", date.fromisoformat(day)
            if starts is None:
                slot.starts_at = slot.ends_at = None
            session.add(slot)
            world.slots.append(slot)
    until = date.fromisoformat(valid_until)
    world.entitlement = give(world.customer, 3, valid_from=until - timedelta(days=700), valid_until=until)
    return world


@pytest.mark.parametrize(
    ("zone", "inside", "outside", "valid_until"),
    [
        # 20:00 in New York is next year already in UTC and in Shanghai; the site's day counts
        (NEW_YORK, ("2026-12-31", "2027-01-01T01:00"), ("2027-01-01", "2027-01-01T14:00"), "2026-12-31"),
        # 08:00 on Lord Howe is still the old year in UTC
        (LORD_HOWE, ("2026-12-31", "2026-12-30T21:00"), ("2027-01-01", "2026-12-31T21:00"), "2026-12-31"),
        (SHANGHAI, ("2026-12-31", "2026-12-31T09:00"), ("2027-01-01", "2027-01-01T00:00"), "2026-12-31"),
        (SHANGHAI, ("2028-02-29", None), ("2028-03-01", None), "2028-02-29"),
        (NEW_YORK, ("2026-11-01", None), ("2026-11-02", None), "2026-11-01"),
    ],
)
@pytest.mark.usefixtures("db")
def test_the_day_of_service_lies_within_validity_by_the_sites_calendar(
    zone: str, inside: tuple[str, str | None], outside: tuple[str, str | None], valid_until: str
) -> None:
    world = world_in(zone, inside, outside, valid_until=valid_until)
    now = utc(f"{inside[0]}T00:00") - timedelta(days=5)
    held = world.hold(0, now=now, entitlement=world.entitlement.public_id)
    assert booking_row(held).hold_expires_at == now + HOLD
    with pytest.raises((ValidityOver, EntitlementExhausted)):
        world.hold(1, now=now, entitlement=world.entitlement.public_id)


@pytest.mark.usefixtures("db")
def test_a_change_keeps_to_the_validity_and_to_the_window_across_clocks() -> None:
    days = [("2026-03-07", None), ("2026-03-08", None), ("2026-03-09", None)]
    world = world_in(NEW_YORK, *days, valid_until="2026-03-08")
    now = utc("2026-03-01T00:00")
    public_id = world.hold(0, now=now, entitlement=world.entitlement.public_id)
    submit_at(world, public_id, now)
    with pytest.raises(ValidityOver):
        reschedule(world.principal, public_id, world.slots[2].public_id, now=now)
    reschedule(world.principal, public_id, world.slots[1].public_id, now=now)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 2)]), now=now)
    kept = view(world.principal, public_id, now=now)
    assert kept.cancel_until == utc("2026-03-07T05:00")
    with reading() as session:
        period = session.scalar(select(Booking.period).where(Booking.public_id == public_id))
    assert period is not None and period.upper - period.lower == timedelta(hours=23)


@pytest.mark.usefixtures("db")
def test_the_clock_calls_a_no_show_by_the_sites_night_of_25_hours() -> None:
    world = world_in(NEW_YORK, ("2026-11-01", None), valid_until="2026-12-31")
    now = utc("2026-10-20T00:00")
    public_id = world.hold(0, now=now, entitlement=world.entitlement.public_id)
    submit_at(world, public_id, now)
    due = utc("2026-11-03T05:00")
    done(world.provider.id, "bookings", "c", now=due)
    assert call_no_shows(now=due - timedelta(seconds=1)) == 0
    assert call_no_shows(now=due) == 1


def submit_at(world: World, public_id: str, now: datetime) -> None:
    """Submit it and let the provider say yes."""
    submit(world.principal, public_id, now=now)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=now)
