"""Every move of the state table, allowed and not, and what each does to quota and places."""

from __future__ import annotations

import itertools
import re

import pytest
from sqlalchemy import select, text

from booking.deadlines import report_due
from booking.proposal import EXPIRED, Proposal
from booking.states import (
    AT_PROVIDER,
    BEGUN,
    CANCELLABLE,
    DEAD,
    GIVEN_UP,
    LEGAL,
    LIVE,
    MOVABLE,
    OVER,
    STATE_OF,
    SUBMITTED,
    UNDECIDED,
    BookingState,
    legal,
    live_states_sql,
)
from booking.transition import IllegalMove
from marketplace.core.database.db import reading, transaction
from providers.sandbox import bookings
from tests.people import NOON, counters
from tests.world import EIGHT, World, booking_row, go, history, make_world, taken

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]
S = BookingState

PATHS: dict[BookingState, list[BookingState]] = {
    S.HELD: [],
    S.AWAITING_PROVIDER: [S.AWAITING_PROVIDER],
    S.OUTCOME_UNKNOWN: [S.AWAITING_PROVIDER, S.OUTCOME_UNKNOWN],
    S.CONFIRMED: [S.CONFIRMED],
    S.CHECKED_IN: [S.CONFIRMED, S.CHECKED_IN],
    S.IN_SERVICE: [S.CONFIRMED, S.IN_SERVICE],
    S.FULFILLED: [S.CONFIRMED, S.FULFILLED],
    S.NO_SHOW: [S.CONFIRMED, S.NO_SHOW],
    S.REJECTED: [S.AWAITING_PROVIDER, S.REJECTED],
    S.EXPIRED: [S.EXPIRED],
    S.CANCELLED: [S.CANCELLED],
    S.ENTERED_IN_ERROR: [S.ENTERED_IN_ERROR],
}
USED = {S.FULFILLED, S.NO_SHOW}


def in_state(state: BookingState) -> tuple[World, str]:
    world = make_world(quantity=1)
    public_id = world.hold()
    go(public_id, *PATHS[state])
    return world, public_id


def expected(state: BookingState) -> dict[str, int]:
    """Where the one unit is in a state that was reached by PATHS."""
    if state in GIVEN_UP:
        return {"available": 1, "reserved": 0, "used": 0}
    if state in USED:
        return {"available": 0, "reserved": 0, "used": 1}
    return {"available": 0, "reserved": 1, "used": 0}


def where_the_unit_is(world: World) -> dict[str, int | None]:
    found = counters(world.entitlement.id)
    return {name: found[name] for name in ("available", "reserved", "used")}


def test_the_table_is_the_designs() -> None:
    assert {(a.value, b.value) for a in LEGAL for b in LEGAL[a]} == {
        ("held", "awaiting_provider"), ("held", "confirmed"), ("held", "expired"), ("held", "cancelled"),
        ("awaiting_provider", "confirmed"), ("awaiting_provider", "rejected"),
        ("awaiting_provider", "outcome_unknown"), ("awaiting_provider", "cancelled"),
        ("outcome_unknown", "awaiting_provider"), ("outcome_unknown", "confirmed"),
        ("outcome_unknown", "rejected"), ("outcome_unknown", "cancelled"),
        ("confirmed", "checked_in"), ("confirmed", "in_service"), ("confirmed", "fulfilled"),
        ("confirmed", "no_show"), ("confirmed", "cancelled"),
        ("checked_in", "in_service"), ("checked_in", "fulfilled"), ("checked_in", "cancelled"),
        ("in_service", "fulfilled"), ("in_service", "cancelled"),
        ("no_show", "checked_in"), ("no_show", "fulfilled"),
        ("fulfilled", "in_service"),
    }  # fmt: skip


def test_the_sets_of_states_divide_them_all() -> None:
    every = frozenset(S)
    for parts in [(UNDECIDED, AT_PROVIDER, GIVEN_UP), (LIVE, OVER), (UNDECIDED, {S.CONFIRMED}, BEGUN, OVER)]:
        assert frozenset().union(*parts) == every and sum(map(len, parts)) == len(every)
    assert frozenset(S(state) for state in USED) == OVER - GIVEN_UP
    assert (
        frozenset(state for state in S if not any(legal(state, to) for to in every - {S.ENTERED_IN_ERROR})) == GIVEN_UP
    )
    assert LIVE - BEGUN - {S.HELD} == SUBMITTED and SUBMITTED - {S.OUTCOME_UNKNOWN} == MOVABLE


def test_a_provider_lets_cancel_what_is_booked_there_and_has_not_begun() -> None:
    assert {STATE_OF[status] for status in CANCELLABLE} == MOVABLE
    assert all(legal(STATE_OF[status], S.CANCELLED) for status in CANCELLABLE)
    assert frozenset(bookings.CANCELLABLE) == CANCELLABLE, "and so does the provider that we try against"
    assert {STATE_OF[status] for status in DEAD} == GIVEN_UP & set(STATE_OF.values())


def test_the_database_holds_live_the_same_states() -> None:
    with reading() as session:
        written = session.scalar(
            text(
                "SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d JOIN pg_attribute a"
                " ON a.attrelid = d.adrelid AND a.attnum = d.adnum"
                " WHERE d.adrelid = 'booking'::regclass AND a.attname = 'live'"
            )
        )
    assert re.findall(r"'(\w+)'::", written or "") == re.findall(r"'(\w+)'", live_states_sql())


@pytest.mark.parametrize(
    ("state", "to"), [(a, b) for a, b in itertools.product(S, S) if a in SUBMITTED and legal(a, b)]
)
def test_a_proposal_lasts_as_long_as_the_booking_waits_for_its_day(state: BookingState, to: BookingState) -> None:
    world, public_id = in_state(state)
    slot = world.slots[1]
    with transaction() as session:
        proposal = Proposal(
            public_id="prp_1",
            booking_id=booking_row(public_id).id,
            slot_ref=slot.external_ref,
            service_date=slot.service_date,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            expires_at=EIGHT,
            made_at=NOON,
        )
        session.add(proposal)
    go(public_id, to)
    with reading() as session:
        assert session.scalars(select(Proposal.state)).one() == ("open" if to in SUBMITTED else EXPIRED)


def test_a_report_is_expected_once_the_service_is_done() -> None:
    _, public_id = in_state(S.IN_SERVICE)
    assert (booking_row(public_id).report_state, booking_row(public_id).report_due_at) == ("none", None)
    go(public_id, S.FULFILLED)
    kept = booking_row(public_id)
    assert (kept.report_state, kept.report_due_at) == ("expected", report_due(kept, NOON))
    assert kept.report_due_at is not None and kept.report_due_at > NOON


@pytest.mark.parametrize(("state", "to"), [pair for pair in itertools.product(PATHS, S) if not legal(*pair)])
def test_an_illegal_move_is_refused_and_changes_nothing(state: BookingState, to: BookingState) -> None:
    world, public_id = in_state(state)
    before, lines = booking_row(public_id), history(public_id)
    with pytest.raises(IllegalMove):
        go(public_id, to)
    after = booking_row(public_id)
    assert (after.state, after.version, history(public_id)) == (before.state, before.version, lines)
    assert where_the_unit_is(world) == expected(state)


@pytest.mark.parametrize(("state", "to"), [pair for pair in itertools.product(PATHS, S) if legal(*pair)])
def test_a_legal_move_writes_history_ledger_and_claims(state: BookingState, to: BookingState) -> None:
    world, public_id = in_state(state)
    version = booking_row(public_id).version
    go(public_id, to)
    kept = booking_row(public_id)
    assert (kept.state, kept.version) == (to, version + 1)
    assert history(public_id)[-1] == to.value
    if (state is S.FULFILLED and to is S.IN_SERVICE) or (state is S.NO_SHOW and to is S.CHECKED_IN):
        assert where_the_unit_is(world) == {"available": 0, "reserved": 0, "used": 1}
    else:
        assert where_the_unit_is(world) == expected(to)
    assert taken(world.slots[0]) == (0 if to in GIVEN_UP else 1)


@pytest.mark.parametrize("state", sorted(LIVE))
def test_every_live_state_holds_place_and_quota(state: BookingState) -> None:
    world, _ = in_state(state)
    assert (taken(world.slots[0]), counters(world.entitlement.id)["reserved"]) == (1, 1)


def test_a_reopened_booking_is_not_used_twice() -> None:
    world, public_id = in_state(S.FULFILLED)
    go(public_id, S.IN_SERVICE, S.FULFILLED)
    assert where_the_unit_is(world) == {"available": 0, "reserved": 0, "used": 1}


def test_a_no_show_that_uses_nothing_gives_back_and_a_dispute_takes_again() -> None:
    world = make_world(quantity=1)
    with transaction() as session:
        session.execute(text("UPDATE entitlement SET no_show_uses = false"))
    public_id = world.hold()
    go(public_id, S.CONFIRMED, S.NO_SHOW)
    assert where_the_unit_is(world) == {"available": 1, "reserved": 0, "used": 0}
    go(public_id, S.FULFILLED)
    assert where_the_unit_is(world) == {"available": 0, "reserved": 0, "used": 1}


def test_an_error_is_undone_from_any_state_and_once_only() -> None:
    world, public_id = in_state(S.FULFILLED)
    go(public_id, S.ENTERED_IN_ERROR, actor="operator")
    assert where_the_unit_is(world) == {"available": 1, "reserved": 0, "used": 0}
    with pytest.raises(IllegalMove):
        go(public_id, S.ENTERED_IN_ERROR, actor="operator")
