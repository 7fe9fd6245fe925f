"""One rule for all: whoever lists, offers or takes a slot says the same of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from sqlalchemy import text, update

from booking.changes.reschedule import reschedule
from booking.models import Slot
from booking.offers.alternatives import nearest
from booking.offers.availability import OfferQuery, days, offer, search_offers, slots, slots_as_json
from booking.offers.bookable import Reason
from booking.offers.cities import offer_cities
from booking.waiting.match import LEAST_TIME, look_again
from booking.waiting.offers import offer_freed
from booking.waiting.view import alike
from marketplace.catalog.models import Offer, Site
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.ids import new_id
from tests.waiting import entry, wait
from tests.world import World, booking_row, join, make_world

pytestmark = pytest.mark.usefixtures("db")

DAY = date(2026, 3, 10)
CLOSES = datetime(2026, 3, 9, 12, tzinfo=UTC)  # twelve hours before 08:00 in Shanghai
SECOND = timedelta(seconds=1)
AGES = timedelta(days=20)
REFUSED = {
    Reason.OFFER_CLOSED: "offer_closed",
    Reason.PAST: "slot_past",
    Reason.CLOSED: "slot_closed",
    Reason.OUT_OF_SEASON: "slot_closed",
    Reason.FULL: "slot_full",
    Reason.RESERVED: "slot_full",
}


@dataclass(frozen=True)
class Case:
    """A slot, the moment at which everybody is asked about it, and what they must say. `at` None: for the day."""

    expected: Reason | None
    now: datetime = CLOSES - SECOND
    closes_at: datetime = CLOSES
    day: date = DAY
    at: time | None = time(8)
    zone: str = "Asia/Shanghai"
    places: int = 5
    offer: dict[str, Any] = field(default_factory=dict)
    site: dict[str, Any] = field(default_factory=dict)
    slot: dict[str, Any] = field(default_factory=dict)
    kept: bool = False
    sold: bool = False


def _utc(month: int, day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, second, tzinfo=UTC)


# Berlin sets its clocks forward in the night to 29 March, New York back in that to 1 November. Each closes_at is
# written down, not worked out.
_SPRING: dict[str, Any] = {"zone": "Europe/Berlin", "day": date(2026, 3, 29)}
_AUTUMN: dict[str, Any] = {"zone": "America/New_York", "day": date(2026, 11, 1)}
_WHOLE_DAY: dict[str, Any] = {"at": None, "closes_at": _utc(3, 9, 4)}

CASES = {
    "open": Case(None),
    "open at its last moment": Case(None, now=CLOSES),
    "a second after it": Case(Reason.PAST, now=CLOSES + SECOND),
    "without lead time open until it starts": Case(
        None, offer={"lead_minutes": 0}, now=_utc(3, 10, 0), closes_at=_utc(3, 10, 0)
    ),
    "without lead time past once it has started": Case(
        Reason.PAST, offer={"lead_minutes": 0}, now=_utc(3, 10, 0, 0, 1), closes_at=_utc(3, 10, 0)
    ),
    "a day at its last moment": Case(None, **_WHOLE_DAY, now=_utc(3, 9, 4)),
    "a day a second after it": Case(Reason.PAST, **_WHOLE_DAY, now=_utc(3, 9, 4, 0, 1)),
    "a time after the clocks went forward": Case(None, **_SPRING, now=_utc(3, 28, 18), closes_at=_utc(3, 28, 18)),
    "a second later there": Case(Reason.PAST, **_SPRING, now=_utc(3, 28, 18, 0, 1), closes_at=_utc(3, 28, 18)),
    "the day itself there": Case(None, **_SPRING, at=None, now=_utc(3, 28, 11), closes_at=_utc(3, 28, 11)),
    "the day after it": Case(
        Reason.PAST, zone="Europe/Berlin", day=date(2026, 3, 30), at=None, now=_utc(3, 29, 10, 0, 1),
        closes_at=_utc(3, 29, 10),
    ),
    "a time after the clocks went back": Case(None, **_AUTUMN, now=_utc(11, 1, 1), closes_at=_utc(11, 1, 1)),
    "a day of 25 hours": Case(
        Reason.PAST, **_AUTUMN, at=None, now=_utc(10, 31, 16, 0, 1), closes_at=_utc(10, 31, 16)
    ),
    "closed": Case(Reason.CLOSED, slot={"closed": True}),
    "on the season's first day": Case(None, offer={"available_from": DAY}),
    "on the season's last day": Case(None, offer={"available_until": DAY}),
    "before the season": Case(Reason.OUT_OF_SEASON, offer={"available_from": DAY + timedelta(1)}),
    "after the season": Case(Reason.OUT_OF_SEASON, offer={"available_until": DAY - timedelta(1)}),
    "without places": Case(Reason.FULL, places=0),
    "with its one place sold to somebody else": Case(Reason.FULL, places=1, sold=True),
    "kept for those who wait": Case(Reason.RESERVED, kept=True),
    "of an offer that has ended": Case(Reason.OFFER_CLOSED, offer={"active": False}),
    "at a site that has closed": Case(Reason.OFFER_CLOSED, site={"closed_at": _utc(3, 1, 0)}),
    "past before it is closed": Case(Reason.PAST, now=CLOSES + SECOND, slot={"closed": True}),
    "closed before it is full": Case(Reason.CLOSED, slot={"closed": True}, places=0),
    "full before it is kept": Case(Reason.FULL, places=0, kept=True),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_everybody_says_the_same_of_a_slot(case: Case) -> None:
    scene = _set(case)
    said = {reader.__name__.strip("_"): reader(scene) for reader in READERS}
    assert said == {reader.__name__.strip("_"): _expected(case, reader) for reader in READERS}


# --- the scene ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scene:
    """`world` books the slot (its second one); `mover` has a booking for another one; `waiter` waits for the slot."""

    case: Case
    world: World
    mover: World
    moved: str
    waiter: str
    slot: Slot


def _set(case: Case) -> _Scene:
    """Everything is arranged while all is still open; then the slot becomes what the case says."""
    world = make_world(slots=0, allotment=True)
    before = case.now - AGES
    with transaction() as session:
        session.execute(update(Site).where(Site.id == world.offer.site_id).values(time_zone=case.zone))
        home = _slot(case, world, case.day + timedelta(days=10), time(8), 1)
        slot = _slot(case, world, case.day, case.at, case.places)
        session.add_all([home, slot])
    world.slots.extend([home, slot])
    mover, waiter, other = (
        join(world.provider, world.offer, world.slots, phone=f"1380008000{number}") for number in range(3)
    )
    moved = mover.submit(0, now=before)
    if case.sold:
        other.submit(1, now=before)
    waits = wait(waiter, now=before, first_day=case.day, last_day=case.day)
    with transaction() as session:
        session.execute(text("DELETE FROM freed_slot"))
        for table, found, values in ((Offer, world.offer, case.offer), (Slot, slot, case.slot)):
            if values:
                session.execute(update(table).where(table.id == found.id).values(**values))
        if case.site:
            session.execute(update(Site).where(Site.id == world.offer.site_id).values(**case.site))
        if case.kept:
            session.execute(
                text("INSERT INTO freed_slot (slot_id, kept, freed_at) VALUES (:slot, true, now() + interval '1 h')"),
                {"slot": slot.id},
            )
    return _Scene(case, world, mover, moved, waits, slot)


def _slot(case: Case, world: World, day: date, at: time | None, places: int) -> Slot:
    starts = datetime.combine(day, at, ZoneInfo(case.zone)).astimezone(UTC) if at else None
    return Slot(
        public_id=new_id("slt"),
        pool_id=world.offer.pool_id,
        external_ref=day.isoformat(),
        service_date=day,
        starts_at=starts,
        ends_at=starts + timedelta(minutes=30) if starts else None,
        offered=places,
        capacity=places,
    )


# --- the readers: each tells a reason, a refusal's code or whether the slot can be had -------------------------------


def _listed(scene: _Scene) -> Any:
    return _of_known_offer(
        lambda: slots(scene.world.offer.public_id, scene.case.day, scene.case.day, now=scene.case.now)
    )


def _listed_as_json(scene: _Scene) -> Any:
    def ask() -> list[dict[str, Any]]:
        day, now = scene.case.day, scene.case.now
        return orjson.loads(slots_as_json(scene.world.offer.public_id, day, day, now=now))  # type: ignore[no-any-return]

    try:
        (found,) = ask()
    except NotFound:
        return False, Reason.OFFER_CLOSED, scene.case.closes_at
    return found["bookable"], found["reason"], datetime.fromisoformat(found["closes_at"])


def _of_known_offer(ask: Callable[[], list[Any]]) -> Any:
    """What is said of the only slot: of an offer that has ended, nothing is known any more."""
    try:
        (found,) = ask()
    except NotFound:
        return Reason.OFFER_CLOSED
    return found.reason


def _on_the_calendar(scene: _Scene) -> Any:
    return _of_known_offer(
        lambda: days(scene.world.offer.public_id, scene.case.day, scene.case.day, now=scene.case.now)
    )


def _next_in_search(scene: _Scene) -> bool:
    found = search_offers(OfferQuery(benefit="health_check"), now=scene.case.now).items
    return [card.next_free.service_date for card in found if card.next_free] == [scene.case.day]


def _next_of_offer(scene: _Scene) -> bool:
    try:
        return offer(scene.world.offer.public_id, now=scene.case.now).card.next_free is not None
    except NotFound:
        return False


def _in_cities(scene: _Scene) -> bool:
    return [city.sites for city in offer_cities("health_check")] == [1]


def _places_to_wait_for(scene: _Scene) -> bool:
    try:
        return len(alike(scene.world.offer.public_id)) == 1
    except NotFound:
        return False


def _alternatives(scene: _Scene) -> bool:
    with reading() as session:
        found = nearest(session, booking_row(scene.moved), now=scene.case.now)
    return [one.slot_id for one in found] == [scene.slot.public_id]


def _matched_for_who_waits(scene: _Scene) -> bool:
    with transaction() as session:
        look_again(session, entry(scene.waiter).id, now=scene.case.now - LEAST_TIME)
        return session.execute(text("SELECT count(*) FROM freed_slot WHERE NOT kept")).scalar_one() == 1


def _rescheduled(scene: _Scene) -> Any:
    move = scene.mover.principal, scene.moved, scene.slot.public_id
    return _refusal(lambda: reschedule(*move, now=scene.case.now))


def _held(scene: _Scene) -> Any:
    return _refusal(lambda: scene.world.hold(1, now=scene.case.now))


def _refusal(take: Callable[[], object]) -> Any:
    try:
        take()
    except Refusal as refusal:
        return refusal.code, refusal.facts.get("closes_at")
    return None


def _given_to_who_waits(scene: _Scene) -> bool:
    with transaction() as session:
        session.execute(text("INSERT INTO freed_slot (slot_id, kept) VALUES (:slot, false)"), {"slot": scene.slot.id})
    return offer_freed(now=scene.case.now - LEAST_TIME)["held"] == 1


READERS: tuple[Callable[[_Scene], Any], ...] = (
    _listed,
    _listed_as_json,
    _on_the_calendar,
    _next_in_search,
    _next_of_offer,
    _in_cities,
    _places_to_wait_for,
    _alternatives,
    _matched_for_who_waits,
    # What takes a place comes last.
    _rescheduled,
    _held,
    _given_to_who_waits,
)


def _expected(case: Case, reader: Callable[[_Scene], Any]) -> Any:
    reason = case.expected
    if reader is _listed:
        return reason
    if reader is _listed_as_json:
        return reason is None, reason, case.closes_at
    if reader is _on_the_calendar:
        return Reason.FULL if reason is Reason.RESERVED else reason
    if reader in (_rescheduled, _held):
        return reason and (REFUSED[reason], case.closes_at if reason is Reason.PAST else None)
    if reader in (_in_cities, _places_to_wait_for):
        return reason is not Reason.OFFER_CLOSED
    if reader in (_matched_for_who_waits, _given_to_who_waits):
        return reason in (None, Reason.RESERVED)
    return reason is None


def test_nobody_begins_to_wait_for_an_offer_that_has_ended() -> None:
    world = make_world(slots=1, capacity=0)
    with transaction() as session:
        session.execute(update(Site).where(Site.id == world.offer.site_id).values(closed_at=CLOSES))
    with pytest.raises(NotFound):
        wait(world, now=CLOSES)
