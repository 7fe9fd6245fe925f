"""What a view says may be done is what the use case does: in every state, with every request, exactly at the limits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from booking.changes.cancel import CancelTooLate, NotCancellable, OnlyAdminsCancel, cancel, cancel_for
from booking.changes.reschedule import ChangeTooLate, NoChangesLeft, NotChangeable, reschedule
from booking.changes.rules import cancel_until, change_until
from booking.changes.withdraw import withdraw
from booking.models import Booking
from booking.states import BookingState
from booking.views.cards import BookingView
from booking.views.customer import booking as view
from booking.views.desk import booking_at_desk
from marketplace.core.database.db import transaction
from marketplace.core.errors import Refusal
from providers.port import Confirmed, Refused
from tests.people import NOON, make_insurer
from tests.world import FakeAdapter, World, booking_row, claim_all, go, make_world, one_pass
from vip.principal import Principal, Role

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]

A_MOMENT = timedelta(microseconds=1)
SOON = NOON + timedelta(seconds=1)
_S = BookingState

WAY: dict[BookingState, tuple[BookingState, ...]] = {
    _S.HELD: (),
    _S.EXPIRED: (_S.EXPIRED,),
    _S.CANCELLED: (_S.CANCELLED,),
    _S.AWAITING_PROVIDER: (_S.AWAITING_PROVIDER,),
    _S.OUTCOME_UNKNOWN: (_S.AWAITING_PROVIDER, _S.OUTCOME_UNKNOWN),
    _S.REJECTED: (_S.AWAITING_PROVIDER, _S.REJECTED),
    _S.CONFIRMED: (_S.CONFIRMED,),
    _S.CHECKED_IN: (_S.CONFIRMED, _S.CHECKED_IN),
    _S.IN_SERVICE: (_S.CONFIRMED, _S.IN_SERVICE),
    _S.FULFILLED: (_S.CONFIRMED, _S.FULFILLED),
    _S.NO_SHOW: (_S.CONFIRMED, _S.NO_SHOW),
    _S.ENTERED_IN_ERROR: (_S.CONFIRMED, _S.ENTERED_IN_ERROR),
}
"""How a hold comes into each state."""


def in_state(state: BookingState) -> tuple[World, str]:
    world = make_world()
    public_id = world.hold()
    go(public_id, *WAY[state])
    return world, public_id


def confirmed() -> tuple[World, str]:
    world = make_world(quantity=9)
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    return world, public_id


def at_work(role: Role) -> Principal:
    return Principal("operator", 1, f"opr_{role}", make_insurer().id, 1, "Asia/Shanghai", role)


def ask(world: World, public_id: str, slot: int = 1) -> None:
    reschedule(world.principal, public_id, world.slots[slot].public_id, now=SOON)


def changing(world: World, public_id: str) -> None:
    ask(world, public_id)


def refused(world: World, public_id: str) -> None:
    ask(world, public_id)
    one_pass(world, FakeAdapter(answers=[Refused("sold_out")]), now=SOON)


def changed(times: int) -> Callable[[World, str], None]:
    def ask_and_agree(world: World, public_id: str) -> None:
        for version, slot in zip(range(times), (1, 0, 1), strict=False):
            ask(world, public_id, slot)
            one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 2 + version)]), now=SOON)

    return ask_and_agree


def taking_back(world: World, public_id: str) -> None:
    ask(world, public_id)
    claim_all(world, now=SOON)
    withdraw(world.principal, public_id, now=SOON)


def cancelling(world: World, public_id: str) -> None:
    cancel(world.principal, public_id, now=SOON)


def cancelling_what_is_taken_back(world: World, public_id: str) -> None:
    taking_back(world, public_id)
    cancelling(world, public_id)


def nothing(world: World, public_id: str) -> None:
    pass


def seen(world: World, public_id: str, now: datetime) -> BookingView:
    return view(world.principal, public_id, now=now)


def refusal(of: Callable[[], None]) -> type[Refusal] | None:
    """What the use case is refused with; None: it was done."""
    try:
        of()
    except Refusal as no:
        return type(no)
    return None


def to_the_last_time(world: World, public_id: str, now: datetime) -> type[Refusal] | None:
    return refusal(lambda: reschedule(world.principal, public_id, world.slots[2].public_id, now=now))


@pytest.mark.parametrize("state", BookingState)
def test_a_booking_can_be_changed_in_the_states_in_which_the_view_says_so(state: BookingState) -> None:
    world, public_id = in_state(state)
    may = state is _S.CONFIRMED
    assert seen(world, public_id, SOON).can_change == may
    assert to_the_last_time(world, public_id, SOON) is (None if may else NotChangeable)


@pytest.mark.parametrize(
    ("before", "last", "limit"),
    [
        (nothing, None, ChangeTooLate),
        (refused, None, ChangeTooLate),
        (changed(2), None, ChangeTooLate),
        (changed(3), NoChangesLeft, ChangeTooLate),
        (changing, NotChangeable, NotChangeable),
        (taking_back, NotChangeable, NotChangeable),
        (cancelling, NotChangeable, NotChangeable),
        (cancelling_what_is_taken_back, NotChangeable, NotChangeable),
    ],
    ids=lambda each: getattr(each, "__name__", "possible"),
)
def test_a_confirmed_booking_can_be_changed_when_the_view_says_so(before: Any, last: Any, limit: Any) -> None:
    world, public_id = confirmed()
    before(world, public_id)
    until = change_until(booking_row(public_id))
    for now, expected in ((until, limit), (until - A_MOMENT, last)):  # what is refused changes nothing
        shown = seen(world, public_id, now)
        assert shown.can_change == (expected is None)
        assert shown.alternatives == [] or shown.can_change, "what is offered instead can be asked for"
        assert to_the_last_time(world, public_id, now) is expected


@pytest.mark.parametrize("state", BookingState)
def test_a_booking_can_be_cancelled_in_the_states_in_which_the_view_says_so(state: BookingState) -> None:
    world, public_id = in_state(state)
    with transaction() as session:  # a hold that outlasts the window, so that only its own end counts
        session.execute(
            update(Booking).where(Booking.state == _S.HELD).values(hold_expires_at=NOON + timedelta(days=9))
        )
    until = cancel_until(booking_row(public_id))
    live = state in (_S.AWAITING_PROVIDER, _S.OUTCOME_UNKNOWN, _S.CONFIRMED)
    for now, may in ((until, state is _S.HELD), (until - A_MOMENT, live or state is _S.HELD)):
        if booking_row(public_id).state is not state:
            break  # cancelled at the limit, as a hold can be
        assert seen(world, public_id, now).can_cancel == may
        no = refusal(lambda now=now: cancel(world.principal, public_id, now=now))  # type: ignore[misc]
        done = may or state is _S.CANCELLED  # asking again succeeds
        assert no is (None if done else CancelTooLate if live else NotCancellable)


@pytest.mark.parametrize("before", [nothing, changing, taking_back, refused])
def test_a_confirmed_booking_can_be_cancelled_once_whatever_change_is_asked(before: Any) -> None:
    world, public_id = confirmed()
    before(world, public_id)
    until = cancel_until(booking_row(public_id))
    assert not seen(world, public_id, until).can_cancel
    assert refusal(lambda: cancel(world.principal, public_id, now=until)) is CancelTooLate
    last = until - A_MOMENT
    assert seen(world, public_id, last).can_cancel
    cancel(world.principal, public_id, now=last)
    shown, version = seen(world, public_id, last), booking_row(public_id).version
    assert (shown.change, shown.can_cancel) == ("cancel", False)
    cancel(world.principal, public_id, now=last)
    assert booking_row(public_id).version == version, "what the view no longer offers changes nothing"


def test_a_hold_can_be_given_up_until_it_ends_even_before_it_is_swept() -> None:
    world = make_world()
    public_id = world.hold()
    ends = booking_row(public_id).hold_expires_at
    assert ends is not None
    assert not seen(world, public_id, ends).can_cancel
    with pytest.raises(NotCancellable) as no:
        cancel(world.principal, public_id, now=ends)
    assert no.value.facts["state"] == "expired"
    assert seen(world, public_id, ends - A_MOMENT).can_cancel
    cancel(world.principal, public_id, now=ends - A_MOMENT)
    assert booking_row(public_id).state is _S.CANCELLED


@pytest.mark.parametrize("role", ["agent", "admin"])
def test_nobody_cancels_a_hold_that_has_ended_at_the_desk_either(role: Role) -> None:
    world = make_world()
    public_id = world.hold()
    ends = booking_row(public_id).hold_expires_at
    assert ends is not None
    operator = at_work(role)
    assert booking_at_desk(operator, public_id, now=ends).cancelling == "over"
    assert refusal(lambda: cancel_for(operator, public_id, "duplicate", now=ends)) is NotCancellable
    assert booking_at_desk(operator, public_id, now=ends - A_MOMENT).cancelling == "open"
    assert refusal(lambda: cancel_for(operator, public_id, "duplicate", now=ends - A_MOMENT)) is None


@pytest.mark.parametrize("state", BookingState)
@pytest.mark.parametrize("role", ["agent", "admin"])
def test_the_desk_cancels_what_its_page_offers(role: Role, state: BookingState) -> None:
    _, public_id = in_state(state)
    operator, limit = at_work(role), cancel_until(booking_row(public_id))
    with transaction() as session:
        session.execute(update(Booking).where(Booking.state == _S.HELD).values(hold_expires_at=limit + A_MOMENT))
    shown = booking_at_desk(operator, public_id, now=limit).cancelling
    no = refusal(lambda: cancel_for(operator, public_id, "duplicate", now=limit))
    if state is _S.CANCELLED:
        assert (shown, no) == ("over", None)  # asking again succeeds
    else:
        assert no is {"open": None, "admins_only": OnlyAdminsCancel, "over": NotCancellable}[shown]
