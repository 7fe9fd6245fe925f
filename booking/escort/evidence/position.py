"""Whether a phone was near the hospital: how far away it was is compared and forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Position = Literal["within", "away", "not_checkable"]

NEAR_METRES = 300
"""Within so far of the hospital's coordinates a phone is there."""

POOREST_METRES = 200
"""A position that may be further off than this proves nothing either way."""

FARTHEST_METRES = 20_100_000
"""More than half way around the earth."""


@dataclass(frozen=True)
class Measured:
    """What a phone measured: how far the hospital's coordinates are, None where it could not know, and how far off that
    may be (the radius of 95 %, as devices give it), None where it had no position. Where it was it tells nobody."""

    distance_m: int | None
    accuracy_m: int | None


def judged(measured: Measured, *, has_coordinates: bool) -> Position:
    """Whether the phone was within NEAR_METRES of the hospital. `not_checkable` where the hospital has no coordinates,
    the phone no position, or one that is worse than POOREST_METRES."""
    if not has_coordinates or measured.distance_m is None or measured.accuracy_m is None:
        return "not_checkable"
    if measured.accuracy_m > POOREST_METRES:
        return "not_checkable"
    return "within" if measured.distance_m <= NEAR_METRES else "away"
