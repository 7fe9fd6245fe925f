"""Coordinates as map apps copy them, as a position. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from marketplace.core.errors import Invalid
from marketplace.core.sphere import Position

LONGEST = 80
Axis = Literal["latitude", "longitude"]
LATITUDE: Axis = "latitude"
LONGITUDE: Axis = "longitude"
_AXES = {"N": (LATITUDE, 1), "S": (LATITUDE, -1), "E": (LONGITUDE, 1), "W": (LONGITUDE, -1)}
_LETTERS = (
    (re.compile("北纬|纬度|latitude|lat", re.IGNORECASE), "N"),
    (re.compile("东经|经度|longitude|lng|lon", re.IGNORECASE), "E"),
    (re.compile("南纬"), "S"),
    (re.compile("西经"), "W"),
    (re.compile("[″”]|′′|''|秒"), '"'),
    (re.compile("[′’‘分]"), "'"),
    (re.compile("[º˚度]"), "°"),
    (re.compile("[、;；/]"), ","),
)
_PART = (
    r"(?P<before{n}>[NSEW])?\s*[:=]?\s*(?P<sign{n}>[-+])?(?P<degrees{n}>[0-9]{{1,3}}(?:\.[0-9]{{1,15}})?)\s*"
    r"(?:°\s*(?:(?P<minutes{n}>[0-9]{{1,2}}(?:\.[0-9]{{1,12}})?)\s*'\s*"
    r"(?:(?P<seconds{n}>[0-9]{{1,2}}(?:\.[0-9]{{1,12}})?)\s*\"\s*)?)?)?(?P<after{n}>[NSEW])?"
)
_BOTH = re.compile(rf"{_PART.format(n=1)}(?:\s*,\s*|\s+){_PART.format(n=2)}")


def read_position(said: str) -> Position:
    """`30.2604, 120.1501`, also with degree signs, minutes and seconds, N or 北纬. Without such a letter latitude comes
    first, unless it can't be one. Raises Invalid(field="coordinates")."""
    if not said.strip():
        raise Invalid(field="coordinates", reason="required")
    text = said.strip().removeprefix("geo:").strip("()[]（）")[:LONGEST]
    for pattern, plain in _LETTERS:
        text = pattern.sub(plain, text)
    found = _BOTH.fullmatch(unicodedata.normalize("NFKC", text).strip().upper())
    if found is None or len(said) > LONGEST:
        raise Invalid(field="coordinates", reason="bad_position")
    (first_is, first), (second_is, second) = (_part(found, number) for number in (1, 2))
    turned = (first_is, second_is) == (LONGITUDE, LATITUDE)
    if first_is is None and second_is is None:
        turned = abs(first) > 90
    elif not turned and (first_is, second_is) != (LATITUDE, LONGITUDE):
        raise Invalid(field="coordinates", reason="bad_position")
    latitude, longitude = (second, first) if turned else (first, second)
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise Invalid(field="coordinates", reason="bad_position")
    return Position(latitude, longitude)


def _part(found: re.Match[str], number: int) -> tuple[Axis | None, float]:
    """Which of the two it says that it is, None where it doesn't, and its degrees."""
    before, sign, degrees, minutes, seconds, after = (
        found[f"{name}{number}"] for name in ("before", "sign", "degrees", "minutes", "seconds", "after")
    )
    if (before and after) or float(minutes or 0) >= 60 or float(seconds or 0) >= 60:
        raise Invalid(field="coordinates", reason="bad_position")
    value = float(degrees) + float(minutes or 0) / 60 + float(seconds or 0) / 3600
    value *= -1 if sign == "-" else 1
    if not before and not after:
        return None, value
    axis, towards = _AXES[before or after]
    return axis, value * towards
