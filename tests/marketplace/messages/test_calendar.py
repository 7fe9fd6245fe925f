"""Bookings as iCalendar: what `icalendar` reads in our documents, and who sees a feed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import select

from booking.messages import calendar
from booking.messages.calendar import Event
from booking.notices.models import NoticeSetting
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from marketplace.core.text import Text
from marketplace.messages import calendar as ics
from tests.booking.test_moves import S, go
from tests.people import NOON
from tests.world import World, join, make_world

PUBLIC_URL = "https://anxiang.example"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def an_event(**changes: Any) -> Event:
    made = Event(
        id="bkg_0000000000000000000a",
        reference="AX7K2M914Q",
        sequence=3,
        status="confirmed",
        offer=Text("甄选套餐", "Select package"),
        site={"name": "示范医院；体检, 中心\\", "city": "杭州市", "district": "西湖区", "address": "文溪路 8 号"},
        day=date(2026, 3, 10),
        starts_at=moment("2026-03-10T00:00"),
        ends_at=moment("2026-03-10T00:30"),
        zone="Asia/Shanghai",
        created_at=NOON,
        updated_at=NOON + timedelta(minutes=1),
        person="",
        prepare=Text("前一晚 22:00 后请勿进食；\n请携带身份证。" * 5, "No food; bring an ID."),
    )
    return replace(made, **changes)


def document(*events: Event, language: Any = "zh") -> bytes:
    return ics.document(events, language, public_url=PUBLIC_URL)


def read(content: bytes) -> list[Any]:
    return list(Calendar.from_ical(content).walk("VEVENT"))


# --- the document ----------------------------------------------------------------------------------------------------


def test_a_booking_is_read_back_as_it_is() -> None:
    (entry,) = read(document(an_event()))
    assert entry["UID"] == "bkg_0000000000000000000a@anxiang"
    assert (entry["SEQUENCE"], entry["STATUS"], entry["TRANSP"]) == (3, "CONFIRMED", "OPAQUE")
    assert entry["DTSTART"].dt == moment("2026-03-10T00:00")
    assert entry["DTEND"].dt == moment("2026-03-10T00:30")
    assert entry["DTSTAMP"].dt == NOON + timedelta(minutes=1)
    assert entry["SUMMARY"] == "甄选套餐"
    assert entry["LOCATION"] == "示范医院；体检, 中心\\, 杭州市, 西湖区, 文溪路 8 号"
    assert entry["DESCRIPTION"] == "预约号 AX7K2M914Q\n" + "前一晚 22:00 后请勿进食；\n请携带身份证。" * 5
    assert entry["URL"] == f"{PUBLIC_URL}/bookings/bkg_0000000000000000000a"


def test_lines_are_folded_and_end_as_the_standard_says() -> None:
    content = document(an_event())
    assert content.startswith(b"BEGIN:VCALENDAR\r\n") and content.endswith(b"END:VCALENDAR\r\n")
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"DTSTART:20260310T000000Z" in content
    assert content == document(an_event()), "the same events give the same bytes"


def test_a_cancelled_booking_stays_as_cancelled_and_free() -> None:
    (entry,) = read(document(an_event(status="cancelled", sequence=4)))
    assert (entry["STATUS"], entry["SEQUENCE"], entry["TRANSP"]) == ("CANCELLED", 4, "TRANSPARENT")


def test_a_relative_is_named_by_one_character() -> None:
    content = document(an_event(person="沈伯年"))
    assert read(content)[0]["SUMMARY"] == "甄选套餐（沈**）"
    assert "沈伯年" not in content.decode()
    assert read(document(an_event(person="沈伯年"), language="en"))[0]["SUMMARY"] == "Select package (沈**)"


def test_an_address_that_names_its_city_stands_alone() -> None:
    site = {"name": "示范医院", "city": "杭州市", "district": "西湖区", "address": "杭州市西湖区文溪路 8 号"}
    (entry,) = read(document(an_event(site=site)))
    assert entry["LOCATION"] == "示范医院, 杭州市西湖区文溪路 8 号"
    (entry,) = read(document(an_event(site=site), language="en"))
    assert entry["LOCATION"] == "Shifan Hospital, 示范医院, 杭州市西湖区文溪路 8 号", "English, and what a driver reads"
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H" in document()


DAYS = [
    date(2026, 3, 10),
    date(2026, 3, 8),  # New York's clocks go forward
    date(2026, 4, 5),  # Lord Howe's go back by half an hour
    date(2028, 2, 29),
    date(2026, 12, 31),
    date(2027, 1, 1),
]


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_a_whole_day_is_a_date(day: date) -> None:
    content = document(an_event(day=day, starts_at=None, ends_at=None))
    (entry,) = read(content)
    assert (entry["DTSTART"].dt, entry["DTEND"].dt) == (day, day + timedelta(days=1))
    assert f"DTSTART;VALUE=DATE:{day:%Y%m%d}".encode() in content


TIMES = [
    ("New York before its clocks go forward", "America/New_York", "2026-03-08T06:30", "20260308T063000Z"),
    ("New York after", "America/New_York", "2026-03-08T07:30", "20260308T073000Z"),
    ("New York, the hour that comes twice", "America/New_York", "2026-11-01T06:30", "20261101T063000Z"),
    ("Lord Howe, the half hour that comes twice", "Australia/Lord_Howe", "2026-04-04T14:45", "20260404T144500Z"),
    ("29 February", "Asia/Shanghai", "2028-02-29T00:00", "20280229T000000Z"),
    ("new year's day in Shanghai", "Asia/Shanghai", "2026-12-31T16:30", "20261231T163000Z"),
]


@pytest.mark.parametrize(("zone", "starts", "written"), [row[1:] for row in TIMES], ids=[row[0] for row in TIMES])
def test_times_are_utc_whatever_the_sites_clock_does(zone: str, starts: str, written: str) -> None:
    begins = moment(starts)
    content = document(an_event(zone=zone, starts_at=begins, ends_at=begins + timedelta(minutes=30)))
    assert f"DTSTART:{written}".encode() in content
    (entry,) = read(content)
    assert entry["DTSTART"].dt == begins
    assert entry["DTEND"].dt - entry["DTSTART"].dt == timedelta(minutes=30)


# --- the feed --------------------------------------------------------------------------------------------------------


@pytest.fixture
def world(db: object) -> World:
    """A customer with four uses."""
    return make_world(quantity=4)


def feed_of(token: str) -> list[Any]:
    feed = calendar.open_feed(token, now=NOON)
    return read(document(*calendar.events(feed, now=NOON)))


def test_the_feed_follows_a_booking_with_a_growing_sequence(world: World) -> None:
    token = calendar.new_feed(world.principal, now=NOON)
    booking = world.hold()
    assert feed_of(token) == [], "what was not submitted is in no calendar"
    from_hold = world.submit(1)
    seen, marks = [], []
    for state in (None, S.CONFIRMED, S.CANCELLED):
        if state is not None:
            go(from_hold, state)
        (entry,) = feed_of(token)
        seen.append((str(entry["UID"]), entry["SEQUENCE"], str(entry["STATUS"])))
        marks.append(calendar.open_feed(token, now=NOON).mark)
    assert seen == [
        (f"{from_hold}@anxiang", 2, "TENTATIVE"),
        (f"{from_hold}@anxiang", 3, "CONFIRMED"),
        (f"{from_hold}@anxiang", 4, "CANCELLED"),
    ]
    assert len(set(marks)) == 3
    with pytest.raises(NotFound):
        calendar.event(world.principal, booking)
    assert calendar.event(world.principal, from_hold).status == "cancelled"


def test_a_feed_shows_its_owners_bookings_alone(world: World) -> None:
    stranger = join(world.provider, world.offer, world.slots, phone="13800000071")
    go(world.submit(), S.CONFIRMED)
    theirs = stranger.submit(1)
    token = calendar.new_feed(stranger.principal, now=NOON)
    assert [str(entry["UID"]) for entry in feed_of(token)] == [f"{theirs}@anxiang"]
    with pytest.raises(NotFound):
        calendar.event(world.principal, theirs)


def test_an_address_is_renewed_and_taken_back(world: World) -> None:
    first = calendar.new_feed(world.principal, now=NOON)
    second = calendar.new_feed(world.principal, now=NOON)
    assert first != second and feed_of(second) == []
    for dead in (first, "", "x" * 43):
        with pytest.raises(NotFound):
            calendar.open_feed(dead, now=NOON)
    calendar.end_feed(world.principal, now=NOON)
    calendar.end_feed(world.principal, now=NOON)
    with pytest.raises(NotFound):
        calendar.open_feed(second, now=NOON)
    with reading() as session:
        actions = session.scalars(select(AuditLine.action).where(AuditLine.action.like("calendar.%"))).all()
    assert sorted(actions) == ["calendar.address_ended", "calendar.address_made", "calendar.address_made"]


def test_only_the_hash_of_an_address_is_kept(world: World) -> None:
    token = calendar.new_feed(world.principal, now=NOON)
    with reading() as session:
        row = session.get_one(NoticeSetting, world.customer.id)
    assert row.feed_hash is not None and len(row.feed_hash) == 32 and token.encode() not in row.feed_hash


def test_what_is_long_over_leaves_the_feed(world: World) -> None:
    token = calendar.new_feed(world.principal, now=NOON)
    go(world.submit(), S.CONFIRMED)
    later = NOON + timedelta(days=calendar.FEED_DAYS + 30)
    feed = calendar.open_feed(token, now=later)
    assert calendar.events(feed, now=later) == []
