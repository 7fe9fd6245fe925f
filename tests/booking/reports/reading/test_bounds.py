"""Bounds are read in every spelling that laboratories use, and not at all where two readings are possible."""

from __future__ import annotations

import pytest

from booking.reports.reading.bounds import Bounds
from booking.reports.reading.ranges import reference_of


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("3.9-6.1", Bounds(3.9, 6.1)),
        ("6.1~3.9", Bounds(3.9, 6.1)),
        ("3.9至6.1", Bounds(3.9, 6.1)),
        ("[3.9, 6.1]", Bounds(3.9, 6.1)),
        ("5±2", Bounds(3, 7)),
        ("(-3)-(+3)", Bounds(-3, 3)),
        ("between 3.9 and 6.1", Bounds(3.9, 6.1)),
        ("3.9≤x<6.1", Bounds(3.9, 6.1, high_open=True)),
        (">3.9且≤6.1", Bounds(3.9, 6.1, low_open=True)),
        ("<5.2", Bounds(None, 5.2, high_open=True)),
        ("不超过5.2", Bounds(None, 5.2)),
        ("≥30", Bounds(30, None)),
        ("5.2以下", Bounds(None, 5.2)),
        ("30 or more", Bounds(30, None)),
        ("30-", Bounds(30, None)),
        ("~5.2", Bounds(None, 5.2)),
        ("1,500-4,500", Bounds(1500, 4500, unsure=True)),
    ],
)
def test_bounds_are_read_in_every_spelling(text: str, bounds: Bounds) -> None:
    assert reference_of(text, "female", 40, "").bounds == bounds


@pytest.mark.parametrize("text", ["0-0", "-5--3"])
def test_an_empty_field_and_what_has_two_readings_have_no_bounds(text: str) -> None:
    assert reference_of(text, "female", 40, "").bounds is None
