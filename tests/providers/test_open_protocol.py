"""The open protocol through its adapter, against the real server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from providers.adapters.open_protocol import OpenProtocol
from providers.adapters.open_wire import read_slot
from providers.port import (
    Accepted,
    Confirmed,
    CursorLost,
    NotFound,
    Person,
    ProviderError,
    Refused,
    RetryAfter,
    Unknown,
)
from providers.reported import RemoteBooking, RemoteSlot
from tests.providers.wishes import bookable, by_key, cancel, change, reserve
from tests.sandboxes import Sandbox, eventually

FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)


def test_a_prompt_provider_confirms_at_once_and_is_found_by_key(adapter: OpenProtocol, slot: RemoteSlot) -> None:
    wish = reserve(slot)
    answer = adapter.reserve(wish)
    assert isinstance(answer, Confirmed) and answer.version == 1 and answer.starts_at == slot.starts_at
    found = adapter.look_up(by_key(wish))
    assert isinstance(found, RemoteBooking)
    assert (found.reference, found.status, found.our_reference) == (answer.reference, "confirmed", wish.our_reference)
    assert isinstance(adapter.look_up(replace(by_key(wish), key="")), RemoteBooking)
    assert isinstance(adapter.look_up(replace(by_key(wish), key="", reference=answer.reference)), RemoteBooking)


def test_a_deliberate_provider_accepts_and_confirms_later(sandbox: Sandbox, slot: RemoteSlot) -> None:
    adapter, wish = OpenProtocol(sandbox.connection("deliberate")), reserve(slot)
    answer = adapter.reserve(wish)
    assert isinstance(answer, Accepted) and answer.answer_by is not None

    def confirmed() -> bool:
        found = adapter.look_up(by_key(wish))
        return isinstance(found, RemoteBooking) and found.status == "confirmed" and found.version == 2

    assert eventually(confirmed)


def test_a_key_nobody_used_is_not_known(adapter: OpenProtocol, slot: RemoteSlot) -> None:
    assert adapter.look_up(by_key(reserve(slot))) == NotFound()


def test_the_same_key_from_many_threads_makes_one_booking(sandbox: Sandbox, slot: RemoteSlot) -> None:
    wish = reserve(slot)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: OpenProtocol(sandbox.connection()).reserve(wish), range(32)))
    assert len(set(answers)) == 1 and isinstance(answers[0], Confirmed)
    assert sandbox.control().live(wish.our_reference) == 1


def test_a_key_used_again_with_another_body_leaves_the_outcome_open(adapter: OpenProtocol, slot: RemoteSlot) -> None:
    wish = reserve(slot)
    assert isinstance(adapter.reserve(wish), Confirmed)
    assert isinstance(adapter.reserve(replace(wish, answers={"diet": "none"})), Unknown)


def test_capacity_is_never_oversold_under_threads(sandbox: Sandbox, slot: RemoteSlot) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: OpenProtocol(sandbox.connection()).reserve(reserve(slot)), range(40)))
    assert sum(isinstance(answer, Confirmed) for answer in answers) == slot.offered == 5
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert len(refused) == 35 and {answer.code for answer in refused} == {"sold_out"}
    taken = [b for b in sandbox.control().bookings() if b["slot"] == slot.reference and b["live"]]
    assert len(taken) == 5


def test_a_refusal_is_remembered_under_its_key(sandbox: Sandbox, adapter: OpenProtocol, slot: RemoteSlot) -> None:
    sandbox.control().set_slot(slot.reference, offered=0)
    wish = reserve(slot)
    assert adapter.reserve(wish) == Refused("sold_out", "No place is left")
    sandbox.control().set_slot(slot.reference, offered=3)
    assert adapter.reserve(wish) == Refused("sold_out", "No place is left")
    assert isinstance(adapter.reserve(reserve(slot)), Confirmed)
    assert adapter.look_up(by_key(wish)) == NotFound()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"slot": "P1@19990101T0730", "pool": "P1"}, "unknown_slot"),
        ({"slot": "nonsense"}, "unknown_slot"),
        ({"offer": "NO-SUCH-OFFER"}, "closed"),
    ],
)
def test_a_refusal_has_its_code(adapter: OpenProtocol, slot: RemoteSlot, changes: dict[str, Any], code: str) -> None:
    answer = adapter.reserve(replace(reserve(slot), **changes))
    assert isinstance(answer, Refused) and answer.code == code


def test_a_closed_slot_refuses(sandbox: Sandbox, adapter: OpenProtocol, slot: RemoteSlot) -> None:
    sandbox.control().set_slot(slot.reference, closed=True)
    answer = adapter.reserve(reserve(slot))
    assert isinstance(answer, Refused) and answer.code == "closed"


def test_an_offer_for_others_refuses_the_person(sandbox: Sandbox, adapter: OpenProtocol) -> None:
    offers = [{"code": "WOMEN-40", "sex": "female", "min_age": 40}]
    sandbox.control().add_pools([{"pool": "ZW", "offers": offers, "pattern": "four_a_day"}])
    page = adapter.slots(FIRST, LAST, None, None)
    while page.next:
        page = adapter.slots(FIRST, LAST, None, page.next)
    slot = page.slots[-1]
    assert slot.pool == "ZW"
    man = adapter.reserve(reserve(slot, offer="WOMEN-40"))
    young = adapter.reserve(reserve(slot, offer="WOMEN-40", person=Person("李丽", "female", date(2005, 1, 1))))
    right = adapter.reserve(reserve(slot, offer="WOMEN-40", person=Person("李丽", "female", date(1970, 1, 1))))
    assert isinstance(man, Refused) and man.code == "not_eligible"
    assert isinstance(young, Refused) and young.code == "not_eligible"
    assert isinstance(right, Confirmed)


def test_cancel_again_is_confirmed_again_and_gives_the_place_back(sandbox: Sandbox, slot: RemoteSlot) -> None:
    adapter, wish = OpenProtocol(sandbox.connection()), reserve(slot)
    booked = adapter.reserve(wish)
    assert isinstance(booked, Confirmed)
    first = adapter.cancel(cancel(wish, booked.reference))
    assert isinstance(first, Confirmed) and first.version == 2
    assert adapter.cancel(cancel(wish, booked.reference)) == first
    other_key = replace(cancel(wish, booked.reference), key="another key " + wish.key)
    assert adapter.cancel(other_key) == first
    assert sandbox.control().live(wish.our_reference) == 0


def test_cancel_by_our_reference_cancels_everything_live(sandbox: Sandbox, slot: RemoteSlot) -> None:
    adapter, wish = OpenProtocol(sandbox.connection()), reserve(slot)
    adapter.reserve(wish)
    adapter.reserve(replace(wish, key=wish.key + "-again"))
    assert sandbox.control().live(wish.our_reference) == 2
    assert isinstance(adapter.cancel(cancel(wish, None)), Confirmed)
    assert sandbox.control().live(wish.our_reference) == 0


def test_cancel_of_what_is_not_there_is_not_found(adapter: OpenProtocol, slot: RemoteSlot) -> None:
    assert adapter.cancel(cancel(reserve(slot), None)) == NotFound()
    assert adapter.cancel(cancel(reserve(slot), "NO-SUCH-REFERENCE")) == NotFound()


def test_cancel_after_check_in_is_too_late(sandbox: Sandbox, adapter: OpenProtocol, slot: RemoteSlot) -> None:
    wish = reserve(slot)
    booked = adapter.reserve(wish)
    assert isinstance(booked, Confirmed)
    sandbox.control().move(booked.reference, "check_in")
    answer = adapter.cancel(cancel(wish, booked.reference))
    assert isinstance(answer, Refused) and answer.code == "too_late"


def test_change_moves_the_booking_and_keeps_its_reference(sandbox: Sandbox, slot: RemoteSlot) -> None:
    adapter, wish = OpenProtocol(sandbox.connection()), reserve(slot)
    other = bookable(adapter, 500)
    booked = adapter.reserve(wish)
    assert isinstance(booked, Confirmed)
    moved = adapter.change(change(wish, booked.reference, other))
    assert moved == Confirmed(booked.reference, 2, other.starts_at)
    found = adapter.look_up(by_key(wish))
    assert isinstance(found, RemoteBooking) and found.starts_at == other.starts_at


def test_a_refused_change_leaves_the_old_date(sandbox: Sandbox, slot: RemoteSlot) -> None:
    adapter, wish = OpenProtocol(sandbox.connection()), reserve(slot)
    full = bookable(adapter, 501)
    sandbox.control().set_slot(full.reference, offered=0)
    booked = adapter.reserve(wish)
    assert isinstance(booked, Confirmed)
    answer = adapter.change(change(wish, booked.reference, full))
    assert isinstance(answer, Refused) and answer.code == "sold_out"
    found = adapter.look_up(by_key(wish))
    assert isinstance(found, RemoteBooking) and (found.starts_at, found.version) == (slot.starts_at, 1)


def test_a_wrong_key_is_no_refusal_of_the_customer(sandbox: Sandbox, slot: RemoteSlot) -> None:
    adapter = OpenProtocol(replace(sandbox.connection(), secret="wrong"))
    wish = reserve(slot)
    assert isinstance(adapter.reserve(wish), RetryAfter)
    assert isinstance(adapter.look_up(by_key(wish)), RetryAfter)
    with pytest.raises(ProviderError):
        adapter.slots(FIRST, LAST, None, None)
    assert sandbox.control().bookings(wish.our_reference) == []


def test_slots_are_told_with_zone_and_page_by_page(sandbox: Sandbox) -> None:
    adapter = OpenProtocol(sandbox.connection())
    today = datetime.now(UTC).date()
    seen: list[str] = []
    page = None
    while True:
        answer = adapter.slots(FIRST, LAST, None, page)
        assert len(answer.slots) <= 1000
        seen += [slot.reference for slot in answer.slots]
        for slot in answer.slots:
            assert slot.starts_at is not None and slot.starts_at.utcoffset() == timedelta(hours=8)
            assert slot.service_date.weekday() != 6 and slot.service_date <= today + timedelta(days=61)
        page = answer.next
        if page is None:
            break
    assert len(seen) == len(set(seen)) > 40 * 51 * 7
    assert answer.cursor is not None


def test_a_delta_brings_only_what_changed(sandbox: Sandbox, slot: RemoteSlot) -> None:
    adapter = OpenProtocol(sandbox.connection("moody"))
    page = adapter.slots(FIRST, LAST, None, None)
    while page.next:
        page = adapter.slots(FIRST, LAST, None, page.next)
    assert list(adapter.slots(FIRST, LAST, page.cursor, None).slots) == []
    sandbox.control("moody").set_slot(slot.reference, offered=1)
    sandbox.control("moody").add_pools([{"pool": "ZZ", "offers": ["BASIC"], "pattern": "day"}])
    delta = adapter.slots(FIRST, LAST, page.cursor, None)
    changed = {found.reference: found for found in delta.slots}
    assert changed[slot.reference].offered == 1
    assert {found.pool for found in delta.slots} == {slot.pool, "ZZ"} and len(changed) > 50
    whole_day = delta.slots[-1]
    assert whole_day.starts_at is None and whole_day.ends_at is None
    assert list(adapter.slots(FIRST, LAST, delta.cursor, None).slots) == []


def test_a_cursor_from_elsewhere_is_an_error(adapter: OpenProtocol) -> None:
    for cursor in ("x", "WzFd", "bnVsbA", "W10", "é"):
        with pytest.raises(CursorLost):
            adapter.slots(FIRST, LAST, cursor, None)


def test_bookings_since_a_cursor_tell_each_change(sandbox: Sandbox, slot: RemoteSlot) -> None:
    adapter, wish = OpenProtocol(sandbox.connection()), reserve(slot)
    before = adapter.bookings_since(None, None)
    while before.next:
        before = adapter.bookings_since(None, before.next)
    booked = adapter.reserve(wish)
    assert isinstance(booked, Confirmed)
    page = adapter.bookings_since(before.cursor, None)
    assert [booking.our_reference for booking in page.bookings] == [wish.our_reference]
    sandbox.control().move(booked.reference, "no_show")
    page = adapter.bookings_since(page.cursor, None)
    assert [(booking.status, booking.version) for booking in page.bookings] == [("no_show", 2)]
    assert list(adapter.bookings_since(page.cursor, None).bookings) == []


@pytest.mark.parametrize(
    ("starts_at", "ends_at"),
    [
        ("2026-03-05T08:00:00+08:00", None),
        (None, "2026-03-05T08:30:00+08:00"),
        ("2026-03-05T08:30:00+08:00", "2026-03-05T08:30:00+08:00"),
        ("2026-03-05T08:30:00+08:00", "2026-03-05T08:00:00+08:00"),
    ],
)
def test_a_slot_whose_times_are_none_is_an_error_of_the_provider(starts_at: str | None, ends_at: str | None) -> None:
    told = {"pool": "P1", "slot": "S1", "service_date": "2026-03-05", "offered": 1, "closed": False}
    assert read_slot({**told, "starts_at": None, "ends_at": None}).offered == 1
    with pytest.raises(ProviderError, match="slot"):
        read_slot({**told, "starts_at": starts_at, "ends_at": ends_at})
