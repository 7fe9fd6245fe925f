"""The day-capacity interface through its adapter, against the real server: what goes well."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from providers.adapters.day_capacity import DayCapacity
from providers.port import (
    Accepted,
    BadSignature,
    Change,
    Confirmed,
    NotFound,
    Refused,
    Unknown,
)
from providers.reported import RemoteBooking, RemoteSlot
from tests.providers.day_capacity.orders import all_changes, by_ours, cancel, days, wish
from tests.sandboxes import Sandbox, eventually


def test_days_are_told_without_times_and_with_all_their_places(adapter: DayCapacity, sandbox: Sandbox) -> None:
    found = days(adapter)
    assert {day.pool for day in found} == {"ORG1", "ORG2", "ORG3"}
    assert all(day.starts_at is None and day.ends_at is None and day.offered == 5 for day in found)
    assert all(day.service_date.weekday() != 6 for day in found)
    sandbox.control().set_slot(found[0].reference, closed=True)
    assert days(adapter)[0].closed
    sandbox.control().set_slot(found[0].reference)


def test_places_taken_stay_in_what_is_offered(adapter: DayCapacity, day: RemoteSlot) -> None:
    assert isinstance(adapter.reserve(wish(day)), Confirmed)
    assert next(found for found in days(adapter) if found.reference == day.reference).offered == 5


def test_a_prompt_provider_confirms_and_is_found_by_our_reference(adapter: DayCapacity, day: RemoteSlot) -> None:
    wanted = wish(day)
    answer = adapter.reserve(wanted)
    assert isinstance(answer, Confirmed)
    found = adapter.look_up(by_ours(wanted))
    assert isinstance(found, RemoteBooking)
    assert (found.reference, found.our_reference, found.status) == (answer.reference, wanted.our_reference, "confirmed")
    assert (found.service_date, found.starts_at, found.version) == (day.service_date, None, answer.version)
    assert found.updated_at is not None and abs(found.updated_at - datetime.now(UTC)) < timedelta(seconds=30)


def test_a_deliberate_provider_accepts_and_confirms_later(sandbox: Sandbox, day: RemoteSlot) -> None:
    adapter, wanted = DayCapacity(sandbox.connection("deliberate")), wish(day)
    answer = adapter.reserve(wanted)
    assert isinstance(answer, Accepted)

    def confirmed() -> bool:
        found = adapter.look_up(by_ours(wanted))
        return isinstance(found, RemoteBooking) and found.status == "confirmed" and found.version > answer.version

    assert eventually(confirmed)


def test_versions_grow_within_one_second(adapter: DayCapacity, sandbox: Sandbox, day: RemoteSlot) -> None:
    wanted = wish(day)
    seen = [adapter.reserve(wanted)]
    for action in ("check_in", "start", "fulfil"):
        assert isinstance(seen[0], Confirmed)
        sandbox.control().move(seen[0].reference, action)
        seen.append(adapter.look_up(by_ours(wanted)))
    versions = [answer.version for answer in seen if isinstance(answer, Confirmed | RemoteBooking)]
    assert versions == sorted(set(versions)) and len(versions) == 4


def test_two_orders_under_one_number_are_possible_and_the_oldest_live_is_found(
    adapter: DayCapacity, sandbox: Sandbox, day: RemoteSlot
) -> None:
    wanted = wish(day)
    first, second = adapter.reserve(wanted), adapter.reserve(wanted)
    assert isinstance(first, Confirmed) and isinstance(second, Confirmed) and first.reference != second.reference
    assert sandbox.control().live(wanted.our_reference) == 2
    everything, _ = all_changes(adapter)
    assert sum(found.our_reference == wanted.our_reference for found in everything) == 2
    assert isinstance(adapter.cancel(cancel(wanted, first.reference)), Confirmed)
    found = adapter.look_up(by_ours(wanted))
    assert isinstance(found, RemoteBooking) and found.reference == second.reference


def test_a_provider_that_refuses_a_number_twice_leaves_the_outcome_open(
    adapter: DayCapacity, sandbox: Sandbox, day: RemoteSlot
) -> None:
    sandbox.control().settings(refuse_duplicates=True)
    wanted = wish(day)
    assert isinstance(adapter.reserve(wanted), Confirmed)
    assert isinstance(adapter.reserve(wanted), Unknown)
    assert sandbox.control().live(wanted.our_reference) == 1


def test_a_day_is_never_oversold_under_threads(sandbox: Sandbox, day: RemoteSlot) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: DayCapacity(sandbox.connection()).reserve(wish(day)), range(12)))
    assert sum(isinstance(answer, Confirmed) for answer in answers) == 5
    assert {answer.code for answer in answers if isinstance(answer, Refused)} == {"sold_out"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"service_date": date(1999, 1, 1)}, "unknown_slot"),
        ({"pool": "NOWHERE"}, "unknown_slot"),
        ({"offer": "NO-SUCH"}, "closed"),
        ({"offer": "WOMEN"}, "not_eligible"),
    ],
)
def test_a_refusal_inside_200_has_its_code(
    adapter: DayCapacity, day: RemoteSlot, changes: dict[str, Any], code: str
) -> None:
    assert adapter.reserve(wish(day, **changes)) == Refused(code)


def test_cancel_gives_the_place_back_and_again_is_confirmed_again(
    adapter: DayCapacity, sandbox: Sandbox, day: RemoteSlot
) -> None:
    wanted = wish(day)
    booked = adapter.reserve(wanted)
    assert isinstance(booked, Confirmed)
    first = adapter.cancel(cancel(wanted, booked.reference))
    assert isinstance(first, Confirmed) and first.version > booked.version
    assert adapter.cancel(cancel(wanted, booked.reference)) == first
    assert sandbox.control().live(wanted.our_reference) == 0


def test_cancel_by_our_reference_cancels_every_live_order(
    adapter: DayCapacity, sandbox: Sandbox, day: RemoteSlot
) -> None:
    wanted = wish(day)
    assert adapter.cancel(cancel(wanted, None)) == NotFound()
    adapter.reserve(wanted), adapter.reserve(wanted)
    assert isinstance(adapter.cancel(cancel(wanted, None)), Confirmed)
    assert sandbox.control().live(wanted.our_reference) == 0
    assert isinstance(adapter.cancel(cancel(wanted, None)), Confirmed)


def test_cancel_of_what_is_not_there_is_not_found(adapter: DayCapacity, day: RemoteSlot) -> None:
    assert adapter.cancel(cancel(wish(day), "NO-SUCH-ORDER")) == NotFound()


def test_cancel_after_arrival_is_too_late(adapter: DayCapacity, sandbox: Sandbox, day: RemoteSlot) -> None:
    wanted = wish(day)
    booked = adapter.reserve(wanted)
    assert isinstance(booked, Confirmed)
    sandbox.control().move(booked.reference, "check_in")
    assert adapter.cancel(cancel(wanted, booked.reference)) == Refused("too_late")


def test_it_declares_that_it_cannot_change_and_does_not(adapter: DayCapacity, day: RemoteSlot) -> None:
    assert not adapter.capabilities.change and not adapter.capabilities.idempotency_keys
    answer = adapter.change(Change("k", "bkg", "R", day.reference, day.service_date, None, None))
    assert isinstance(answer, Refused)


def test_nothing_comes_by_push(adapter: DayCapacity) -> None:
    with pytest.raises(BadSignature):
        adapter.read_event({}, b"{}", datetime.now(UTC))
