"""What is asked of the customer once an escort was said to be over, and until when. Pure.

She says that it went well, or that something is wrong. Where she says nothing for SILENCE, it went well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from booking.states import BEGUN, BookingState

SILENCE = timedelta(hours=24)
"""An escort that was said to be over is done where its customer says nothing for so long."""
COMPLAIN_FOR = timedelta(days=7)
"""How long after it was done she can still say that something is wrong."""
UNPROVED = "escort_end_unproved"
"""The kind of the case that a provider says how a visit ended, and what it says was done there says otherwise. While it
is open the customer's silence says nothing, and her word settles it."""
Wrong = ("late", "left_early", "another_person", "unkind", "costs", "not_as_told", "other")
"""What may be wrong: codes, so that nothing private is written down; a person asks her for the rest."""

_OPEN = BEGUN | {BookingState.CONFIRMED}


@dataclass(frozen=True)
class Awaited:
    """`confirm_until`: until when she can say that it went well, None where that is not asked. `complain_until`: until
    when she can say that something is wrong, None where she can't. `complained`: a case is open."""

    confirm_until: datetime | None
    complain_until: datetime | None
    complained: bool


def awaited_of(
    state: BookingState,
    *,
    over_at: datetime | None,
    starts_at: datetime,
    done_at: datetime | None,
    complained: bool,
    now: datetime,
) -> Awaited | None:
    """What is asked, None for nothing. `over_at`: when we heard that it is over; `starts_at`: when it was to begin;
    `done_at`: when it became fulfilled. From its beginning on she can say that something is wrong, also that nobody
    came."""
    confirm = over_at + SILENCE if state in _OPEN and over_at is not None else None
    complain = None
    if state in _OPEN and now >= starts_at:
        complain = confirm or starts_at + COMPLAIN_FOR
    elif state is BookingState.FULFILLED and done_at is not None and now < done_at + COMPLAIN_FOR:
        complain = done_at + COMPLAIN_FOR
    if confirm is None and complain is None and not complained:
        return None
    return Awaited(None if complained else confirm, None if complained else complain, complained)
