"""How long somebody takes from one place to another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.escort.matching import travel
from booking.escort.matching.travel import LARGEST, VERY_LARGE, Stop, city_seconds, travel_seconds
from marketplace.core.sphere import Position, metres

ONE, OTHER = Position(30.25, 120.16), Position(30.30, 120.25)
_PLACES = st.builds(Stop, st.integers(1, 3), st.none() | st.builds(Position, st.floats(20, 50), st.floats(80, 130)))


@pytest.mark.parametrize(
    ("one", "other", "city", "seconds"),
    [
        (Stop(1, ONE), Stop(1, ONE), "杭州市", 600),
        (Stop(1), Stop(1), "杭州市", 600),  # the same place, wherever that is
        (Stop(1, ONE), Stop(2, ONE), "杭州市", 900),  # next door
        (Stop(1, ONE), Stop(2), "杭州市", 3000),
        (Stop(1), Stop(2, ONE), "北京市", 3600),
        (Stop(), Stop(2), "衢州市", 2400),
        (Stop(), Stop(), "衢州市", 2400),  # two homes are not one place
        (Stop(1, ONE), Stop(2, OTHER), "杭州市", 900 + 2590),  # 10,277 m, times 1.4, at 20 km/h, rounded up
    ],
)
def test_the_way_takes_so_long(one: Stop, other: Stop, city: str, seconds: int) -> None:
    assert travel_seconds(one, other, city) == seconds


@given(_PLACES, _PLACES)
def test_the_way_back_is_as_long_and_never_shorter_than_the_fixed_part(one: Stop, other: Stop) -> None:
    there = travel_seconds(one, other, "杭州市")
    assert there == travel_seconds(other, one, "杭州市")
    assert there >= (travel.SAME_PLACE_SECONDS if one.place == other.place else travel.FIXED_SECONDS)
    if one.position and other.position and one.place != other.place:
        assert there >= metres(one.position, other.position) / travel.METRES_A_SECOND


def test_a_city_is_of_one_size_and_the_larger_one_takes_longer() -> None:
    assert not LARGEST & VERY_LARGE
    assert (len(LARGEST), len(VERY_LARGE)) == (7, 14)
    assert city_seconds("衢州市") < city_seconds("武汉市") < city_seconds("上海市")
