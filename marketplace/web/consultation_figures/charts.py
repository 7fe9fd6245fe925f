"""Charts as numbers: where columns, bars and points stand in a picture, in its own units.

A template draws them (macros/charts.html) by attributes alone, which the content policy allows. Each column, bar and
hour is a link to what it counts, and says in words what it shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log10
from unicodedata import east_asian_width

WIDTH = 340
"""Of every chart: as wide as a telephone shows without scaling it down."""
LEFT, RIGHT, HEAD, FOOT, TALL = 48, 6, 12, 24, 180
"""The margins of columns and times, and how high they are."""
BAR_STEP, BAR_THICK = 34, 10
"""A line of bars: how far from one to the next, and how thick it is."""
FIGURE, WIDE, NARROW = 64, 12, 6.6
"""The room of a bar's figure, and how wide a Chinese and another sign of its name are."""
SCALE = (1, 10, 30, 90, 300, 1_800, 7_200, 21_600, 86_400)
"""Seconds that the scale of times may have lines at; it is logarithmic."""


@dataclass(frozen=True)
class Item:
    """One thing to show. `share`: between 0 and 1, None where there is nothing to show; `figure` is the same as it is
    read; `url` leads to what it counts, and `says` what it is."""

    label: str
    share: float | None
    figure: str
    url: str
    says: str


@dataclass(frozen=True)
class Column:
    """An upright bar from `y` down; `height` 0 where there is nothing. `left` and `step` are its place's."""

    left: float
    step: float
    x: float
    width: float
    y: float
    height: float
    url: str
    says: str


@dataclass(frozen=True)
class Columns:
    """Upright bars from 0 to 100 %. `grid`: lines and what they mean; `labels`: below, with their anchor."""

    title: str
    description: str
    columns: tuple[Column, ...]
    grid: tuple[tuple[float, str], ...]
    labels: tuple[tuple[float, str, str], ...]
    width: int = WIDTH
    height: int = TALL
    left: int = LEFT
    head: int = HEAD
    base: int = TALL - FOOT


@dataclass(frozen=True)
class Bar:
    """A lying bar below its words, as long as its share of the longest."""

    y: float
    length: float
    label: str
    figure: str
    url: str
    says: str


@dataclass(frozen=True)
class Bars:
    """Lying bars, one below the other."""

    title: str
    description: str
    bars: tuple[Bar, ...]
    height: int
    width: int = WIDTH
    thick: int = BAR_THICK
    step: int = BAR_STEP


@dataclass(frozen=True)
class Reach:
    """The times of one hour: half, nine in ten and 99 in 100 came within so many seconds; infinite where it falls on
    one that was never answered, None where there is none."""

    label: str
    seconds: tuple[float | None, float | None, float | None]
    url: str
    says: str


@dataclass(frozen=True)
class Point:
    """The marks of an hour, the shortest first, at their heights; none where nothing is known."""

    left: float
    step: float
    middle: float
    marks: tuple[float, ...]
    url: str
    says: str


@dataclass(frozen=True)
class Times:
    """Times by the hour on a logarithmic scale. `promise`: the height of what was promised; `never`: the height of what
    was never answered, None where that is not drawn."""

    title: str
    description: str
    points: tuple[Point, ...]
    grid: tuple[tuple[float, str], ...]
    labels: tuple[tuple[float, str, str], ...]
    promise: float
    never: float | None
    width: int = WIDTH
    height: int = TALL
    left: int = LEFT
    base: int = TALL - FOOT


def columns(title: str, description: str, items: Sequence[Item], grid: Sequence[tuple[float, str]]) -> Columns:
    """Upright bars from left to right; `grid` has shares and their words."""
    base, tall = TALL - FOOT, TALL - FOOT - HEAD
    step = (WIDTH - LEFT - RIGHT) / max(len(items), 1)
    drawn = []
    for number, it in enumerate(items):
        left, high = LEFT + number * step, tall * (it.share or 0)
        inner = min(step * 0.7, 36)
        drawn.append(
            Column(
                round(left, 1),
                round(step, 1),
                round(left + (step - inner) / 2, 1),
                round(inner, 1),
                round(base - high, 1),
                round(high, 1),
                it.url,
                it.says,
            )
        )
    lines = tuple((round(base - tall * share, 1), words) for share, words in grid)
    return Columns(title, description, tuple(drawn), lines, _labels([it.label for it in items], step))


def bars(title: str, description: str, items: Sequence[Item]) -> Bars:
    """Lying bars in the order of the items, whose shares are of the whole width."""
    drawn = tuple(
        Bar(number * BAR_STEP, round(WIDTH * (it.share or 0), 1), _cut(it.label), it.figure, it.url, it.says)
        for number, it in enumerate(items)
    )
    return Bars(title, description, drawn, len(drawn) * BAR_STEP)


def times(title: str, description: str, reaches: Sequence[Reach], promise: float, words: Sequence[str]) -> Times:
    """The hours from left to right. `words` are those of SCALE, and of what was never answered after them."""
    known = [each for it in reaches for each in it.seconds if each is not None]
    finite = [each for each in known if each != inf]
    top = next((line for line in SCALE if line >= max([promise * 2, *finite])), SCALE[-1])
    never = HEAD if inf in known else None
    head = HEAD + 22 if never is not None else HEAD
    base = TALL - FOOT

    def height(seconds: float) -> float:
        if seconds == inf:
            return HEAD
        part = log10(min(max(seconds, 1), top)) / log10(top)
        return round(base - part * (base - head), 1)

    step = (WIDTH - LEFT - RIGHT) / max(len(reaches), 1)
    points = []
    for number, it in enumerate(reaches):
        left = LEFT + number * step
        marks = tuple(height(each) for each in it.seconds if each is not None)
        points.append(Point(round(left, 1), round(step, 1), round(left + step / 2, 1), marks, it.url, it.says))
    grid = [(height(line), said) for line, said in zip(SCALE, words, strict=False) if line <= top]
    if never is not None:
        grid.append((never, words[len(SCALE)]))
    labels = _labels([it.label for it in reaches], step)
    return Times(title, description, tuple(points), tuple(grid), labels, height(promise), never)


def _cut(label: str) -> str:
    """As much of a name as has room beside its figure; the table and the link have all of it."""
    left: float = WIDTH - FIGURE
    for number, sign in enumerate(label):
        left -= WIDE if east_asian_width(sign) in "WF" else NARROW
        if left < 0:
            return label[: max(number - 1, 1)].rstrip() + "…"
    return label


def _labels(names: Sequence[str], step: float) -> tuple[tuple[float, str, str], ...]:
    """The first, the middle and the last of what stands below; all of them where there is room."""
    if not names:
        return ()
    shown = range(len(names)) if step >= 48 else sorted({0, len(names) // 2, len(names) - 1})
    anchors = {0: "start", len(names) - 1: "end"} if len(names) > 1 and step < 48 else {}
    found = []
    for number in shown:
        anchor = anchors.get(number, "middle")
        at = {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
        found.append((round(LEFT + (number + at) * step, 1), names[number], anchor))
    return tuple(found)
