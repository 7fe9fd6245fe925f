"""Only repairs that are possible are offered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from booking.reconcile.offered_repairs import Case, offered
from booking.states import BookingState
from tests.booking.reconcile.differences import fits, lost, one_place
from tests.books import Books
from tests.people import NOON


@pytest.mark.usefixtures("db")
def test_ours_only_can_be_asked_again_sent_again_cancelled_or_explained() -> None:
    _, found = lost(one_place(), Books())
    assert fits(found) == ["look_up", "send_again", "cancel_here", "note"]


@pytest.mark.parametrize(("early", "again"), [(timedelta(minutes=1), True), (timedelta(0), False)])
def test_it_is_sent_again_only_before_it_begins(early: timedelta, again: bool) -> None:
    case = Case("ours_only", {}, closed=False, state=BookingState.CONFIRMED, begins=NOON)
    assert ("send_again" in offered(case, now=NOON - early)) is again


@pytest.mark.parametrize(
    "case",
    [
        Case("ours_only", {}, closed=True, state=BookingState.CONFIRMED, begins=NOON + timedelta(days=1)),
        Case("commands_waiting", {}, closed=False, state=None),
    ],
)
def test_nothing_is_offered_of_what_is_closed_or_closes_itself(case: Case) -> None:
    assert offered(case, now=NOON) == []
