"""What becomes of the case of an unreadable row: tries, its end, and how many there may be."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from booking.discrepancies import Discrepancy
from booking.feeds.cursors import MOST_TRIES, NotApplied, Pull, apply_each, pages
from booking.feeds.models import RowTry
from booking.feeds.unreadable import (
    MOST_CASES,
    STORED_FOR,
    close_read,
    end_full_read,
    forget_rows,
    record_rows,
)
from booking.models import Feed
from booking.sync import bookings
from booking.sync.slots import pull_slots
from booking.sync.webhooks import receive_event
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Busy
from providers.reported import Event, RemoteBooking, SlotPage
from tests.booking.feeds.rows import MINUTE, Provider, bad, cases, cursor, page, poll, stored
from tests.people import NOON, TODAY
from tests.world import booking_row, connection_to, make_world, remote, taken

pytestmark = pytest.mark.usefixtures("db")


def test_a_row_that_breaks_while_it_is_applied_is_put_aside_after_its_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    first, second = world.submit(0), world.submit(1)
    honest = bookings.apply_remote

    def breaks(session: Any, provider_id: int, there: RemoteBooking, **more: Any) -> Any:
        if there.reference == "R-1":
            raise ValueError("nobody thought of this one")
        return honest(session, provider_id, there, **more)

    monkeypatch.setattr(bookings, "apply_remote", breaks)
    told = page(remote(first, "confirmed"), remote(second, "confirmed", reference="R-2"))
    for _ in range(MOST_TRIES - 1):
        with pytest.raises(NotApplied):
            poll(world, told)
        assert (cursor(world), cases()) == (None, [])
    assert booking_row(second).state.value == "confirmed"
    poll(world, told)
    assert cursor(world) == "c1"
    assert [(case.subject, case.facts["reason"]) for case in cases()] == [("bookings:R-1", "row.not_applied")]
    monkeypatch.setattr(bookings, "apply_remote", honest)
    poll(world, told, now=NOON + timedelta(seconds=1))
    assert (booking_row(first).state.value, cases()) == ("confirmed", [])
    with reading() as session:
        assert session.scalars(select(RowTry)).all() == []


def test_a_row_that_a_rival_keeps_busy_is_tried_for_ever() -> None:
    world = make_world()

    def busy(_row: str) -> str:
        raise Busy()

    for _ in range(MOST_TRIES + 1):
        with pytest.raises(NotApplied):
            for part in pages(world.provider.id, "bookings", lambda _c, _p: page(), now=NOON):
                apply_each(Pull(world.provider.id, "bookings", NOON), part, [("R-1", "R-1")], busy, Counter())
    assert (cursor(world), cases()) == (None, [])


def test_what_was_delivered_ends_after_thirty_days_and_with_its_discrepancy() -> None:
    world = make_world()
    poll(world, page(unreadable=[bad("R-2")]))
    assert forget_rows(now=NOON + STORED_FOR) == 0
    assert forget_rows(now=NOON + STORED_FOR + MINUTE) == 1
    assert (stored(), len(cases())) == (0, 1)
    record_rows(world.provider.id, Feed.BOOKINGS, [bad("R-2")], now=NOON + STORED_FOR + MINUTE)
    assert stored() == 0, "the same row does not begin another thirty days"
    record_rows(world.provider.id, Feed.BOOKINGS, [bad("R-2", text="{1}")], now=NOON + STORED_FOR + MINUTE)
    assert stored() == 1
    with transaction() as session:
        session.execute(update(Discrepancy).values(closed_at=NOON, resolution="somehow"))
    assert forget_rows(now=NOON + STORED_FOR + MINUTE) == 1


def test_what_a_person_explained_is_not_raised_again_until_it_changes() -> None:
    world = make_world()
    record_rows(world.provider.id, Feed.BOOKINGS, [bad("R-2")], now=NOON)
    with transaction() as session:
        session.execute(update(Discrepancy).values(closed_at=NOON, resolution="explained"))
    record_rows(world.provider.id, Feed.BOOKINGS, [bad("R-2")], now=NOON + MINUTE)
    assert cases() == []
    record_rows(world.provider.id, Feed.BOOKINGS, [bad("R-2", text="{2}")], now=NOON + MINUTE)
    assert len(cases()) == 1


def test_a_full_read_closes_what_is_not_delivered_any_more() -> None:
    world = make_world(slots=0)
    known = connection_to(world.provider)
    first = Provider(SlotPage([], None, "c1", [bad("P/S1")]), SlotPage([], None, "c2"), SlotPage([], None, "c3"))
    pull_slots(known, first, today=TODAY, now=NOON)  # type: ignore[arg-type]
    pull_slots(known, first, today=TODAY, now=NOON + timedelta(seconds=30))  # type: ignore[arg-type]
    assert (first.asked, len(cases())) == ([None, "c1"], 1)
    pull_slots(known, first, today=TODAY, now=NOON + MINUTE)  # type: ignore[arg-type]
    assert first.asked[2:] == [None], "it is asked for again by a full read"
    assert [case.resolution for case in cases(closed=True)] == ["not_delivered_again"]


def test_a_full_read_with_a_row_without_a_name_closes_nothing() -> None:
    world = make_world(slots=0)
    known = connection_to(world.provider)
    nameless = SlotPage([], None, "c2", [bad(None)])
    first = Provider(SlotPage([], None, "c1", [bad("P/S1")]), nameless, SlotPage([], None, "c3"))
    pull_slots(known, first, today=TODAY, now=NOON)  # type: ignore[arg-type]
    pull_slots(known, first, today=TODAY, now=NOON + MINUTE)  # type: ignore[arg-type]
    assert next(case.subject for case in cases()) == "slots:P/S1"
    pull_slots(known, first, today=TODAY, now=NOON + MINUTE + timedelta(seconds=1))  # type: ignore[arg-type]
    assert first.asked == [None, None, "c2"], "it is not asked for by every pull"


def test_the_slot_of_an_unreadable_row_stays_as_it_was() -> None:
    world = make_world()
    world.submit()
    known = connection_to(world.provider)
    provider = Provider(SlotPage([], None, "c1", [bad(f"P/{world.slots[0].external_ref}")]))
    pull_slots(known, provider, today=TODAY, now=NOON)  # type: ignore[arg-type]
    assert taken(world.slots[0]) == 1
    with reading() as session:
        slot = session.get_one(type(world.slots[0]), world.slots[0].id)
        assert (slot.closed, slot.offered) == (False, world.slots[0].offered)


def test_an_event_whose_booking_is_unreadable_becomes_a_discrepancy() -> None:
    world = make_world()
    public_id = world.submit()
    told = Event("e1", "booking.confirmed", NOON, unreadable=bad("R-1", public_id))
    assert receive_event(world.provider.id, told, now=NOON) == "unreadable"
    assert receive_event(world.provider.id, told, now=NOON) == "duplicate"
    assert [(case.subject, case.facts["times"]) for case in cases()] == [("bookings:R-1", 1)]
    close_read(world.provider.id, Feed.BOOKINGS, ["R-1"], now=NOON + MINUTE)
    assert cases() == []


def open_subjects() -> list[str]:
    with reading() as session:
        known = select(Discrepancy.subject).where(Discrepancy.closed_at.is_(None)).order_by(Discrepancy.id)
        return list(session.scalars(known))


def how_many() -> int:
    with reading() as session:
        return session.execute(select(func.count()).select_from(Discrepancy)).scalar_one()


def test_rubbish_that_is_new_each_time_makes_no_cases_without_end_and_one_says_how_many_more() -> None:
    world = make_world()
    for time in range(20):
        now = NOON + time * MINUTE
        rows = [bad(None, text=f"{time}/{number}") for number in range(10)]
        record_rows(world.provider.id, Feed.BOOKINGS, rows, now=now)
    found = open_subjects()
    assert len(found) == MOST_CASES + 1 and found[-1] == "bookings:#more"
    with reading() as session:
        more = session.scalars(select(Discrepancy).where(Discrepancy.subject == "bookings:#more")).one()
    assert more.facts["times"] == 200 - MOST_CASES


def test_cases_that_close_by_themselves_make_no_room_for_more_within_the_day() -> None:
    world = make_world()
    for time in range(20):
        now = NOON + time * MINUTE
        rows = [bad(None, text=f"{time}/{number}") for number in range(10)]
        record_rows(world.provider.id, Feed.BOOKINGS, rows, now=now)
        end_full_read(world.provider.id, Feed.BOOKINGS, nameless=False, now=now + MINUTE / 2)
    assert open_subjects() == [] and how_many() == MOST_CASES + 1
    tomorrow = NOON + timedelta(days=1, hours=1)
    record_rows(world.provider.id, Feed.BOOKINGS, [bad(None, text="another day")], now=tomorrow)
    assert how_many() == MOST_CASES + 2 and open_subjects() != ["bookings:#more"]


def test_a_row_that_has_a_case_and_one_about_a_booking_of_ours_are_counted_in_their_own() -> None:
    world = make_world()
    public_id = world.submit()
    known = bad(None, text="0")
    record_rows(world.provider.id, Feed.BOOKINGS, [known], now=NOON)
    others = [bad(None, text=str(number)) for number in range(1, MOST_CASES + 5)]
    record_rows(world.provider.id, Feed.BOOKINGS, [*others, known, bad("R-1", public_id)], now=NOON + MINUTE)
    assert open_subjects()[-2:] == ["bookings:#more", "bookings:R-1"]
    with reading() as session:
        first = session.scalars(select(Discrepancy).order_by(Discrepancy.id)).first()
    assert first is not None and first.facts["times"] == 2


def test_another_feed_has_cases_of_its_own() -> None:
    world = make_world()
    record_rows(world.provider.id, Feed.SLOTS, [bad(None, text=str(n)) for n in range(MOST_CASES)], now=NOON)
    record_rows(world.provider.id, Feed.BOOKINGS, [bad(None, text="x")], now=NOON)
    assert len(open_subjects()) == MOST_CASES + 1 and not any("#more" in subject for subject in open_subjects())
