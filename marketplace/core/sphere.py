"""Distances on the earth, taken as a sphere."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

DIAMETER = 12_742_017.6
"""Of a sphere with the earth's mean radius, in metres."""


@dataclass(frozen=True)
class Position:
    """A point, in degrees (WGS 84)."""

    latitude: float
    longitude: float


def metres(one: Position, other: Position) -> int:
    """The way between two points as the crow flies (the haversine), in metres."""
    north = sin(radians(other.latitude - one.latitude) / 2) ** 2
    east = sin(radians(other.longitude - one.longitude) / 2) ** 2
    return round(DIAMETER * asin(sqrt(north + cos(radians(one.latitude)) * cos(radians(other.latitude)) * east)))
