"""How long a worker takes from one place to another, without asking a map.

The way as the crow flies, times a factor, at a speed, and a fixed part. Where one of the two places has no coordinates,
as many have none, what is stated for the city. It is a promise to the customer, so it is on the careful side.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from marketplace.core.sphere import Position, metres

DETOUR = 1.4
"""Streets against the crow. Measured networks lie at 1.2 to 1.3 for cars (a perfect grid has 4/π = 1.27 on average);
rivers without a bridge and lines that run to the centre and out again add to that."""
METRES_A_SECOND = 20 * 1000 / 3600
"""20 km/h: a bus or taxi in the morning traffic of a large city, and what a metro leaves of its 35 km/h once one has
changed trains and walked at both ends."""
FIXED_SECONDS = 15 * 60
"""To hand over, to leave a large building, and to stand at the meeting point of the next one in time."""
SAME_PLACE_SECONDS = 10 * 60
"""From one person to the next at the same place: to hand over, and to the meeting point."""

CITY_SECONDS = 40 * 60
"""Where a place has no coordinates: the fixed part, and 6 km of the crow's way."""
VERY_LARGE_SECONDS = 50 * 60
LARGEST_SECONDS = 60 * 60
"""The same for cities in which places lie further apart: 8 km and 10 km."""
LARGEST = frozenset({"上海市", "北京市", "深圳市", "重庆市", "广州市", "成都市", "天津市"})
"""More than ten million people in the urban districts, by the census of 2020 (超大城市)."""
VERY_LARGE = frozenset(
    {
        *("武汉市", "东莞市", "西安市", "杭州市", "佛山市", "南京市", "沈阳市"),
        *("青岛市", "济南市", "长沙市", "哈尔滨市", "郑州市", "昆明市", "大连市"),
    }
)
"""Five to ten million, by the same census (特大城市)."""


@dataclass(frozen=True)
class Stop:
    """Where somebody is: a place (internal id), None for a home, and its position where that is known."""

    place: int | None = None
    position: Position | None = None


def travel_seconds(one: Stop, other: Stop, city: str) -> int:
    """Whole seconds from one stop to the other, the same both ways."""
    if one.place is not None and one.place == other.place:
        return SAME_PLACE_SECONDS
    if one.position is None or other.position is None:
        return city_seconds(city)
    return FIXED_SECONDS + ceil(metres(one.position, other.position) * DETOUR / METRES_A_SECOND)


def city_seconds(city: str) -> int:
    """What is stated for a city (its name as sites have it), for places whose way is not known."""
    if city in LARGEST:
        return LARGEST_SECONDS
    return VERY_LARGE_SECONDS if city in VERY_LARGE else CITY_SECONDS
