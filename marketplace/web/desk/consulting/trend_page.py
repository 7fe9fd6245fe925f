"""One item over a patient's earlier reports, as a table: the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask import url_for
from flask_babel import gettext as _

from booking.reports.trend import Point, Trend
from marketplace.web import formats
from marketplace.web.desk.results.delivering_page import ReadRow, reading
from marketplace.web.language import by_language
from marketplace.web.place_words import site_name


@dataclass(frozen=True)
class TrendRow:
    """The item in one report. `ours` is its value in the item's unit where it was delivered in another one; `why` says
    why it can't be compared with the others, blank where it can."""

    day: date
    place: str
    read: ReadRow
    ours: str
    why: str
    url: str


@dataclass(frozen=True)
class TrendPage:
    """An item: its name, its unit and normal range, and its rows."""

    name: str
    unit: str
    range: str
    rows: tuple[TrendRow, ...]


def page(trend: Trend, conversation: str) -> TrendPage:
    """Of a conversation (public id), whose reports the rows lead to."""
    limits = [_plain(bound) for bound in (trend.low, trend.high)]
    words = {
        (True, True): "–".join(limits),
        (True, False): f"≥ {limits[0]}",
        (False, True): f"≤ {limits[1]}",
        (False, False): "",
    }
    points = sorted([*trend.points, *trend.apart], key=lambda point: point.day, reverse=True)
    return TrendPage(
        by_language(trend.item.name),
        trend.item.unit,
        words[trend.low is not None, trend.high is not None],
        tuple(_row(point, trend.item.unit, conversation) for point in points),
    )


def _row(point: Point, unit: str, conversation: str) -> TrendRow:
    result = point.reading
    why = {
        "unit": _("Its unit can't be converted."),
        "method": _("Another method; not comparable."),
        "limit": _("Only a limit, not a value."),
    }
    converted = result.converted and not point.apart and result.our_value is not None
    return TrendRow(
        point.day,
        formats.dotted((by_language(point.provider_name), site_name(point.site))),
        reading(result),
        f"{_plain(result.our_value)} {unit}" if converted else "",
        why.get(point.apart, ""),
        url_for("desk.consultation_report", conversation=conversation, report=point.report_id),
    )


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
