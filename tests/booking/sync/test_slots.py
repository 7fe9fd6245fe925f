"""Pulling a provider's slots: its figure is told, what is sold stands, and each difference closes again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, func, select

from booking.changes.cancel import cancel
from booking.discrepancies import Discrepancy
from booking.feeds.cursors import MOST_TRIES, NotApplied, cursor_of
from booking.messages.freshness import stale
from booking.models import Booking, Feed, Slot
from booking.notices.models import Notification
from booking.refusals import SlotClosed, SlotFull
from booking.sync import slots as slots_room
from booking.sync.slots import BATCH, HORIZON, pull_slots
from marketplace.catalog.models import CapacityPool, Site
from marketplace.core.database.db import engine, reading, transaction
from marketplace.messages.compose import say
from providers.port import Confirmed, ProviderError
from providers.reported import RemoteSlot, SlotPage
from tests.people import NOON, TODAY
from tests.world import FakeAdapter, World, booking_row, connection_to, join, make_world, one_pass

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]

LATER = NOON + timedelta(minutes=5)


class SlotFeed:
    """A provider that tells these pages, or breaks off; it keeps what it was asked."""

    def __init__(self, *pages: SlotPage | ProviderError) -> None:
        self.pages = list(pages)
        self.asked: list[tuple[date, date, str | None, str | None]] = []

    def slots(self, since: date, until: date, cursor: str | None, page: str | None) -> SlotPage:
        """The next page."""
        self.asked.append((since, until, cursor, page))
        page_or_problem = self.pages.pop(0)
        if isinstance(page_or_problem, ProviderError):
            raise page_or_problem
        return page_or_problem


def pull(world: World, *told: RemoteSlot, now: datetime = NOON) -> dict[str, int]:
    return pull_feed(world, SlotFeed(SlotPage(told, None, "c1")), now)


def pull_feed(world: World, feed: SlotFeed, now: datetime = NOON) -> dict[str, int]:
    return pull_slots(connection_to(world.provider), feed, today=TODAY, now=now)  # type: ignore[arg-type]


def told(slot: Slot, **changes: Any) -> RemoteSlot:
    """The slot as its provider tells it."""
    known = RemoteSlot(
        "pool-1", slot.external_ref, slot.service_date, slot.starts_at, slot.ends_at, slot.offered, version=1
    )
    return replace(known, **changes)


def moved(slot: Slot, hours: int, **changes: Any) -> RemoteSlot:
    assert slot.starts_at is not None
    assert slot.ends_at is not None
    by = timedelta(hours=hours)
    day = (slot.starts_at + by).astimezone(ZoneInfo("Asia/Shanghai")).date()
    return told(slot, service_date=day, starts_at=slot.starts_at + by, ends_at=slot.ends_at + by, **changes)


def row(slot: Slot) -> Slot:
    with reading() as session:
        return session.get_one(Slot, slot.id)


def figures(slot: Slot) -> tuple[int, int, int]:
    """offered, capacity, taken."""
    now = row(slot)
    return now.offered, now.capacity, now.taken


def discrepancies() -> list[tuple[str, str]]:
    """Kind of each difference and what explained it; "" while it is open."""
    with reading() as session:
        rows = session.execute(select(Discrepancy.kind, Discrepancy.resolution).order_by(Discrepancy.id))
        return [(each.kind, each.resolution) for each in rows]


def sold(count: int, capacity: int = 5) -> tuple[World, list[tuple[World, str]]]:
    """A world whose first slot is held by so many customers, and their bookings."""
    world = make_world(slots=1, capacity=capacity)
    held = [(world, world.hold())]
    for number in range(1, count):
        other = join(world.provider, world.offer, world.slots, phone=f"1380055{number:04}")
        held.append((other, other.hold()))
    return world, held


def test_new_slots_are_added_with_the_providers_figures() -> None:
    world = make_world(slots=1)
    new = moved(world.slots[0], 24, reference="new", offered=7)
    day = RemoteSlot("pool-1", "day", TODAY, None, None, 30, version=1)
    assert pull(world, new, day)["added"] == 2
    with reading() as session:
        kept = session.execute(
            select(Slot.external_ref, Slot.starts_at, Slot.offered, Slot.capacity, Slot.taken)
            .where(Slot.id != world.slots[0].id)
            .order_by(Slot.external_ref)
        ).all()
    assert [tuple(each) for each in kept] == [("day", None, 30, 30, 0), ("new", new.starts_at, 7, 7, 0)]


def test_the_next_sixty_days_are_asked_for() -> None:
    feed = SlotFeed(SlotPage([], None, "c1"))
    pull_feed(make_world(slots=0), feed)
    assert feed.asked == [(TODAY, TODAY + HORIZON, None, None)]


def test_a_shrinking_figure_keeps_what_is_sold_and_is_a_difference() -> None:
    world, _ = sold(3)
    pull(world, told(world.slots[0], offered=1))
    assert figures(world.slots[0]) == (1, 3, 3)
    assert discrepancies() == [("slot_oversold", "")]
    late = join(world.provider, world.offer, world.slots, phone="13800000077")
    with pytest.raises(SlotFull):
        late.hold()


def test_a_figure_that_grows_again_closes_the_difference() -> None:
    world, _ = sold(2)
    pull(world, told(world.slots[0], offered=1))
    pull(world, told(world.slots[0], offered=4, version=2), now=LATER)
    assert figures(world.slots[0]) == (4, 4, 2)
    assert discrepancies() == [("slot_oversold", "offered_again")]


def test_a_cancel_that_makes_the_sold_fit_again_closes_the_difference_at_the_next_pull() -> None:
    world, held = sold(2)
    pull(world, told(world.slots[0], offered=1))
    customer, public_id = held[1]
    cancel(customer.principal, public_id, now=LATER)
    assert pull(world, now=LATER)["settled"] == 1
    assert figures(world.slots[0]) == (1, 1, 1)
    assert discrepancies() == [("slot_oversold", "fits_again")]


def test_a_difference_that_still_stands_stays_open() -> None:
    world, _ = sold(2)
    pull(world, told(world.slots[0], offered=1))
    assert pull(world, now=LATER)["settled"] == 0
    assert discrepancies() == [("slot_oversold", "")]


def test_an_older_version_changes_nothing() -> None:
    world = make_world(slots=1)
    slot = world.slots[0]
    pull(world, told(slot, offered=4, version=7))
    counts = pull(world, moved(slot, 1, offered=1, closed=True, version=6))
    assert (counts["changed"], figures(slot)) == (0, (4, 4, 0))
    assert (row(slot).closed, row(slot).starts_at) == (False, slot.starts_at)


def test_a_version_that_changed_nothing_else_still_makes_the_ones_before_it_old() -> None:
    world = make_world(slots=1)
    slot = world.slots[0]
    pull(world, told(slot, version=3))
    pull(world, told(slot, offered=1, version=2))
    assert figures(slot) == (5, 5, 0)


def test_closing_a_slot_stops_booking_and_keeps_what_is_sold() -> None:
    world, _ = sold(1)
    pull(world, told(world.slots[0], closed=True))
    late = join(world.provider, world.offer, world.slots, phone="13800000077")
    with pytest.raises(SlotClosed):
        late.hold()
    assert (row(world.slots[0]).closed, figures(world.slots[0])) == (True, (5, 5, 1))


def test_a_free_slot_is_moved() -> None:
    world = make_world(slots=1)
    there = moved(world.slots[0], 2)
    pull(world, there)
    assert (row(world.slots[0]).starts_at, discrepancies()) == (there.starts_at, [])


@pytest.mark.parametrize("version", [0, 2])
def test_the_time_of_a_sold_slot_stays_and_the_difference_closes_when_they_agree_again(version: int) -> None:
    world, _ = sold(1)
    slot = world.slots[0]
    pull(world, moved(slot, 2, version=version))
    assert (row(slot).starts_at, row(slot).ends_at) == (slot.starts_at, slot.ends_at)
    assert discrepancies() == [("slot_moved", "")]
    pull(world, told(slot, version=version), now=LATER)
    assert (row(slot).starts_at, discrepancies()) == (slot.starts_at, [("slot_moved", "same_time_again")])


def test_a_moved_slot_takes_the_newest_time_told_once_nobody_holds_a_place() -> None:
    world, held = sold(1)
    slot = world.slots[0]
    pull(world, moved(slot, 2))
    newest = moved(slot, 3, version=2)
    pull(world, newest)
    assert pull(world)["settled"] == 0
    cancel(world.principal, held[0][1], now=LATER)
    assert pull(world, now=LATER)["settled"] == 1
    assert (row(slot).starts_at, row(slot).ends_at) == (newest.starts_at, newest.ends_at)
    assert discrepancies() == [("slot_moved", "nobody_holds_the_old_time")]


def test_slots_of_a_pool_we_do_not_know_are_counted_and_left_out() -> None:
    world = make_world(slots=1)
    counts = pull(world, told(world.slots[0], pool="nowhere", reference="x"), told(world.slots[0], offered=2))
    assert (counts["read"], counts["unknown_pool"], counts["added"], counts["changed"]) == (2, 1, 0, 1)


def test_more_than_one_batch_in_a_pull() -> None:
    world = make_world(slots=1)
    many = [moved(world.slots[0], 0, reference=f"n{number}") for number in range(2 * BATCH + 1)]
    assert pull(world, *many)["added"] == 2 * BATCH + 1
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Slot)) == 2 * BATCH + 2


def test_sync_never_writes_taken() -> None:
    world, _ = sold(2)
    written: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "UPDATE slot" in statement:
            written.append(statement.partition("UPDATE slot")[2].partition("RETURNING")[0])

    event.listen(engine(), "before_cursor_execute", note)
    try:
        for offered in (0, 1, 2, 9):
            pull(world, told(world.slots[0], offered=offered, version=offered))
            assert row(world.slots[0]).taken == 2
    finally:
        event.remove(engine(), "before_cursor_execute", note)
    assert len(written) == 4
    assert not [each for each in written if "taken =" in each.partition("WHERE")[0]]


def test_the_same_pull_twice_changes_nothing() -> None:
    world, _ = sold(2)
    feed = [told(world.slots[0], offered=1), moved(world.slots[0], 5, reference="other")]
    first = pull(world, *feed)
    before = figures(world.slots[0]), discrepancies()
    second = pull(world, *feed)
    assert (first["added"], first["changed"]) == (1, 1)
    assert (second["added"], second["changed"], second["settled"]) == (0, 0, 0)
    assert (figures(world.slots[0]), discrepancies()) == before


def test_a_pull_that_breaks_off_keeps_what_it_applied_and_leaves_the_cursor() -> None:
    world = make_world(slots=1)
    pull(world)
    broken = SlotFeed(SlotPage([told(world.slots[0], offered=2)], "p2", "c2"), ProviderError("status 500"))
    with pytest.raises(ProviderError):
        pull_feed(world, broken)
    assert figures(world.slots[0]) == (2, 2, 0)
    with reading() as session:
        assert cursor_of(session, world.provider.id, Feed.SLOTS) == "c1"
    again = SlotFeed(SlotPage([], None, "c2"))
    pull_feed(world, again)
    assert again.asked[0][2:] == ("c1", None)


def test_a_new_day_and_a_new_pool_are_pulled_from_the_start_and_all_else_by_cursor() -> None:
    world = make_world()
    feed = SlotFeed(*(SlotPage([], None, f"c{number}") for number in range(1, 5)))
    pull_feed(world, feed)
    pull_feed(world, feed)
    with transaction() as session:
        site = session.scalars(select(Site)).first()
        assert site is not None
        session.add(
            CapacityPool(public_id="pol_new", provider_id=world.provider.id, site_id=site.id, external_ref="pool-2")
        )
    pull_feed(world, feed)
    tomorrow = TODAY + timedelta(days=1)
    pull_slots(connection_to(world.provider), feed, today=tomorrow, now=NOON)  # type: ignore[arg-type]
    assert [cursor for _, _, cursor, _ in feed.asked] == [None, "c1", None, None]


def test_a_slot_that_cannot_be_applied_keeps_no_other_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    honest = slots_room.apply_slots

    def breaks(provider_id: int, given: Any, *more: Any, now: datetime) -> None:
        if any(slot.reference == world.slots[0].external_ref for slot in given):
            raise ValueError("nobody thought of this one")
        honest(provider_id, given, *more, now=now)

    monkeypatch.setattr(slots_room, "apply_slots", breaks)
    given = [told(slot, offered=9) for slot in world.slots]
    for _ in range(MOST_TRIES - 1):
        with pytest.raises(NotApplied):
            pull(world, *given)
    with reading() as session:
        assert [session.get_one(Slot, slot.id).offered for slot in world.slots[1:]] == [9, 9]
        assert cursor_of(session, world.provider.id, Feed.SLOTS) is None
    pull(world, *given)
    with reading() as session:
        assert cursor_of(session, world.provider.id, Feed.SLOTS) == "c1"
        case = session.scalars(select(Discrepancy).where(Discrepancy.kind == "unreadable_row")).one()
        assert (case.subject, case.facts["reason"]) == (f"slots:{given[0].name}", "row.not_applied")
    monkeypatch.setattr(slots_room, "apply_slots", honest)
    pull(world, *given, now=LATER)
    with reading() as session:
        assert session.get_one(Slot, world.slots[0].id).offered == 9
        assert session.scalar(select(func.count()).where(Discrepancy.closed_at.is_(None))) == 0


def booked(count: int) -> tuple[World, list[str]]:
    """A world whose first slot so many customers have a confirmed booking of, and their bookings."""
    world = make_world(slots=2)
    bookings = []
    for number in range(count):
        other = join(world.provider, world.offer, world.slots, phone=f"1380066{number:04}")
        bookings.append(other.submit())
        one_pass(world, FakeAdapter(answers=[Confirmed(f"R-{number}", 1)]), now=NOON)
    return world, bookings


def notified() -> list[tuple[str, str]]:
    """The booking and what was said of its provider's books, for each notice."""
    with reading() as session:
        rows = session.execute(
            select(Booking.public_id, Notification.facts)
            .join(Notification, Notification.booking_id == Booking.id)
            .where(Notification.kind == "provider_differs")
            .order_by(Notification.id)
        ).all()
    return [(row.public_id, row.facts["says"]) for row in rows]


@pytest.mark.parametrize(("offered", "says"), [(1, "fewer"), (0, "withdrawn")])
def test_all_who_booked_a_slot_that_its_provider_cut_are_told_that_they_are_still_expected(
    offered: int, says: str
) -> None:
    world, (one, other) = booked(2)
    pull(world, told(world.slots[0], offered=offered))
    assert notified() == [(one, says), (other, says)]
    text = say("provider_differs", {"says": says}, "en", as_of=NOON).text
    assert "Your booking stands for now." in text
    with reading() as session:
        case = session.scalars(select(Discrepancy)).one()
    assert case.facts["bookings"] == [booking_row(one).reference, booking_row(other).reference]


def test_a_figure_that_goes_up_and_down_is_told_once_a_day() -> None:
    world, (one, _) = booked(2)
    for version, offered in enumerate((1, 4, 1, 5, 1), start=1):
        pull(world, told(world.slots[0], offered=offered, version=version), now=NOON + timedelta(minutes=version))
    assert [public_id for public_id, _ in notified()].count(one) == 1
    pull(world, told(world.slots[0], offered=5, version=8), now=NOON + timedelta(days=1))
    pull(world, told(world.slots[0], offered=1, version=9), now=NOON + timedelta(days=1))
    assert [public_id for public_id, _ in notified()].count(one) == 2


def test_a_slot_that_is_only_off_sale_and_one_that_fits_concern_nobody() -> None:
    world, _ = booked(2)
    pull(world, told(world.slots[0], offered=2))
    pull(world, told(world.slots[0], offered=5, closed=True, version=2))
    pull(world, told(world.slots[1], offered=0))
    assert (notified(), discrepancies()) == ([], [])


def test_a_notice_of_a_cut_that_is_over_is_not_sent() -> None:
    world, _ = booked(2)
    pull(world, told(world.slots[0], offered=0))
    with transaction() as session:
        notice = session.scalars(select(Notification).where(Notification.kind == "provider_differs")).first()
        assert notice is not None and stale(session, notice, NOON) == ""
    pull(world, told(world.slots[0], offered=5, version=2))
    with transaction() as session:
        notice = session.scalars(select(Notification).where(Notification.kind == "provider_differs")).first()
        assert notice is not None and stale(session, notice, NOON) == "moved_on"


def test_times_that_cannot_be_right_are_put_aside_by_their_field_and_stop_nothing() -> None:
    world = make_world()
    slot, other = world.slots[:2]
    assert slot.starts_at is not None
    wrong = told(slot, service_date=slot.service_date + timedelta(days=1), version=2)
    long = told(other, ends_at=slot.starts_at + timedelta(days=2), version=2)
    fine = replace(told(slot, version=2), reference="fine")
    assert pull(world, wrong, long, fine)["added"] == 1
    with reading() as session:
        reasons = session.scalars(select(Discrepancy.facts["reason"].astext).order_by(Discrepancy.id)).all()
    assert reasons == ["service_date.not_the_day_of_start", "ends_at.longer_than_a_day"]
    assert row(slot).version < 2
    with reading() as session:
        assert cursor_of(session, world.provider.id, Feed.SLOTS) == "c1", "the pull has ended"
