"""What a provider says of one of our commands, and what applying it did: plain data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from booking.models import ProviderTask
from providers.reported import RemoteBooking

Source = Literal["answer", "look_up"]

REFUSED = "refused"
"""The fact of a command to undo a change that its provider refused: the code of that no. It is not sent again; a
look-up says what the provider holds."""


@dataclass(frozen=True)
class Evidence:
    """What a provider says of one of our commands at one time: in its answer, or when it is looked up.

    `there`: the booking as the provider reports it; None when it only says no. `refusal`: the code of its no to the
    command. `answer_by`: until when it will have decided.
    """

    source: Source
    there: RemoteBooking | None
    task: ProviderTask
    refusal: str = ""
    answer_by: datetime | None = None


class Result(StrEnum):
    """What applying evidence did."""

    CURRENT = "current"
    """It is of the provider booking that ours is: ours follows the time and the state that are reported."""
    APPLIED = "applied"
    UNCHANGED = "unchanged"
    """It is no newer than what we knew."""
    STRAY = "stray"
    """It is of a provider booking that ours is not."""
    PROVIDER_DECIDES = "provider_decides"
    """The provider has the command and will decide on it."""
    LOOK_UP = "look_up"
    """The provider refused; what it holds is to be looked up."""


UNSETTLED = frozenset({Result.PROVIDER_DECIDES, Result.LOOK_UP})
"""Results after which the command is not over yet."""


@dataclass(frozen=True)
class Outcome:
    """What settling did, for counts and logs: applied, stale, waiting, resend, stray, unmatched or unchanged."""

    what: str
    booking: str | None = None
