"""An item over the years as a chart and as a table with the same values, and two reports side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from flask_babel import ngettext

from booking.reports.box import ReportCard
from booking.reports.comparison import Comparison, Pair
from booking.reports.reading.read import Reading
from booking.reports.trend import Point, Trend
from marketplace.web import formats
from marketplace.web.language import by_language
from marketplace.web.parts import Link, Person, Pill
from marketplace.web.place_words import site_name
from marketplace.web.reports import reports_page, words


@dataclass(frozen=True)
class Mark:
    """A point of a chart, in the picture's units; `text` is its value, `out` when it lies outside the range drawn."""

    x: float
    y: float
    text: str
    out: bool
    above: bool
    anchor: str = "middle"


@dataclass(frozen=True)
class Chart:
    """A line of values over time, `width` × `height`. `band` is the range (top, height) if there is one; `marks` from
    left to right; `labels` are years or months at x; `title` and `description` say in words what is to be seen."""

    width: int
    height: int
    marks: tuple[Mark, ...]
    line: str
    band: tuple[float, float] | None
    bounds: tuple[tuple[float, str], ...]
    labels: tuple[tuple[float, str, str], ...]
    title: str
    description: str


@dataclass(frozen=True)
class TrendLine:
    """A row of the table beside a chart. `shown` is the value in our unit; `delivered` as the provider gave it where
    that differs; `why` says why it stands apart."""

    day: date
    place: str
    shown: str
    delivered: str
    flag: Pill | None
    method: str
    why: str
    url: str


@dataclass(frozen=True)
class TrendPage:
    """An item over the years."""

    title: str
    person: Person
    unit: str
    about: str
    reference: str
    chart: Chart | None
    lines: tuple[TrendLine, ...]
    apart: tuple[TrendLine, ...]
    summary: str = ""


@dataclass(frozen=True)
class PairLine:
    """An item in two reports. `sign` and `difference` say the direction."""

    name: str
    before: str
    after: str
    before_flag: Pill | None
    after_flag: Pill | None
    sign: str
    difference: str
    trend_url: str


@dataclass(frozen=True)
class ComparePage:
    """Two reports side by side; each side is its day, its place and its address."""

    person: Person
    earlier: tuple[date, str, str]
    later: tuple[date, str, str]
    notable: tuple[PairLine, ...]
    others: tuple[PairLine, ...]


@dataclass(frozen=True)
class ChooseTwo:
    """Which two reports of one person to compare; `people` leads to the others. `options` are pairs of id and text."""

    people: tuple[Link, ...]
    options: tuple[tuple[str, str], ...]
    a: str = ""
    b: str = ""
    problem: str = ""


WIDTH, HEIGHT = 340, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 24, 26, 32
_LABELLED_APART = 46
"""So far apart, in the picture's units, must two dates stand to be labelled both."""
_FIGURES_APART = 34
"""So far apart must two points stand to carry both their figures; the table has them all."""

Links = Callable[[str], str]


def trend_page(trend: Trend, links: Links) -> TrendPage:
    """`links` makes a report's address."""
    unit = words.unit_of(trend.item.unit)
    reference = reports_page.reference(trend.low, trend.high)
    said = {"provider": _("Reference of the newest report: %(range)s %(unit)s", range=reference, unit=unit)}
    said["ours"] = _("Ordinary range for this sex and age: %(range)s %(unit)s", range=reference, unit=unit)
    name = words.item_name(trend.item.code)
    return TrendPage(
        title=name,
        person=reports_page.person(trend.beneficiary_id, trend.beneficiary_name, trend.relation),
        unit=unit,
        about=words.about(trend.item.code),
        reference=said.get(trend.range_from, "").strip(),
        chart=_chart(trend, name, unit),
        lines=tuple(_line(point, links) for point in reversed(trend.points)),
        apart=tuple(_line(point, links) for point in reversed(trend.apart)),
        summary=_summary(trend, unit),
    )


def _line(point: Point, links: Links) -> TrendLine:
    result = point.reading
    delivered = f"{words.value_of(result.value)} {words.unit_of(result.unit)}".strip()
    in_ours = reports_page.ours(result, result.our_value)
    why = {
        "unit": _("Its unit can't be converted."),
        "method": _("Another method; not comparable."),
        "limit": _("Only a limit, not a value."),
        "words": "",
    }
    comparable = not point.apart and result.converted
    return TrendLine(
        day=point.day,
        place=formats.dotted((site_name(point.site), by_language(point.provider_name))),
        shown=in_ours if comparable else delivered,
        delivered=delivered if comparable else "",
        flag=reports_page.flag(result.judged),
        method=words.variant_of(result),
        why=why.get(point.apart, ""),
        url=links(point.report_id),
    )


def _summary(trend: Trend, unit: str) -> str:
    """From the first value to the last, in a sentence."""
    values = _values(trend.points)
    if len(values) == 1:
        value, day = reports_page.ours(trend.points[0].reading, values[0]), formats.full_date(trend.points[0].day)
        return formats.sentences(
            _("One value so far: %(value)s on %(day)s.", value=value, day=day),
            _("From the second on you see how it changes."),
        )
    if not values:
        return ""
    first, last = trend.points[0], trend.points[-1]
    facts = {
        "first": reports_page.ours(first.reading, values[0]),
        "last": reports_page.ours(last.reading, values[-1]),
        "from_day": formats.full_date(first.day),
        "to_day": formats.full_date(last.day),
    }
    if facts["first"] == facts["last"]:
        return _("Unchanged at %(last)s from %(from_day)s to %(to_day)s.", **facts)
    if values[-1] > values[0]:
        return _("Up from %(first)s on %(from_day)s to %(last)s on %(to_day)s.", **facts)
    return _("Down from %(first)s on %(from_day)s to %(last)s on %(to_day)s.", **facts)


def _values(points: Sequence[Point]) -> list[float]:
    return [point.reading.our_value for point in points if point.reading.our_value is not None]


# --- the chart -------------------------------------------------------------------------------------------------------


def _chart(trend: Trend, name: str, unit: str) -> Chart | None:
    """A line of at least two values; None where there is nothing to draw."""
    values = _values(trend.points)
    if len(values) < 2 or not all(math.isfinite(value) and abs(value) < 1e12 for value in values):
        return None
    bounds = [bound for bound in (trend.low, trend.high) if bound is not None and math.isfinite(bound)]
    low, high = min([*values, *bounds]), max([*values, *bounds])
    room = (high - low) * 0.15 or abs(high) * 0.1 or 1.0
    low, high = (max(0.0, low - room) if low >= 0 else low - room), high + room

    def y(value: float) -> float:
        return round(_TOP + (HEIGHT - _TOP - _BOTTOM) * (high - value) / (high - low), 1)

    xs = _across([point.day for point in trend.points])
    marks = [
        Mark(
            x,
            y(value),
            _figure(point.reading, value) if after - x >= _FIGURES_APART else "",
            point.reading.to_look_at,
            _above(values, place),
            "end" if x >= WIDTH - _RIGHT - 1 else "middle",
        )
        for place, (x, after, value, point) in enumerate(
            zip(xs, [*xs[1:], math.inf], values, trend.points, strict=True)
        )
    ]
    top = _TOP if trend.high is None else y(trend.high)
    foot = HEIGHT - _BOTTOM if trend.low is None else y(trend.low)
    return Chart(
        WIDTH,
        HEIGHT,
        tuple(marks),
        " ".join(f"{mark.x},{mark.y}" for mark in marks),
        (top, round(foot - top, 1)) if bounds else None,
        tuple((y(bound), reports_page.plain(round(bound, 4))) for bound in bounds),
        _labels(xs, [point.day for point in trend.points]),
        _("%(name)s over time", name=name),
        _in_words(trend, unit),
    )


def _across(days: Sequence[date]) -> list[float]:
    """Where the days stand from left to right, true to their distance; several on one day stand beside each other."""
    span = (days[-1] - days[0]).days
    room = WIDTH - _LEFT - _RIGHT
    if span == 0:
        return [round(_LEFT + room * (n + 0.5) / len(days), 1) for n in range(len(days))]
    return [round(_LEFT + room * (day - days[0]).days / span, 1) for day in days]


def _above(values: Sequence[float], place: int) -> bool:
    """Whether the figure stands above its point: not where the line goes on upwards."""
    after = values[place + 1] if place + 1 < len(values) else values[place - 1]
    return values[place] >= after


def _figure(result: Reading, value: float) -> str:
    return reports_page.ours(result, value).split(" ")[0]


def _labels(xs: Sequence[float], days: Sequence[date]) -> tuple[tuple[float, str, str], ...]:
    """(x, text, anchor) of the dates below: all that have room, the last one always."""
    labelled: list[tuple[float, date]] = []
    for x, day in reversed(list(zip(xs, days, strict=True))):
        if not labelled or labelled[-1][0] - x >= _LABELLED_APART:
            labelled.append((x, day))
    last = WIDTH - _RIGHT - 1
    return tuple((x, f"{day:%Y-%m}", "end" if x >= last else "middle") for x, day in reversed(labelled))


def _in_words(trend: Trend, unit: str) -> str:
    """The chart in words: the same values as in the table."""
    values = [
        _("%(date)s: %(value)s", date=formats.full_date(point.day), value=reports_page.ours(point.reading, value))
        + (_(" (out of range)") if point.reading.to_look_at else "")
        for point, value in zip(trend.points, _values(trend.points), strict=True)
    ]
    return formats.sentences(
        ngettext("%(num)d value.", "%(num)d values.", len(values)), _("; ").join(values) + _("."), _summary(trend, unit)
    )


# --- two reports -----------------------------------------------------------------------------------------------------


def compare_page(comparison: Comparison, trends: Links, reports: Links) -> ComparePage:
    """`trends` makes the address of an item's trend, `reports` a report's."""
    lines = [(pair, _pair(pair, trends)) for pair in comparison.pairs]
    card = comparison.later
    return ComparePage(
        person=reports_page.person(card.beneficiary_id, card.beneficiary_name, card.relation),
        earlier=_side(comparison.earlier, reports),
        later=_side(card, reports),
        notable=tuple(line for pair, line in lines if _notable(pair)),
        others=tuple(line for pair, line in lines if not _notable(pair)),
    )


def _side(card: ReportCard, reports: Links) -> tuple[date, str, str]:
    return card.service_date, card.site, reports(card.id)


def _notable(pair: Pair) -> bool:
    return any(result is not None and result.to_look_at for result in (pair.earlier, pair.later))


def _pair(pair: Pair, trends: Links) -> PairLine:
    known = next(result for result in (pair.later, pair.earlier) if result is not None)
    return PairLine(
        name=words.name_of(known),
        before=_delivered_value(pair.earlier, pair),
        after=_delivered_value(pair.later, pair),
        before_flag=_flag(pair.earlier),
        after_flag=_flag(pair.later),
        sign={"higher": "↑", "lower": "↓", "same": "="}.get(pair.how, ""),
        difference=_difference(pair),
        trend_url=trends(known.item) if known.item else "",
    )


def _flag(result: Reading | None) -> Pill | None:
    return None if result is None else reports_page.flag(result.judged)


def _delivered_value(result: Reading | None, pair: Pair) -> str:
    """As delivered; with the value in our unit behind it where the two reports use different ones."""
    if result is None:
        return ""
    value = f"{words.value_of(result.value)} {words.unit_of(result.unit)}".strip()
    in_ours = reports_page.ours(result, result.our_value) if result.converted and pair.unit == result.our_unit else ""
    return _("%(delivered)s (= %(converted)s)", delivered=value, converted=in_ours) if in_ours else value


def _difference(pair: Pair) -> str:
    if pair.how in ("higher", "lower") and pair.difference is not None:
        size = f"{_size(pair)} {words.unit_of(pair.unit)}".strip()
        text = _("Higher by %(size)s", size=size) if pair.how == "higher" else _("Lower by %(size)s", size=size)
        return formats.sentences(text + _("."), _came(pair))
    return {
        "same": _("Unchanged."),
        "changed": _("The words differ."),
        "incomparable": _("Units or methods differ; not comparable."),
        "only_earlier": _("Not in the later report."),
        "only_later": _("Not in the earlier report."),
    }.get(pair.how, "")


def _size(pair: Pair) -> str:
    """The difference with as many decimals as the finer of the two values has."""
    decimals = max(
        (len(text.partition(".")[2]) for text in _figures(pair) if text.replace(".", "", 1).isdigit()), default=2
    )
    return f"{abs(pair.difference or 0.0):.{min(decimals, 6)}f}"


def _figures(pair: Pair) -> list[str]:
    both = [result for result in (pair.earlier, pair.later) if result is not None]
    if any(result.converted for result in both):
        return [_figure(result, result.our_value or 0.0) for result in both]
    return [result.value for result in both]


def _came(pair: Pair) -> str:
    """Whether it came into its range or left it."""
    if pair.earlier is None or pair.later is None or not (pair.earlier.judged and pair.later.judged):
        return ""
    before, after = pair.earlier.to_look_at, pair.later.to_look_at
    return _("Now within range.") if before and not after else _("Now out of range.") if after and not before else ""
