"""A place as text: short, and nothing else is taken for one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from booking.live.place import LONGEST, Place, parse, place_of
from tests.people import NOON

PLACE = Place(1_000_000, (999_990, 999_999), "abc123", NOON)


@pytest.mark.parametrize(
    "place", [PLACE, Place(5, (), "", NOON), Place(2**62, tuple(range(2**62 - 300, 2**62)), "x" * 12, NOON)]
)
def test_it_comes_back_as_it_was(place: Place) -> None:
    assert parse(place.text(), now=NOON) == place
    assert place_of(place.snapshot, place.history, NOON) == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "-",
        "---",
        "abc-1-2-3-4",
        f"-{int(NOON.timestamp())}-10-11",
        f"-{int(NOON.timestamp())}-10-0",
        f"-{int(NOON.timestamp())}-{2**63}-",
        f"-{int(NOON.timestamp())}-10-1.",
        f"-{int(NOON.timestamp())}-１０-1",
        f"-{int(NOON.timestamp())}-10-1\n",
        "-99999999999-10-1",
        "9" * (LONGEST + 1),
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    assert parse(text, now=NOON) is None


def test_one_from_the_future_is_refused() -> None:
    assert parse(PLACE.text(), now=NOON - timedelta(minutes=2)) is None


def test_one_that_would_be_too_long_has_no_text() -> None:
    many = Place(10**9, tuple(range(0, 10**9, 10**6)), "", NOON)
    assert many.text() == ""
