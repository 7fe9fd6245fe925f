"""A row that cannot be read stops no other: it is stored, counted and asked for again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from booking.discrepancies import EXPLAINED, Discrepancy
from booking.feeds import cursors
from booking.feeds.models import DeliveredRow
from booking.feeds.unreadable import (
    forget_delivered,
    open_delivered,
    record_rows,
)
from booking.models import Feed
from booking.sync.bookings import poll_bookings
from marketplace.core.database.db import reading, transaction
from providers.port import ComeBackLater, ProviderError, RetryAfter
from tests.booking.feeds.rows import MINUTE, Provider, bad, cases, cursor, page, poll, stored
from tests.keys import use_keys
from tests.people import NOON
from tests.world import booking_row, connection_to, make_world, remote

pytestmark = pytest.mark.usefixtures("db")


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
