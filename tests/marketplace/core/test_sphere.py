"""Distances on a sphere, by known ones."""

from __future__ import annotations

import pytest

from marketplace.core.sphere import Position, metres

BEIJING, SHANGHAI = Position(39.9042, 116.4074), Position(31.2304, 121.4737)


@pytest.mark.parametrize(
    ("one", "other", "way"),
    [
        (BEIJING, BEIJING, 0),
        (BEIJING, SHANGHAI, 1_067_300),
        (Position(0, 0), Position(0, 90), 10_007_557),
        (Position(90, 0), Position(-90, 77), 20_015_115),
        (Position(30, 179.999), Position(30, -179.999), 193),
    ],
)
def test_the_way_is_a_great_circle_whichever_end_it_begins_at(one: Position, other: Position, way: int) -> None:
    assert metres(one, other) == metres(other, one) == pytest.approx(way, rel=0.001)
