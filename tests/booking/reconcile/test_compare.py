"""The comparison of two lists, as a table: what differs, whose word counts, and what it means for quota and money."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from booking.reconcile.compare import Found, Ours, compare, effect, leads
from booking.states import BookingState as S
from providers.reported import RemoteBooking

DAY = date(2026, 3, 10)
EIGHT = datetime(2026, 3, 10, 0, 0, tzinfo=UTC)
NINE = EIGHT + timedelta(hours=1)


def ours(state: S = S.CONFIRMED, **more: Any) -> Ours:
    values: dict[str, Any] = {"service_date": DAY, "starts_at": EIGHT, "references": {"R-1": "current"}}
    return Ours("bkg_1", state, **{**values, **more})


def theirs(status: str = "confirmed", reference: str = "R-1", **more: Any) -> RemoteBooking:
    values: dict[str, Any] = {"our_reference": "bkg_1", "version": 1, "service_date": DAY, "starts_at": EIGHT}
    return RemoteBooking(reference, status=status, **{**values, **more})  # type: ignore[arg-type]


def told(found: list[Found]) -> list[tuple[str, str, str | None]]:
    return [(each.kind, each.subject, each.repair) for each in found]


AGREE = [
    (S.AWAITING_PROVIDER, "requested"),
    (S.CONFIRMED, "confirmed"),
    (S.CHECKED_IN, "checked_in"),
    (S.IN_SERVICE, "in_service"),
    (S.FULFILLED, "fulfilled"),
    (S.NO_SHOW, "no_show"),
    (S.NO_SHOW, "confirmed"),
    (S.CANCELLED, "cancelled"),
    (S.CANCELLED, "rejected"),
    (S.REJECTED, "rejected"),
    (S.EXPIRED, "cancelled"),
    (S.ENTERED_IN_ERROR, "fulfilled"),
    (S.ENTERED_IN_ERROR, "cancelled"),
]

FOLLOW = [
    (S.AWAITING_PROVIDER, "confirmed"),
    (S.AWAITING_PROVIDER, "rejected"),
    (S.AWAITING_PROVIDER, "cancelled"),
    (S.AWAITING_PROVIDER, "fulfilled"),
    (S.CONFIRMED, "cancelled"),
    (S.CONFIRMED, "rejected"),
    (S.CONFIRMED, "checked_in"),
    (S.CONFIRMED, "fulfilled"),
    (S.CONFIRMED, "no_show"),
    (S.CHECKED_IN, "fulfilled"),
    (S.IN_SERVICE, "cancelled"),
    (S.NO_SHOW, "fulfilled"),
    (S.FULFILLED, "in_service"),
]

FOR_A_PERSON = [
    (S.CONFIRMED, "requested"),
    (S.CHECKED_IN, "confirmed"),
    (S.IN_SERVICE, "checked_in"),
    (S.FULFILLED, "confirmed"),
    (S.FULFILLED, "cancelled"),
    (S.FULFILLED, "no_show"),
    (S.NO_SHOW, "cancelled"),
    (S.CANCELLED, "fulfilled"),
    (S.EXPIRED, "in_service"),
    (S.ENTERED_IN_ERROR, "in_service"),
]


@pytest.mark.parametrize(("state", "status"), AGREE)
def test_what_agrees(state: S, status: str) -> None:
    assert compare([ours(state)], [theirs(status)]) == []


@pytest.mark.parametrize(("state", "status"), FOLLOW)
def test_where_the_providers_word_decides(state: S, status: str) -> None:
    assert told(compare([ours(state)], [theirs(status)])) == [("state_differs", "bkg_1", "follow")]
    assert leads(state, status)


@pytest.mark.parametrize(("state", "status"), FOR_A_PERSON)
def test_where_nobodys_word_decides(state: S, status: str) -> None:
    assert told(compare([ours(state)], [theirs(status)])) == [("state_differs", "bkg_1", None)]


def test_a_place_given_in_advance_is_firm_here_before_it_is_there() -> None:
    assert compare([ours(allotment=True)], [theirs("requested")]) == []


@pytest.mark.parametrize("state", [S.AWAITING_PROVIDER, S.CONFIRMED, S.CHECKED_IN, S.IN_SERVICE, S.FULFILLED])
def test_ours_only(state: S) -> None:
    assert told(compare([ours(state)], [])) == [("ours_only", "bkg_1", None)]


@pytest.mark.parametrize("state", [S.HELD, S.CANCELLED, S.EXPIRED, S.REJECTED, S.ENTERED_IN_ERROR])
def test_what_need_not_be_there(state: S) -> None:
    assert compare([ours(state)], []) == []


def test_a_list_that_broke_off_proves_nothing_missing_but_shows_what_it_shows() -> None:
    missing = Ours("bkg_2", S.CONFIRMED, DAY, EIGHT, {"R-2": "current"})
    found = compare([ours(), missing], [theirs("cancelled")], complete=False)
    assert told(found) == [("state_differs", "bkg_1", "follow")]


def test_a_booking_with_a_command_on_its_way_is_not_compared() -> None:
    assert compare([ours(busy=True)], []) == []
    assert compare([ours(busy=True)], [theirs("cancelled"), theirs(reference="R-2")]) == []


@pytest.mark.parametrize("our_reference", [None, "bkg_9"])
def test_theirs_only(our_reference: str | None) -> None:
    found = compare([ours()], [theirs(), theirs(reference="R-9", our_reference=our_reference)])
    assert told(found) == [("theirs_only", "R-9", None)]
    assert found[0].booking is None


def test_what_is_over_there_and_nobodys_is_no_difference() -> None:
    assert compare([], [theirs("cancelled", "R-9", our_reference=None), theirs("rejected", "R-8")]) == []


@pytest.mark.parametrize("state", [S.CANCELLED, S.EXPIRED, S.REJECTED, S.ENTERED_IN_ERROR])
@pytest.mark.parametrize("status", ["requested", "confirmed"])
def test_what_ended_here_and_lives_there_is_cancelled_there(state: S, status: str) -> None:
    assert told(compare([ours(state)], [theirs(status)])) == [("theirs_only", "R-1", "cancel_there")]


def test_a_booking_that_was_never_sent_cannot_be_there() -> None:
    assert told(compare([ours(S.HELD, references={})], [theirs()])) == [("theirs_only", "R-1", None)]


def test_the_same_reference_with_another_number_of_ours_is_not_our_booking() -> None:
    found = compare([ours()], [theirs(our_reference="bkg_9")])
    assert told(found) == [("ours_only", "bkg_1", None), ("theirs_only", "R-1", None)]


def test_twice_there() -> None:
    found = compare([ours()], [theirs(reference="R-2"), theirs()])
    assert told(found) == [("duplicate_there", "R-2", "cancel_there")]


def test_twice_there_and_the_surplus_was_used() -> None:
    found = compare([ours()], [theirs(), theirs("fulfilled", "R-2")])
    assert told(found) == [("duplicate_there", "R-2", None)]


def test_a_new_one_that_waits_to_replace_the_old_is_no_duplicate() -> None:
    mine = ours(references={"R-1": "current", "R-2": "pending"})
    assert compare([mine], [theirs(), theirs(reference="R-2", starts_at=NINE)]) == []


def test_a_replaced_one_that_still_lives_is_surplus() -> None:
    mine = ours(references={"R-1": "superseded", "R-2": "current"})
    assert told(compare([mine], [theirs(), theirs(reference="R-2")])) == [("duplicate_there", "R-1", "cancel_there")]


@pytest.mark.parametrize("role", ["superseded", "stray"])
def test_nobody_had_to_come_to_what_was_given_up(role: str) -> None:
    mine = ours(S.CANCELLED, references={"R-1": "current", "R-2": role})
    assert compare([mine], [theirs("cancelled"), theirs("no_show", "R-2")]) == []
    assert told(compare([mine], [theirs("no_show")])) == [("state_differs", "bkg_1", None)]


def test_a_dead_twin_is_nothing() -> None:
    assert compare([ours()], [theirs("cancelled", "R-2"), theirs()]) == []


def test_before_a_reference_is_known_the_living_one_is_ours() -> None:
    mine = ours(S.AWAITING_PROVIDER, references={})
    found = compare([mine], [theirs("cancelled", "R-0"), theirs("confirmed", "R-7")])
    assert told(found) == [("state_differs", "bkg_1", "follow")]
    assert found[0].reference == "R-7"


@pytest.mark.parametrize(
    ("mine", "remote", "differs"),
    [
        ({}, {"starts_at": NINE}, True),
        ({}, {"service_date": DAY + timedelta(days=1), "starts_at": EIGHT + timedelta(days=1)}, True),
        ({}, {"starts_at": None}, False),
        ({}, {"starts_at": None, "service_date": DAY + timedelta(days=1)}, True),
        ({"starts_at": None}, {}, False),
        ({}, {"starts_at": None, "service_date": None}, False),
        ({}, {"starts_at": EIGHT.astimezone(), "service_date": DAY}, False),
    ],
)
def test_times(mine: dict[str, Any], remote: dict[str, Any], differs: bool) -> None:
    found = compare([ours(**mine)], [theirs(**remote)])
    assert told(found) == ([("time_differs", "bkg_1", None)] if differs else [])


def test_the_time_of_what_is_over_is_not_compared() -> None:
    assert compare([ours(S.FULFILLED)], [theirs("fulfilled", starts_at=NINE)]) == []


def test_state_and_time_may_both_differ() -> None:
    found = compare([ours()], [theirs("checked_in", starts_at=NINE)])
    assert [each.kind for each in found] == ["state_differs", "time_differs"]


def test_of_what_is_listed_twice_the_newest_counts() -> None:
    assert compare([ours(S.CANCELLED)], [theirs(version=1), theirs("cancelled", version=2)]) == []
    assert compare([ours(S.CANCELLED)], [theirs("cancelled", version=2), theirs(version=1)]) == []


def test_two_empty_sides_agree() -> None:
    assert compare([], []) == []


@pytest.mark.parametrize(
    ("mine", "remote", "means"),
    [
        (ours(), [], (-1, -1)),
        (ours(), [theirs("cancelled")], (-1, -1)),
        (ours(S.NO_SHOW), [], (-1, 0)),
        (ours(S.CANCELLED), [theirs("fulfilled")], (1, 1)),
        (ours(S.CANCELLED), [theirs("no_show")], (1, 0)),
        (ours(S.CANCELLED), [theirs("confirmed")], (1, 1)),
        (ours(S.AWAITING_PROVIDER), [theirs("confirmed")], (0, 0)),
        (ours(S.FULFILLED), [theirs("no_show")], (0, -1)),
        (ours(), [theirs(), theirs(reference="R-2")], (1, 1)),
        (ours(), [theirs(starts_at=NINE)], (0, 0)),
    ],
)
def test_what_a_difference_means_for_quota_and_money(
    mine: Ours, remote: list[RemoteBooking], means: tuple[int, int]
) -> None:
    (found,) = compare([mine], remote)
    assert effect(found) == means


def test_what_nobody_knows_has_no_price() -> None:
    (found,) = compare([], [theirs(our_reference=None)])
    assert effect(found) == (0, 0)
