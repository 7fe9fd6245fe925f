"""Where things stand in charts."""

from __future__ import annotations

from math import inf

import pytest

from marketplace.web.consultation_figures import charts
from marketplace.web.consultation_figures.charts import SCALE, Item, Reach

WORDS = [str(line) for line in SCALE] + ["never"]


def item(share: float | None) -> Item:
    return Item("a", share, "", "/rows", "a")


def reach(*seconds: float | None) -> Reach:
    return Reach("9:00", seconds, "/rows", "a")  # type: ignore[arg-type]


def test_a_column_is_as_high_as_its_share() -> None:
    drawn = charts.columns("t", "d", [item(1.0), item(0.5), item(0.0), item(None)], [(0, "0"), (1, "1")])
    whole, half, none, unknown = drawn.columns
    assert (whole.y, whole.y + whole.height) == (drawn.head, drawn.base)
    assert half.height * 2 == whole.height and none.height == unknown.height == 0
    assert [y for y, _words in drawn.grid] == [drawn.base, drawn.head]


@pytest.mark.parametrize("number", [1, 2, 7, 24, 92])
def test_columns_lie_side_by_side_within_the_picture(number: int) -> None:
    drawn = charts.columns("t", "d", [item(0.5)] * number, [])
    for one, next_ in zip(drawn.columns, drawn.columns[1:], strict=False):
        assert one.x + one.width <= next_.x
    assert drawn.columns[0].x >= drawn.left and drawn.columns[-1].x + drawn.columns[-1].width <= drawn.width
    assert 1 <= len(drawn.labels) <= 5


def test_a_longer_time_stands_higher_and_never_above_all() -> None:
    drawn = charts.times("t", "d", [reach(5.0, 90.0, 400.0), reach(1.0, 10.0, inf), reach(None, None, None)], 90, WORDS)
    late, never, nothing = drawn.points
    assert late.marks[0] > late.marks[1] > late.marks[2] > drawn.never  # type: ignore[operator]
    assert late.marks[1] == drawn.promise and never.marks[2] == drawn.never and nothing.marks == ()
    assert (drawn.never, "never") in drawn.grid


def test_without_any_that_was_never_answered_there_is_no_place_for_it() -> None:
    drawn = charts.times("t", "d", [reach(0.0, 20.0, 30.0)], 90, WORDS)
    assert drawn.never is None and "never" not in [words for _y, words in drawn.grid]
    assert drawn.points[0].marks[0] == drawn.base, "less than a second stands on the line"
    assert [words for _y, words in drawn.grid] == ["1", "10", "30", "90", "300"]


def test_a_day_and_more_is_as_high_as_a_day() -> None:
    drawn = charts.times("t", "d", [reach(90_000.0, 100_000.0, 200_000.0)], 90, WORDS)
    assert set(drawn.points[0].marks) == {drawn.grid[-1][0]}


def test_bars_are_as_long_as_their_share() -> None:
    drawn = charts.bars("t", "d", [item(1.0), item(0.25), item(None)])
    assert [it.length for it in drawn.bars] == [drawn.width, drawn.width / 4, 0]
    assert drawn.height == 3 * drawn.step


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("全科", "全科"),
        ("General practice", "General practice"),
        ("儿" * 23, "儿" * 23),
        ("儿" * 24, "儿" * 22 + "…"),
        ("x" * 200, "x" * 40 + "…"),
    ],
)
def test_a_name_never_runs_into_its_figure(name: str, shown: str) -> None:
    [bar] = charts.bars("t", "d", [Item(name, 1.0, "100%", "/rows", name)]).bars
    assert (bar.label, bar.says) == (shown, name)
