"""The states of a booking and the only moves there are (one table, nothing else decides)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum


class BookingState(StrEnum):
    """`booking.state`. Changes, provider commands and reports have axes of their own."""

    HELD = "held"
    AWAITING_PROVIDER = "awaiting_provider"
    OUTCOME_UNKNOWN = "outcome_unknown"
    CONFIRMED = "confirmed"
    CHECKED_IN = "checked_in"
    IN_SERVICE = "in_service"
    FULFILLED = "fulfilled"
    NO_SHOW = "no_show"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered_in_error"


_S = BookingState

LEGAL: dict[BookingState, frozenset[BookingState]] = {
    _S.HELD: frozenset({_S.AWAITING_PROVIDER, _S.CONFIRMED, _S.EXPIRED, _S.CANCELLED}),
    _S.AWAITING_PROVIDER: frozenset({_S.CONFIRMED, _S.REJECTED, _S.OUTCOME_UNKNOWN, _S.CANCELLED}),
    _S.OUTCOME_UNKNOWN: frozenset({_S.AWAITING_PROVIDER, _S.CONFIRMED, _S.REJECTED, _S.CANCELLED}),
    _S.CONFIRMED: frozenset({_S.CHECKED_IN, _S.IN_SERVICE, _S.FULFILLED, _S.NO_SHOW, _S.CANCELLED}),
    _S.CHECKED_IN: frozenset({_S.IN_SERVICE, _S.FULFILLED, _S.CANCELLED}),
    _S.IN_SERVICE: frozenset({_S.FULFILLED, _S.CANCELLED}),
    _S.NO_SHOW: frozenset({_S.CHECKED_IN, _S.FULFILLED}),
    _S.FULFILLED: frozenset({_S.IN_SERVICE}),
    _S.REJECTED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.ENTERED_IN_ERROR: frozenset(),
}
"""Every state may besides go to ENTERED_IN_ERROR, by an administrator (see `legal`)."""

FIRST = frozenset({_S.HELD, _S.AWAITING_PROVIDER, _S.FULFILLED})
"""States in which a booking may begin: what is immediate has no slot to hold and awaits its provider at once, and what
was used before it came to us (the demonstration's past) comes as it is."""

LIVE = frozenset({_S.HELD, _S.AWAITING_PROVIDER, _S.OUTCOME_UNKNOWN, _S.CONFIRMED, _S.CHECKED_IN, _S.IN_SERVICE})
"""States that hold claims on slots and occupy the beneficiary's time."""

AT_PROVIDER = frozenset({_S.CONFIRMED, _S.CHECKED_IN, _S.IN_SERVICE, _S.FULFILLED, _S.NO_SHOW})
"""States in which the provider has said yes."""

SUBMITTED = frozenset({_S.AWAITING_PROVIDER, _S.OUTCOME_UNKNOWN, _S.CONFIRMED})
"""States of what was submitted and has not begun; in them the provider may propose another time."""

UNDECIDED = frozenset({_S.HELD, _S.AWAITING_PROVIDER, _S.OUTCOME_UNKNOWN})
"""States before the provider's yes or no."""

MOVABLE = frozenset({_S.AWAITING_PROVIDER, _S.CONFIRMED})
"""States in which a change of date can take place; one that awaits its provider has accepted the time it proposed."""

BEGUN = frozenset({_S.CHECKED_IN, _S.IN_SERVICE})
"""States in which the service has begun and is not over."""

GIVEN_UP = frozenset({_S.REJECTED, _S.EXPIRED, _S.CANCELLED, _S.ENTERED_IN_ERROR})
"""States in which place and unit have gone back."""

OVER = frozenset({_S.FULFILLED, _S.NO_SHOW, _S.REJECTED, _S.EXPIRED, _S.CANCELLED, _S.ENTERED_IN_ERROR})
"""States after which nothing more is expected, save a dispute or a reopening."""

STATE_OF: dict[str, BookingState] = {
    "requested": _S.AWAITING_PROVIDER,
    "confirmed": _S.CONFIRMED,
    "rejected": _S.REJECTED,
    "cancelled": _S.CANCELLED,
    "checked_in": _S.CHECKED_IN,
    "in_service": _S.IN_SERVICE,
    "fulfilled": _S.FULFILLED,
    "no_show": _S.NO_SHOW,
}
"""Where a booking is whose provider gives it this status (providers.reported.RemoteBooking)."""

DEAD = frozenset({"cancelled", "rejected"})
"""Statuses in which nothing is booked for us at a provider."""

CANCELLABLE = frozenset({"requested", "confirmed"})
"""Statuses from which a provider still lets us cancel; later ones are for people to settle."""


def state_at(state: BookingState, hold_expires_at: datetime | None, now: datetime) -> BookingState:
    """The state as everybody is to see it: a hold whose time is over has expired, even before the clock swept it."""
    over = hold_expires_at is not None and hold_expires_at <= now
    return BookingState.EXPIRED if state is BookingState.HELD and over else state


def legal(current: BookingState, to: BookingState) -> bool:
    """Whether the table allows the move."""
    by_administrator = to is BookingState.ENTERED_IN_ERROR and current is not to
    return by_administrator or to in LEGAL[current]


def _quoted(states: list[BookingState]) -> str:
    return ", ".join(f"'{state.value}'" for state in states)


def states_sql() -> str:
    """All states as a list of SQL literals, for the table's constraint."""
    return _quoted(list(BookingState))


def first_states_sql() -> str:
    """FIRST as a list of SQL literals, for the trigger."""
    return _quoted([state for state in BookingState if state in FIRST])


def legal_moves_sql() -> str:
    """LEGAL as a list of SQL pairs, a line for each state that can be left, for the trigger. ENTERED_IN_ERROR, where
    every state may go, is not among them."""
    lines = [
        ", ".join(f"('{state.value}', '{to.value}')" for to in BookingState if to in LEGAL[state])
        for state in BookingState
        if LEGAL[state]
    ]
    return ",\n".join(f"    {line}" for line in lines)


def live_states_sql() -> str:
    """LIVE as a list of SQL literals in a fixed order, for the generated column."""
    return _quoted([state for state in BookingState if state in LIVE])
