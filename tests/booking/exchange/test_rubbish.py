"""Any one row of any feed replaced by rubbish leaves the effect of all others what it is without that row."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from booking.actors import CLOCK
from booking.discrepancies import UNREADABLE, Discrepancy
from booking.models import Booking, Feed, ProviderBooking, Slot
from booking.reconcile.run import run_now
from booking.reports.fetch import poll_reports
from booking.reports.models import Report
from booking.sync.bookings import poll_bookings
from booking.sync.slots import pull_slots
from marketplace.catalog.models import CapacityPool
from marketplace.core.database.db import reading
from providers.adapters.day_capacity import DayCapacity
from providers.adapters.fhir.adapter import Fhir
from providers.adapters.fhir.server import Page
from providers.adapters.http import Reply
from providers.adapters.open_protocol import OpenProtocol
from providers.adapters.signed_calls import Told
from providers.port import Confirmed, Connection
from tests.people import NOON, TODAY
from tests.world import FakeAdapter, World, connection_to, make_world, one_pass

pytestmark = pytest.mark.usefixtures("db")

DAYS = [date(2026, 3, 10), date(2026, 3, 11), date(2026, 3, 12), date(2026, 3, 13)]
SHORT = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_example = itertools.count(1)

Row = dict[str, Any]
no_row = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.lists(st.none(), max_size=2))
no_value = st.sampled_from(
    [None, "", [], {}, {"a": 1}, "\0", "\ud800", 10**30, -1, 0.5, True, "x" * 300, "2026-02-30", "9999-12-31T25:00:00"]
)
"""What is right in no field that a row must have; text of the right form may be right in a reference."""


@st.composite
def rubbish(draw: st.DrawFn, row: Row, needed: Sequence[str]) -> Any:
    """No row at all, or the row with a field that it must have missing or wrong."""
    kind = draw(st.sampled_from(("none", "lost", "wrong", "deep")))
    if kind == "none":
        return draw(no_row)
    name = draw(st.sampled_from(sorted(needed)))
    if kind == "lost":
        return {key: value for key, value in row.items() if key != name}
    if kind == "deep":
        return {**row, name: json.loads("[" * 200 + "]" * 200)}
    value = draw(no_value)
    if isinstance(value, str) and 0 < len(value) < 255 and value.isprintable() and name in TEXTS:
        value = None  # a reference of another text is a reference
    return {**row, name: value}


TEXTS = {"reference", "pool", "slot", "booking", "orderNo", "orgCode", "reportNo", "id"}
NEEDED = {
    ("open", "slots"): ("pool", "slot", "service_date", "offered"),
    ("open", "bookings"): ("reference", "status", "version"),
    ("open", "reports"): ("reference", "booking", "version", "status", "issued_at"),
    ("day", "slots"): ("orgCode", "scheduleDate", "total", "status"),
    ("day", "bookings"): ("orderNo", "orderStatus", "scheduleDate", "updateTime", "orgCode", "createTime"),
    ("day", "reports"): ("reportNo", "orderNo", "reportVersion", "reportStatus", "reportTime"),
    ("fhir", "slots"): ("id", "schedule", "status", "start", "end", "meta"),
    ("fhir", "bookings"): ("id", "status", "meta"),
    ("fhir", "reports"): ("id", "status", "meta"),
}
PROTOCOLS = ["open", "day", "fhir"]
SYSTEM = "urn:anxiang:booking"
LISTS = {"slots": "schedules", "bookings": "orders", "reports": "reports"}


class Wire:
    """What a provider answers, as JSON; any call gets the same page."""

    def __init__(self, protocol: str, feed: str, rows: Sequence[Any]) -> None:
        self._named, self._rows = (feed if protocol == "open" else LISTS[feed]), rows

    def deadline(self) -> None:
        """Nobody waits."""

    def wall_clock(self) -> datetime:
        """The provider's clock."""
        return datetime(2026, 3, 2, 20, 0)  # noqa: DTZ001 - it has no zone

    def call(self, *_: Any, **__: Any) -> Reply:
        """A page of the open protocol."""
        return Reply(200, "application/json", json.dumps({self._named: self._rows, "cursor": "c"}).encode())

    def ask(self, _method: str, biz: dict[str, Any], _deadline: None) -> Told:
        """A page of the other: everything has changed today."""
        until = biz.get("updateTimeEnd") or biz.get("reportTimeEnd") or "9"
        rows = self._rows if until > "2026-03-03" else []
        return Told(0, json.loads(json.dumps({self._named: rows})), self.wall_clock())

    def all(self, *_: Any) -> list[Row]:
        """The only schedule of a FHIR server."""
        return [{"resourceType": "Schedule", "id": "pool-1"}]

    def search(self, *_: Any) -> Page:
        """A page of it."""
        return Page(json.loads(json.dumps(self._rows)), None, NOON)


def speaking(protocol: str, feed: str, rows: Sequence[Any]) -> Any:
    known = Connection("p", "http://127.0.0.1:9", "key")
    if protocol == "open":
        adapter: Any = OpenProtocol(known)
        adapter._http = Wire(protocol, feed, rows)
    elif protocol == "fhir":
        adapter = Fhir(replace(known, settings={"auth": "none"}))
        adapter._server = Wire(protocol, feed, rows)
    else:
        adapter = DayCapacity(known)
        adapter._calls = Wire(protocol, feed, rows)
    return adapter


def pool_of(world: World) -> str:
    with reading() as session:
        return session.scalars(select(CapacityPool.external_ref).where(CapacityPool.id == world.offer.pool_id)).one()


def slot_rows(protocol: str, world: World, number: int) -> list[Row]:
    pool = pool_of(world)
    if protocol == "open":
        return [
            {"pool": pool, "slot": f"S{each}", "service_date": day.isoformat(), "offered": number, "version": number}
            for each, day in enumerate(DAYS)
        ]
    if protocol == "fhir":
        return [
            {
                "id": f"S{each}", "schedule": {"reference": f"Schedule/{pool}"}, "status": "free",
                "start": f"{day}T08:00:00+08:00", "end": f"{day}T08:30:00+08:00", "meta": changed(number),
            }
            for each, day in enumerate(DAYS)
        ]  # fmt: skip
    return [{"orgCode": pool, "scheduleDate": day.isoformat(), "total": number, "status": 1} for day in DAYS]


def changed(number: int) -> Row:
    """The meta of a FHIR resource that was changed so late."""
    return {"lastUpdated": (datetime(2026, 3, 2, 12, 0, tzinfo=UTC) + timedelta(seconds=number)).isoformat()}


def booking_rows(protocol: str, ours: Sequence[str], number: int) -> list[Row]:
    if protocol == "open":
        return [
            {"reference": f"R-{each}", "our_reference": ours[each], "status": "confirmed", "version": number + 10}
            for each in range(len(ours))
        ]
    if protocol == "fhir":
        return [
            {
                "id": f"R-{each}", "identifier": [{"system": SYSTEM, "value": ours[each]}], "status": "booked",
                "meta": changed(number),
            }
            for each in range(len(ours))
        ]  # fmt: skip
    at = (datetime(2026, 3, 2, 20, 0, tzinfo=UTC) + timedelta(seconds=number)).strftime("%Y-%m-%d %H:%M:%S")
    return [
        {
            "orderNo": f"R-{each}", "outOrderNo": ours[each], "orderStatus": 2, "scheduleDate": "2026-03-10",
            "orgCode": "P1", "createTime": at, "updateTime": at,
        }
        for each in range(len(ours))
    ]  # fmt: skip


def report_rows(protocol: str, ours: Sequence[str], number: int) -> list[Row]:
    if protocol == "open":
        return [
            {
                "reference": f"RR-{each}", "booking": f"R-{each}", "our_reference": ours[each], "version": number,
                "status": "final", "issued_at": "2026-03-10T12:00:00+08:00",
            }
            for each in range(len(ours))
        ]  # fmt: skip
    if protocol == "fhir":
        return [
            {
                "id": f"RR-{each}", "identifier": [{"system": SYSTEM, "value": ours[each]}], "status": "final",
                "meta": changed(number),
            }
            for each in range(len(ours))
        ]  # fmt: skip
    return [
        {
            "reportNo": f"RR-{each}", "orderNo": f"R-{each}", "outOrderNo": ours[each], "reportVersion": number,
            "reportStatus": 2, "reportTime": "2026-03-02 20:00:00",
        }
        for each in range(len(ours))
    ]  # fmt: skip


def booked(world: World) -> list[str]:
    """Three bookings that the provider has."""
    ours = []
    for each in range(3):
        ours.append(world.submit(each))
        assert one_pass(world, FakeAdapter(answers=[Confirmed(f"R-{each}", 1)]), now=NOON)
    return ours


def offered(world: World) -> dict[str, Any]:
    with reading() as session:
        rows = session.scalars(select(Slot).where(Slot.pool_id == world.offer.pool_id)).all()
        return {
            row.external_ref.partition("@")[2] or row.external_ref: (row.offered, row.capacity, row.closed)
            for row in rows
            if row.id not in {slot.id for slot in world.slots}
        }


def versions(world: World) -> dict[str, Any]:
    with reading() as session:
        rows = session.execute(
            select(ProviderBooking.reference, ProviderBooking.version, Booking.state)
            .join(Booking, Booking.id == ProviderBooking.booking_id)
            .where(ProviderBooking.provider_id == world.provider.id)
        )
        return {row.reference: (row.version, row.state) for row in rows}


def announced(world: World) -> dict[str, Any]:
    with reading() as session:
        rows = session.scalars(select(Report).where(Report.provider_id == world.provider.id))
        return {row.reference: row.announced_version for row in rows}


def recorded(world: World) -> int:
    """How often a row could not be read."""
    with reading() as session:
        cases = session.scalars(
            select(Discrepancy).where(Discrepancy.provider_id == world.provider.id, Discrepancy.kind == UNREADABLE)
        )
        return sum(case.facts["times"] for case in cases)


def others(effect: dict[str, Any], spoilt: str) -> dict[str, Any]:
    return {name: value for name, value in effect.items() if name != spoilt}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_slots(protocol: str) -> None:
    one, other = make_world(phone="13800000021"), make_world(phone="13800000022")

    @SHORT
    @given(data=st.data(), chosen=st.integers(0, len(DAYS) - 1))
    def holds(data: st.DataObject, chosen: int) -> None:
        number = next(_example)
        rows, without = slot_rows(protocol, one, number), slot_rows(protocol, other, number)
        name = f"{DAYS[chosen]:%Y%m%d}" if protocol == "day" else f"S{chosen}"
        before, so_far = offered(one).get(name), recorded(one)
        rows[chosen] = data.draw(rubbish(rows[chosen], NEEDED[protocol, "slots"]))
        del without[chosen]
        pull_slots(connection_to(one.provider), speaking(protocol, "slots", rows), today=TODAY, now=NOON)
        pull_slots(connection_to(other.provider), speaking(protocol, "slots", without), today=TODAY, now=NOON)
        assert others(offered(one), name) == others(offered(other), name)
        assert offered(one).get(name) == before
        assert recorded(one) == so_far + 1

    holds()


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("feed", [Feed.BOOKINGS, Feed.REPORTS])
def test_bookings_and_reports(protocol: str, feed: Feed) -> None:
    one, other = make_world(quantity=3, phone="13800000021"), make_world(quantity=3, phone="13800000022")
    ours, theirs = booked(one), booked(other)
    make, look = (booking_rows, versions) if feed is Feed.BOOKINGS else (report_rows, announced)
    poll: Any = poll_bookings if feed is Feed.BOOKINGS else poll_reports

    @SHORT
    @given(data=st.data(), chosen=st.integers(0, 2))
    def holds(data: st.DataObject, chosen: int) -> None:
        number = next(_example)
        rows, without = make(protocol, ours, number), make(protocol, theirs, number)
        name = f"R-{chosen}" if feed is Feed.BOOKINGS else f"RR-{chosen}"
        before, so_far = look(one).get(name), recorded(one)
        rows[chosen] = data.draw(rubbish(rows[chosen], NEEDED[protocol, feed.value]))
        del without[chosen]
        poll(connection_to(one.provider), speaking(protocol, feed.value, rows), now=NOON)
        poll(connection_to(other.provider), speaking(protocol, feed.value, without), now=NOON)
        assert others(look(one), name) == others(look(other), name)
        assert look(one).get(name) == before
        assert recorded(one) == so_far + 1

    holds()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_comparison_with_the_whole_list_finds_nothing_missing(protocol: str) -> None:
    world = make_world(quantity=3)
    ours = booked(world)

    @SHORT
    @given(data=st.data(), chosen=st.integers(0, 2))
    def holds(data: st.DataObject, chosen: int) -> None:
        rows = booking_rows(protocol, ours, next(_example))
        rows[chosen] = data.draw(rubbish(rows[chosen], NEEDED[protocol, "bookings"]))
        adapter = speaking(protocol, "bookings", rows)
        counts = run_now(connection_to(world.provider), adapter, CLOCK, clock=lambda: NOON + timedelta(hours=1))
        assert counts is not None
        assert (counts["listed"], counts["unreadable"], counts["found"]) == (2, 1, 0)

    holds()
