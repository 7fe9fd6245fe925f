"""Rows of a provider's feeds that cannot be read, or not be applied: they stop no other, and are never lost."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from booking.discrepancies import EXPLAINED
from booking.feeds import cursors
from booking.feeds.cursors import MOST_TRIES, NotApplied, Pull, apply_each, cursor_of, pages
from booking.feeds.models import DeliveredRow, RowTry
from booking.feeds.unreadable import (
    MOST_CASES,
    STORED_FOR,
    close_read,
    end_full_read,
    forget_delivered,
    forget_rows,
    open_delivered,
    record_rows,
)
from booking.models import Discrepancy, Feed
from booking.sync import bookings
from booking.sync.bookings import poll_bookings
from booking.sync.slots import pull_slots
from booking.sync.webhooks import receive_event
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Busy
from providers.port import ComeBackLater, LookUp, NotFound, ProviderError, RetryAfter, Unknown
from providers.reported import BookingPage, Event, RemoteBooking, SlotPage, UnreadableRow
from tests.keys import use_keys
from tests.people import NOON, TODAY
from tests.world import World, booking_row, connection_to, make_world, remote, taken

pytestmark = pytest.mark.usefixtures("db")

MINUTE = timedelta(minutes=1)


def bad(reference: str | None, ours: str | None = None, text: str = "{}") -> UnreadableRow:
    digest = hashlib.sha256(f"{reference}{text}".encode()).hexdigest()
    return UnreadableRow("status.unknown", text.encode(), digest, reference, ours)


class Provider:
    """A provider whose feeds say what the test puts into them, and which knows the bookings in `there`."""

    def __init__(self, *parts: BookingPage | SlotPage) -> None:
        self.parts = list(parts)
        self.asked: list[str | None] = []
        self.looked_up: list[LookUp] = []
        self.there: dict[str, RemoteBooking] = {}

    def bookings_since(self, cursor: str | None, _page: str | None) -> Any:
        """The next page."""
        self.asked.append(cursor)
        return self.parts.pop(0)

    def slots(self, _start: Any, _end: Any, cursor: str | None, _page: str | None) -> Any:
        """The next page."""
        self.asked.append(cursor)
        return self.parts.pop(0)

    def look_up(self, question: LookUp) -> RemoteBooking | NotFound | Unknown:
        """What is `there` under our reference."""
        self.looked_up.append(question)
        return self.there.get(question.our_reference, Unknown("broken"))


def poll(world: World, *parts: BookingPage, now: datetime = NOON) -> dict[str, int]:
    return poll_bookings(connection_to(world.provider), Provider(*parts), now=now)  # type: ignore[arg-type]


def page(*there: RemoteBooking, unreadable: Sequence[UnreadableRow] = (), cursor: str = "c1") -> BookingPage:
    return BookingPage(there, None, cursor, unreadable)


def cases(*, closed: bool = False) -> list[Discrepancy]:
    with reading() as session:
        query = select(Discrepancy).where(Discrepancy.kind == "unreadable_row").order_by(Discrepancy.id)
        found = session.scalars(query).all()
    return [case for case in found if (case.closed_at is not None) == closed]


def stored() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(DeliveredRow)) or 0


def cursor(world: World, feed: str = "bookings") -> str | None:
    with reading() as session:
        return cursor_of(session, world.provider.id, feed)


def test_an_unreadable_row_stops_no_other_and_the_cursor_moves_on() -> None:
    world = make_world()
    first, second = world.submit(0), world.submit(1)
    poll(world, page(remote(first, "confirmed"), unreadable=[bad("R-2", second, '{"status":"lost"}')]))
    assert booking_row(first).state.value == "confirmed"
    assert booking_row(second).state.value == "awaiting_provider"
    assert cursor(world) == "c1"
    (case,) = cases()
    assert (case.subject, case.booking_id) == ("bookings:R-2", booking_row(second).id)
    assert (case.facts["reason"], case.facts["times"]) == ("status.unknown", 1)
    with reading() as session:
        assert open_delivered(session, session.get_one(Discrepancy, case.id)) == '{"status":"lost"}'


def test_what_was_delivered_is_stored_sealed() -> None:
    world = make_world()
    poll(world, page(unreadable=[bad("R-2", text='{"name":"shenyun"}')]))
    with reading() as session:
        row = session.scalars(select(DeliveredRow)).one()
        assert b"shenyun" not in row.sealed + row.wrapped_key
        assert "shenyun" not in str(cases()[0].facts)


def test_repeats_are_counted_and_opened_once() -> None:
    world = make_world()
    for minute in range(3):
        poll(world, page(unreadable=[bad("R-2")]), now=NOON + minute * timedelta(seconds=1))
    assert [case.facts["times"] for case in cases()] == [3]


def test_a_row_without_a_name_goes_by_what_it_holds() -> None:
    world = make_world()
    good = [remote("nobody's", "cancelled", reference=f"R-{n}") for n in range(4)]
    for minute in (0, 1):
        now = NOON + minute * MINUTE
        poll(world, page(*good, unreadable=[bad(None, text="1"), bad(None, text="2")]), now=now)
    assert [case.facts["times"] for case in cases()] == [2, 2]
    assert len({case.subject for case in cases()}) == 2


@pytest.mark.parametrize("name", ["R-9", None])
def test_after_a_change_of_index_keys_a_row_is_the_one_it_was(
    name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_keys(monkeypatch, index="old")
    world = make_world()
    for index in ("old", "old new", "new old"):
        use_keys(monkeypatch, index=index)
        record_rows(world.provider.id, Feed.BOOKINGS, [bad(name)], now=NOON)
    [case] = cases()
    assert case.facts["times"] == 3
    with transaction() as session:
        session.execute(update(Discrepancy).values(closed_at=NOON, resolution=EXPLAINED))
    record_rows(world.provider.id, Feed.BOOKINGS, [bad(name)], now=NOON)
    assert cases() == []


@pytest.mark.parametrize("name", ["R-9", None])
@pytest.mark.parametrize("explained", [True, False])
def test_a_row_that_came_while_both_index_keys_lived_is_the_one_it_was_without_the_earlier(
    name: str | None, explained: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_keys(monkeypatch, index="old")
    world = make_world()
    record_rows(world.provider.id, Feed.BOOKINGS, [bad(name)], now=NOON)
    if explained:
        with transaction() as session:
            session.execute(update(Discrepancy).values(closed_at=NOON, resolution=EXPLAINED))
    for index in ("new old", "new"):
        use_keys(monkeypatch, index=index)
        record_rows(world.provider.id, Feed.BOOKINGS, [bad(name)], now=NOON)
    assert [case.facts["times"] for case in cases(closed=explained)] == [1 if explained else 3]
    assert cases(closed=not explained) == []


def test_a_row_that_is_read_again_closes_its_discrepancy_and_ends_what_is_stored() -> None:
    world = make_world()
    public_id = world.submit()
    poll(world, page(unreadable=[bad("R-1", public_id)]))
    assert stored() == 1
    poll(world, page(remote(public_id, "confirmed")), now=NOON + timedelta(seconds=1))
    assert [case.resolution for case in cases(closed=True)] == ["read_again"]
    assert (cases(), stored()) == ([], 0)


def test_a_row_that_is_unreadable_beside_a_readable_one_of_its_name_stays_open() -> None:
    world = make_world()
    public_id = world.submit()
    poll(world, page(remote(public_id, "confirmed"), unreadable=[bad("R-1", public_id)]))
    assert len(cases()) == 1


def test_the_booking_of_an_unreadable_row_is_asked_for_by_our_reference() -> None:
    world = make_world()
    public_id = world.submit()
    provider = Provider(page(unreadable=[bad("R-1", public_id)]), page(), page())
    provider.there[public_id] = remote(public_id, "confirmed")
    known = connection_to(world.provider)
    poll_bookings(known, provider, now=NOON)  # type: ignore[arg-type]
    assert provider.looked_up == []
    poll_bookings(known, provider, now=NOON + MINUTE)  # type: ignore[arg-type]
    assert [(each.our_reference, each.reference) for each in provider.looked_up] == [(public_id, "R-1")]
    assert booking_row(public_id).state.value == "confirmed"
    assert cases() == []


def test_what_is_asked_for_in_vain_is_asked_for_less_and_less_often() -> None:
    world = make_world()
    provider = Provider(page(unreadable=[bad("R-1", world.submit())]), *[page()] * 10)
    known, asked = connection_to(world.provider), []
    for minute in range(10):
        before = len(provider.looked_up)
        poll_bookings(known, provider, now=NOON + minute * MINUTE)  # type: ignore[arg-type]
        asked += [minute] * (len(provider.looked_up) - before)
    assert asked == [1, 2, 4, 8]


def test_a_provider_that_asks_for_a_pause_is_asked_for_no_further_booking() -> None:
    world = make_world()
    known = connection_to(world.provider)
    good = [remote("nobody's", "cancelled", reference=f"G-{number}") for number in range(3)]
    rows = [bad(None), bad("R-1", "bkg_1"), bad("R-2", "bkg_2")]
    provider = Provider(page(*good, unreadable=rows), page())
    poll_bookings(known, provider, now=NOON)  # type: ignore[arg-type]
    provider.there["bkg_1"] = RetryAfter(30)  # type: ignore[assignment]
    with pytest.raises(ComeBackLater):
        poll_bookings(known, provider, now=NOON + MINUTE)  # type: ignore[arg-type]
    assert [each.our_reference for each in provider.looked_up] == ["bkg_1"]
    assert (cursor(world), len(cases())) == ("c1", 3)


def test_a_page_that_is_mostly_unreadable_fails_its_feed_and_moves_nothing() -> None:
    world = make_world()
    public_id = world.submit()
    spoilt = page(remote(public_id, "confirmed"), unreadable=[bad("R-2"), bad("R-3")])
    with pytest.raises(ProviderError, match="most of a page"):
        poll(world, spoilt)
    assert (cursor(world), cases()) == (None, [])
    assert booking_row(public_id).state.value == "awaiting_provider"


def test_half_of_a_page_is_not_most_of_it_and_neither_is_a_single_row() -> None:
    world = make_world()
    poll(world, page(remote(world.submit(), "confirmed"), unreadable=[bad("R-2")]))
    poll(world, page(unreadable=[bad("R-3")]))
    assert len(cases()) == 2


def test_two_bad_rows_do_not_stop_a_quiet_feed_for_ever() -> None:
    world = make_world()
    for _ in range(cursors.SMALL_FAILURES):
        with pytest.raises(ProviderError):
            poll(world, page(unreadable=[bad("R-2"), bad("R-3")]))
    poll(world, page(unreadable=[bad("R-2"), bad("R-3")]))
    assert (cursor(world), len(cases())) == ("c1", 2)


def test_the_largest_of_the_small_pages_stops_no_quiet_feed_either() -> None:
    world = make_world()
    rows = [bad(f"R-{number}") for number in range(cursors.SMALL_PAGE)]
    for _ in range(cursors.SMALL_FAILURES):
        with pytest.raises(ProviderError):
            poll(world, page(unreadable=rows))
    poll(world, page(unreadable=rows))
    assert cursor(world) == "c1"


def test_what_was_delivered_cannot_be_opened_once_it_is_gone() -> None:
    world = make_world()
    poll(world, page(unreadable=[bad("R-2")]))
    (case,) = cases()
    with transaction() as session:
        assert open_delivered(session, case) == "{}"
        forget_delivered(session, case.id)
    with reading() as session:
        assert open_delivered(session, case) is None


def test_a_large_page_that_is_mostly_unreadable_fails_as_often_as_it_comes() -> None:
    world = make_world()
    rows = [bad(f"R-{number}") for number in range(cursors.SMALL_PAGE + 1)]
    for _ in range(cursors.SMALL_FAILURES + 2):
        with pytest.raises(ProviderError):
            poll(world, page(unreadable=rows))


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
