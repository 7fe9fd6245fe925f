"""Coordinates as map apps copy them."""

from __future__ import annotations

import pytest

from booking.escort.workers.coordinates import LONGEST, read_position
from marketplace.core.errors import Invalid
from marketplace.core.sphere import Position


@pytest.mark.parametrize(
    "said",
    [
        "30.26,120.15",
        " 30.26, 120.15 ",
        "30.26，120.15",
        "30.26 120.15",
        "(30.26, 120.15)",
        "geo:30.26,120.15",
        "120.15,30.26",
        "30.26° N, 120.15° E",
        "120.15° E, 30.26° N",
        "N30.26 E120.15",
        "北纬30.26°，东经120.15°",
        "东经120.15 北纬30.26",
        "纬度:30.26,经度:120.15",
        "lat: 30.26, lng: 120.15",
        "30°15'36\"N 120°09'00\"E",
        "30°15′36″N, 120°09′00″E",
        "30度15分36秒, 120度9分",
        "３０.26, 120.15",
    ],
)
def test_one_place_is_read_however_it_was_copied(said: str) -> None:
    found = read_position(said)
    assert (round(found.latitude, 9), round(found.longitude, 9)) == (30.26, 120.15)


def test_the_other_halves_of_the_earth_have_their_letters_or_a_sign() -> None:
    assert read_position("33.86 S 151.2 E") == read_position("-33.86, 151.2") == Position(-33.86, 151.2)
    assert read_position("40.7N 74.0W") == Position(40.7, -74.0)


def test_without_letters_latitude_comes_first_where_it_can() -> None:
    assert read_position("43.8, 87.6") == Position(43.8, 87.6)
    assert read_position("87.6, 43.8") == Position(87.6, 43.8)
    assert read_position("90.1, 43.8") == Position(43.8, 90.1)


@pytest.mark.parametrize(
    "said",
    [
        *("30", "30.26,120.15,7", "200,300", "91,91", "30 N 31 N", "30 E 31 E", "N30N 120", "30 N 120"),
        *("nan,120", "1e2,30", "30.26.1,3", "30°61'N 120°E", "30°15'61\"N 120°E", "--30,120", "30,12O", "0x1e,120"),
        *("30.26, 120.15" + " " * LONGEST, "9" * 500),
    ],
)
def test_what_is_no_position_is_refused(said: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_position(said)
    assert refused.value.facts["reason"] == "bad_position" and refused.value.at == "coordinates"


def test_nothing_is_needed() -> None:
    with pytest.raises(Invalid) as refused:
        read_position(" ")
    assert refused.value.facts["reason"] == "required"
