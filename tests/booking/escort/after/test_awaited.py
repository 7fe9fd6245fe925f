"""What is asked of the customer, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from booking.escort.after.awaited import COMPLAIN_FOR, SILENCE, Awaited, awaited_of
from booking.states import BookingState

_S = BookingState
START = datetime(2026, 3, 10, 0, tzinfo=UTC)
OVER = START + timedelta(hours=3)
BEFORE, AFTER = START - timedelta(seconds=1), OVER + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("state", "over_at", "done_at", "now", "expected"),
    [
        (_S.CONFIRMED, None, None, BEFORE, None),
        (_S.CONFIRMED, None, None, START, Awaited(None, START + COMPLAIN_FOR, False)),  # nobody came, say
        (_S.IN_SERVICE, None, None, AFTER, Awaited(None, START + COMPLAIN_FOR, False)),
        (_S.IN_SERVICE, OVER, None, AFTER, Awaited(OVER + SILENCE, OVER + SILENCE, False)),
        (_S.FULFILLED, OVER, OVER, AFTER, Awaited(None, OVER + COMPLAIN_FOR, False)),
        (_S.FULFILLED, OVER, OVER, OVER + COMPLAIN_FOR, None),
        (_S.CANCELLED, OVER, None, AFTER, None),
        (_S.NO_SHOW, None, None, AFTER, None),
        (_S.AWAITING_PROVIDER, None, None, AFTER, None),
    ],
)
def test_what_is_asked(
    state: BookingState, over_at: datetime | None, done_at: datetime | None, now: datetime, expected: Awaited | None
) -> None:
    asked = awaited_of(state, over_at=over_at, starts_at=START, done_at=done_at, complained=False, now=now)
    assert asked == expected


def test_while_a_person_looks_into_it_nothing_else_is_asked() -> None:
    asked = awaited_of(_S.IN_SERVICE, over_at=OVER, starts_at=START, done_at=None, complained=True, now=AFTER)
    assert asked == Awaited(None, None, True)
