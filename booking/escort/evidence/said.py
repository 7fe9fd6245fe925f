"""What deeds say of the visit: the first meeting, that it is under way, that it is done. Pure."""

from __future__ import annotations

from collections.abc import Set
from typing import Literal

from booking.escort.evidence.counting import WITH_THE_PERSON
from booking.escort.evidence.kinds import ENDING, IN_SERVICE
from booking.states import BookingState

_S = BookingState

Came = Literal["checked_in", "in_service", "fulfilled"]
"""What became of the visit."""


def said_by(kinds: Set[str], state: BookingState, *, by_code: bool) -> Came | None:
    """What the kinds of deeds that were done say of a booking in this state; None for nothing new. A step that comes
    late never opens again what is over, save that who did not come has come after all.

    Hand-over and signature end the visit only where the customer had given her code (`by_code`), and no complaint of
    hers is open: a scribble on a phone and a position that it tells are the worker's word alone. Without, they say that
    it is over, and the customer's word or her silence ends it (escort.after).
    """
    ended = kinds >= ENDING
    if ended and by_code:
        return "fulfilled" if state in (_S.CONFIRMED, _S.CHECKED_IN, _S.IN_SERVICE, _S.NO_SHOW) else None
    if state is _S.NO_SHOW:
        return "checked_in" if ended or kinds & WITH_THE_PERSON else None
    if ended or kinds & IN_SERVICE:
        return "in_service" if state in (_S.CONFIRMED, _S.CHECKED_IN) else None
    return "checked_in" if "met" in kinds and state is _S.CONFIRMED else None
