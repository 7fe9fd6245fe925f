"""That a provider answers more slowly than usual, as it is shown. Who does is found by booking.health.slowly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SlowReason(StrEnum):
    """Why a provider answers slowly: an operator paused it; its system is not reached; it does not take what is sent;
    its people or programs take longer than usual."""

    PAUSED = "paused"
    NOT_REACHED = "not_reached"
    NOT_TAKEN = "not_taken"
    SLOWER = "slower"


@dataclass(frozen=True)
class AnswersSlowly:
    """Since when, and why."""

    since: datetime
    reason: SlowReason


def answers_slowly(since: datetime | None, reason: str | None) -> AnswersSlowly | None:
    """What a provider's row says; None where there is nothing to say, and of a reason that this release does not
    know."""
    if since is None or reason not in list(SlowReason):
        return None
    return AnswersSlowly(since, SlowReason(reason))
