"""How long calls took, in steps: what a percentile tells is wrong by 9 % at the most."""

from __future__ import annotations

import random

import pytest

from booking.health import histogram

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("part", [0.5, 0.95, 0.99])
def test_a_percentile_is_within_nine_percent(part: float) -> None:
    chance = random.Random(7)
    times = sorted(chance.lognormvariate(6, 1.2) + 1.2 for _ in range(4_000))
    told = histogram.percentile(histogram.counted(times), part)
    exact = times[int(part * len(times)) - 1]
    assert told is not None
    assert abs(told / exact - 1) <= 0.0905


def test_what_is_summed_tells_what_all_of_it_tells() -> None:
    first, second = [3.0, 40.0, 800.0], [5.0, 90_000.0]
    assert histogram.summed((histogram.counted(first), histogram.counted(second))) == histogram.counted(first + second)


def test_nothing_counted_is_nothing_known() -> None:
    assert histogram.percentile([], 0.5) is None
    assert histogram.percentile([0, 0], 0.5) is None


def test_the_longest_and_the_shortest_have_a_step() -> None:
    assert histogram.step(0.0) == 0
    assert histogram.step(1e15) == histogram.LAST
    assert len(histogram.counted([1e15])) == histogram.LAST + 1


@pytest.mark.parametrize("limit", [1.0, 60_000.0, 900_000.0, 1e9])
def test_what_took_a_limit_begins_at_a_step_within_9_per_cent_of_it(limit: float) -> None:
    first = histogram.first_step(limit)
    assert histogram.step(limit * 1.19) >= first > histogram.step(limit / 1.2) or limit == 1.0
    assert histogram.first_step(1e15) == histogram.LAST + 1
