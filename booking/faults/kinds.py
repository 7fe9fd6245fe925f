"""The kinds of faults that a rehearsal can have strike a test booking."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What goes wrong. The values are stored, and stand in the API and in commands."""

    LOST_ANSWER = "lost_answer"
    """What was sent is carried out, and its answer never arrives."""
    DUPLICATE = "duplicate"
    """Everything comes twice, under the same id."""
    OUT_OF_ORDER = "out_of_order"
    """The newest webhook of a booking comes first."""
    CLOCK_SKEW = "clock_skew"
    """A webhook is signed for ten minutes ago or ahead, and then sent right."""
    GONE = "gone"
    """The customer cancels just before the booking is answered."""
    LATE = "late"
    """Webhook and answer come late, and the customer cancels meanwhile."""


OF_SYSTEMS = (Kind.LOST_ANSWER, Kind.DUPLICATE)
"""The kinds that can strike a command to a system that we call; the others are about webhooks and the partner API."""
