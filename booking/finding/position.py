"""Where somebody is, as she lets her device tell: used for one answer, in no address, no log and no table."""

from __future__ import annotations

import re

from marketplace.core.errors import Invalid
from marketplace.core.sphere import Position

HEADER = "Near"
"""The header of a request that carries it, as `Near: 30.246,120.210`: latitude and longitude in degrees (WGS 84)."""

_DECIMALS = 3  # about a hundred metres: enough to sort places by, too little to find a door
_FORM = re.compile(r"\s*(-?\d{1,3}(?:\.\d{1,12})?)\s*,\s*(-?\d{1,3}(?:\.\d{1,12})?)\s*", re.ASCII)


def read_position(value: str) -> Position | None:
    """The position in a header, rounded; None for a blank one. Raises Invalid(field=HEADER)."""
    if not value.strip():
        return None
    read = _FORM.fullmatch(value)
    if read is None:
        raise Invalid(field=HEADER, reason="bad_position")
    latitude, longitude = (round(float(part), _DECIMALS) for part in read.groups())
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise Invalid(field=HEADER, reason="bad_position")
    return Position(latitude, longitude)
