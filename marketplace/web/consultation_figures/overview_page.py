"""The figures in words and charts: what matters first, then by day, hour, shift, department and provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from booking.consultation.figures.handovers import Handed, Handovers
from booking.consultation.figures.satisfaction import Satisfaction
from booking.consultation.figures.waiting import AGES
from booking.consultation.pledge_figures import SHIFTS, By, PledgeFigures
from booking.ratings.rate import MOST_STARS
from marketplace.catalog.kinds.online_consultation import KIND
from marketplace.web import formats
from marketplace.web.consultation_figures import charts
from marketplace.web.consultation_figures.charts import Bars, Columns, Item, Reach, Times
from marketplace.web.consultation_figures.looking import Looking, hours, share, took
from marketplace.web.parts import Link

PROMISE = KIND.traits.pledge_seconds or 90
"""What is promised where an offer says nothing else; the line in the chart of times."""
PARTS = ("met", "breached", "unanswered", "cancelled", "open")
"""What is counted of a group beside all of it, in the order of the table's columns."""


@dataclass(frozen=True)
class Found:
    """What was asked of the figures. `ages` were counted at the moment `at`; `late`: how many of those had waited
    longer than was promised to each."""

    kept: Mapping[By, Sequence[PledgeFigures]]
    ages: Sequence[int]
    late: int
    at: datetime
    satisfaction: Satisfaction
    handovers: Handovers


@dataclass(frozen=True)
class Tile:
    """One number that matters: what it is of, the number, what stands behind it, and the rows it counts."""

    label: str
    figure: str
    note: str
    url: str
    bad: bool = False


@dataclass(frozen=True)
class Line:
    """A group in the table: its name, all of it, each of PARTS, the share that was kept, the times; numbers lead to
    their rows."""

    name: str
    all: Link
    parts: tuple[Link, ...]
    kept: Link
    times: tuple[str, ...]


@dataclass(frozen=True)
class NumberLine:
    """A line of a small table: what, how many (it leads to its rows), and what more there is to say."""

    name: str
    number: Link
    more: str = ""


@dataclass(frozen=True)
class Group:
    """The groups of one kind: its code, its heading, its chart and its table."""

    by: By
    title: str
    chart: Bars
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Overview:
    """All of it. A chart is None where there is nothing to draw; `none`: no question was asked in these days."""

    tiles: tuple[Tile, ...]
    none: bool
    days: Columns | None
    day_lines: tuple[Line, ...]
    hours: Times | None
    hour_lines: tuple[Line, ...]
    ages: Bars
    age_lines: tuple[NumberLine, ...]
    waiting: int
    groups: tuple[Group, ...]
    stars: Bars | None
    star_lines: tuple[NumberLine, ...]
    said: str
    handed: Bars | None
    handed_lines: tuple[NumberLine, ...]
    changed: Link


def overview(it: Looking, found: Found) -> Overview:
    """The page of what was found."""
    every = found.kept["all"][0]
    none = not _all(every)
    stars, star_lines = _stars(it, found.satisfaction)
    handed, handed_lines = _handed(it, found.handovers)
    groups: tuple[By, ...] = ("shift", "department", "provider") if it.by_provider else ("shift", "department")
    return Overview(
        tiles=_tiles(it, found, every),
        none=none,
        days=None if none else _days(it, found.kept["day"]),
        day_lines=tuple(line(it, "day", each) for each in reversed(found.kept["day"])),
        hours=None if none else _hours(it, found.kept["hour"]),
        hour_lines=tuple(line(it, "hour", each) for each in found.kept["hour"]),
        ages=_ages(it, found),
        age_lines=tuple(
            NumberLine(age_name(age), Link(formats.number(number), it.waiting(age, found.at)))
            for age, number in enumerate(found.ages)
        ),
        waiting=sum(found.ages),
        groups=() if none else tuple(_group(it, by, found.kept[by]) for by in groups),
        stars=stars,
        star_lines=star_lines,
        said=_said(found.satisfaction),
        handed=handed,
        handed_lines=handed_lines,
        changed=Link(_changed(found.handovers, every), it.handovers("all", "")),
    )


def _all(it: PledgeFigures) -> int:
    return it.ended + it.cancelled + it.open


def _tiles(it: Looking, found: Found, every: PledgeFigures) -> tuple[Tile, ...]:
    def to(part: str) -> str:
        return it.answers("all", "", part)

    waiting = sum(found.ages)
    stars = found.satisfaction
    return (
        Tile(
            _("Answered in time"),
            share(every.kept),
            _("%(part)s of %(all)s", part=formats.number(every.met), all=formats.number(every.ended)),
            to("ended"),
        ),
        Tile(
            _("Half were answered within"),
            took(every.p50),
            formats.sentences(
                _("9 in 10: %(time)s.", time=took(every.p90)), _("99 in 100: %(time)s.", time=took(every.p99))
            ),
            to("ended"),
        ),
        Tile(
            _("Waiting now"),
            formats.number(waiting),
            ngettext("%(num)d for longer than promised", "%(num)d for longer than promised", found.late),
            it.waiting(None, found.at),
            bad=found.late > 0,
        ),
        Tile(
            _("Promise broken"),
            formats.number(every.breached),
            _("%(number)s of them never answered", number=formats.number(every.unanswered)),
            to("breached"),
            bad=every.unanswered > 0,
        ),
        Tile(
            _("Ended by the customer before an answer"),
            formats.number(every.cancelled),
            _("Counts neither way"),
            to("cancelled"),
        ),
        Tile(_("Still running"), formats.number(every.open), _("Not counted yet"), to("open")),
        Tile(
            _("Rating"),
            share(None) if stars.mean is None else formats.number(round(stars.mean, 1)),
            _(
                "%(part)s of %(all)s said something",
                part=formats.number(stars.answered),
                all=formats.number(stars.asked),
            ),
            it.ratings(None),
        ),
    )


def line(it: Looking, by: By, group: PledgeFigures) -> Line:
    """A group in the table."""

    def number(value: int, part: str) -> Link:
        return Link(formats.number(value), it.answers(by, group.name, part))

    counts = (group.met, group.breached, group.unanswered, group.cancelled, group.open)
    return Line(
        it.named(by, group.name),
        number(_all(group), "all"),
        tuple(number(value, part) for value, part in zip(counts, PARTS, strict=True)),
        Link(share(group.kept), it.answers(by, group.name, "ended")),
        tuple(took(each) for each in (group.p50, group.p90, group.p99)),
    )


def _kept(it: Looking, by: By, group: PledgeFigures, label: str) -> Item:
    name = it.named(by, group.name)
    figure = share(group.kept)
    of = _("%(part)s of %(all)s", part=formats.number(group.met), all=formats.number(group.ended))
    says = _("%(name)s: %(share)s answered in time, %(of)s", name=name, share=figure, of=of)
    return Item(label, group.kept, figure, it.answers(by, group.name, "ended"), says)


def _empty(name: str) -> PledgeFigures:
    return PledgeFigures(name, 0, 0, 0, 0, 0, None, None, None)


def _days(it: Looking, groups: Sequence[PledgeFigures]) -> Columns:
    known = {group.name: group for group in groups}
    every = [it.days.first + timedelta(days=number) for number in range(it.days.number)]
    items = [
        _kept(it, "day", known.get(day.isoformat(), _empty(day.isoformat())), formats.date_of(day)) for day in every
    ]
    shares = [group.kept for group in groups if group.kept is not None]
    lowest = _("Lowest on a day: %(share)s.", share=share(min(shares))) if shares else _("Nothing ended in these days.")
    grid = [(part, formats.percent(part)) for part in (0.0, 0.5, 1.0)]
    return charts.columns(_("Answered in time, by day"), lowest, items, grid)


def _hours(it: Looking, groups: Sequence[PledgeFigures]) -> Times:
    known = {group.name: group for group in groups}
    reaches = []
    for hour in range(24):
        group = known.get(f"{hour:02}", _empty(f"{hour:02}"))
        says = _(
            "%(hours)s: half within %(p50)s, 9 in 10 within %(p90)s, 99 in 100 within %(p99)s, of %(number)s",
            hours=hours(hour, hour + 1),
            p50=took(group.p50),
            p90=took(group.p90),
            p99=took(group.p99),
            number=formats.number(group.ended),
        )
        label = f"{hour}:00"
        reaches.append(Reach(label, (group.p50, group.p90, group.p99), it.answers("hour", group.name, "ended"), says))
    described = [group for group in groups if group.p90 is not None]
    slowest = max(described, key=lambda group: group.p90 or 0, default=None)
    text = (
        _(
            "Slowest at %(hours)s: 9 in 10 within %(time)s.",
            hours=it.named("hour", slowest.name),
            time=took(slowest.p90),
        )
        if slowest
        else _("Nothing ended in these days.")
    )
    words = [_scale(line) for line in charts.SCALE]
    return charts.times(
        _("Time until the first answer, by hour"), text, reaches, PROMISE, [*words, pgettext("chart", "never")]
    )


def _scale(seconds: int) -> str:
    return _("%(num)s s", num=seconds) if seconds < 120 else formats.span(seconds)


def age_name(age: int) -> str:
    """How long somebody has waited, by the number of one of AGES."""
    low, high = AGES[age]
    if high is None:
        return _("longer than %(time)s", time=_scale(low))
    return _("%(low)s to %(high)s", low=_scale(low), high=_scale(high))


def _ages(it: Looking, found: Found) -> Bars:
    most = max(*found.ages, 1)
    items = [
        Item(
            age_name(age),
            number / most,
            formats.number(number),
            it.waiting(age, found.at),
            ngettext("%(num)d waits: %(age)s", "%(num)d wait: %(age)s", number, age=age_name(age)),
        )
        for age, number in enumerate(found.ages)
    ]
    text = ngettext("%(num)d waits for a first answer.", "%(num)d wait for a first answer.", sum(found.ages))
    return charts.bars(_("Who waits, by how long"), text, items)


def _group(it: Looking, by: By, groups: Sequence[PledgeFigures]) -> Group:
    order = list(SHIFTS) if by == "shift" else [group.name for group in groups]
    sorted_groups = sorted(groups, key=lambda group: order.index(group.name))
    titles: dict[By, str] = {"shift": _("By shift"), "department": _("By department"), "provider": _("By provider")}
    items = [_kept(it, by, group, it.named(by, group.name)) for group in sorted_groups]
    chart = charts.bars(titles[by], _("Share of questions that were answered in time."), items)
    return Group(by, titles[by], chart, tuple(line(it, by, group) for group in sorted_groups))


def _stars(it: Looking, found: Satisfaction) -> tuple[Bars | None, tuple[NumberLine, ...]]:
    if not found.answered:
        return None, ()
    most = max(found.stars.values())
    items, lines = [], []
    for stars in range(MOST_STARS, 0, -1):
        number = found.stars[stars]
        name = ngettext("%(num)d star", "%(num)d stars", stars)
        part = share(number / found.answered)
        says = _("%(name)s: %(number)s, %(share)s", name=name, number=formats.number(number), share=part)
        items.append(Item(name, number / most, formats.number(number), it.ratings(stars), says))
        lines.append(NumberLine(name, Link(formats.number(number), it.ratings(stars)), part))
    return charts.bars(_("Ratings"), _said(found), items), tuple(lines)


def _said(found: Satisfaction) -> str:
    if not found.asked:
        return _("Nothing could be rated yet.")
    part = share(found.answered / found.asked)
    return _(
        "%(part)s of %(all)s consultations that are over were rated (%(share)s).",
        part=formats.number(found.answered),
        all=formats.number(found.asked),
        share=part,
    )


def _handed(it: Looking, found: Handovers) -> tuple[Bars | None, tuple[NumberLine, ...]]:
    if not found.all.number:
        return None, ()
    rows: list[tuple[str, str, Handed]] = [
        ("department", it.named("department", each.name), each) for each in found.by_department
    ]
    rows += [("clinician", each.shown, each) for each in found.by_clinician]
    most = max(each.number for _group, _name, each in rows)
    items, lines = [], []
    for group, name, each in rows:
        url = it.handovers(group, each.name)
        more = _("%(number)s of them back to the queue", number=formats.number(each.to_queue))
        says = _("%(name)s: %(number)s, %(share)s", name=name, number=formats.number(each.number), share=more)
        items.append(Item(name, each.number / most, formats.number(each.number), url, says))
        lines.append(NumberLine(name, Link(formats.number(each.number), url), formats.number(each.to_queue)))
    return charts.bars(_("Hand-overs, by department and clinician"), "", items), tuple(lines)


def _changed(found: Handovers, every: PledgeFigures) -> str:
    asked = _all(every)
    return _(
        "%(part)s of %(all)s consultations changed hands, %(number)s times in all.",
        part=formats.number(found.all.consultations),
        all=formats.number(asked),
        number=formats.number(found.all.number),
    )
