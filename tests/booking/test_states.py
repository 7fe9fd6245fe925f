"""The sets of states say what the table of moves says."""

from __future__ import annotations

import pytest

from booking import states
from booking.states import LEGAL, BookingState

pytestmark = pytest.mark.quick
_S = BookingState
_DISPUTES = {_S.NO_SHOW: {_S.CHECKED_IN, _S.FULFILLED}, _S.FULFILLED: {_S.IN_SERVICE}}


def test_every_state_is_live_or_over() -> None:
    assert set(BookingState) == states.LIVE | states.OVER
    assert not states.LIVE & states.OVER


def test_nothing_leads_out_of_what_is_over_save_a_dispute_or_a_reopening() -> None:
    assert {state: LEGAL[state] for state in states.OVER if LEGAL[state]} == _DISPUTES


def test_what_is_over_was_given_up_or_had_a_yes_and_its_day() -> None:
    assert states.OVER == states.GIVEN_UP | (states.AT_PROVIDER - states.LIVE)


def test_what_is_live_waits_for_a_yes_or_has_one() -> None:
    assert states.LIVE == states.UNDECIDED | (states.AT_PROVIDER & states.LIVE)
    assert states.UNDECIDED.isdisjoint(states.AT_PROVIDER)


def test_what_was_submitted_and_has_not_begun() -> None:
    assert states.LIVE - {_S.HELD} - states.BEGUN == states.SUBMITTED
    assert {_S.CHECKED_IN, _S.IN_SERVICE} == states.BEGUN
    assert states.SUBMITTED - {_S.OUTCOME_UNKNOWN} == states.MOVABLE


def test_what_was_begun_ends_in_fulfilled_or_cancelled() -> None:
    assert {to for state in states.BEGUN for to in LEGAL[state]} == {_S.IN_SERVICE, _S.FULFILLED, _S.CANCELLED}


def test_a_providers_statuses_lead_to_states_that_a_provider_can_know_of() -> None:
    assert set(states.STATE_OF.values()) == set(BookingState) - {
        _S.HELD,
        _S.OUTCOME_UNKNOWN,
        _S.EXPIRED,
        _S.ENTERED_IN_ERROR,
    }
    assert set(states.STATE_OF) >= states.DEAD | states.CANCELLABLE
    assert {states.STATE_OF[status] for status in states.DEAD} <= states.GIVEN_UP
    assert {states.STATE_OF[status] for status in states.CANCELLABLE} == states.MOVABLE
