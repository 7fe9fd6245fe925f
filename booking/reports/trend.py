"""One item over the years and across providers, in one unit where the units can be converted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, and_, select
from sqlalchemy.orm import Session

from booking.models import Booking
from booking.ownership import customer_of
from booking.reports.box import record_look, results_of, rows
from booking.reports.models import Report
from booking.reports.reading.read import Reading
from booking.reports.reading.told import Whose
from booking.reports.reading.units import ucum
from booking.reports.reading.vocabulary import Item, vocabulary
from booking.reports.versions import series_of
from marketplace.core.database.db import transaction
from marketplace.core.errors import NotFound
from marketplace.core.text import Text
from vip.customers.consent import ConsentMissing, may_show
from vip.models import Beneficiary
from vip.principal import Principal

MOST_REPORTS = 60
"""How many reports, the latest first, are read for one trend."""

Apart = Literal["", "unit", "method", "limit", "words"]
RangeFrom = Literal["", "provider", "ours"]


@dataclass(frozen=True)
class Point:
    """The item in one report. `apart` says why it is not joined with the others by the line: its unit cannot be
    converted, another method, only a limit (`<0.5`), or words; blank if it is joined."""

    report_id: str
    day: date
    site: str
    provider_name: Text
    reading: Reading
    apart: Apart


@dataclass(frozen=True)
class Trend:
    """An item of one person, oldest first. `points` are joined by one line, in the item's unit; `apart` are not.

    `low` and `high` are the normal range in the item's unit; `range_from` says whether it is that of the provider of
    the newest point or ours, blank if there is none.
    """

    item: Item
    beneficiary_id: str
    beneficiary_name: str
    relation: str
    points: Sequence[Point]
    apart: Sequence[Point]
    low: float | None
    high: float | None
    range_from: RangeFrom


def trend(principal: Principal, item_code: str, beneficiary_id: str, *, now: datetime) -> Trend:
    """The item's results of one person, from the newest versions of the reports. The audit records each report that is
    shown.

    Raises NotFound if the item is not in the vocabulary, the person is not in the family, or no report has the item;
    ConsentMissing.
    """
    with transaction() as session:
        person = _person(session, principal, beneficiary_id, now)
        mine = and_(Report.customer_id == customer_of(principal), Report.beneficiary_id == person.id)

        def look(row: Row[Any]) -> None:
            record_look(session, principal, row, "report.trend_viewed", now)

        return read_trend(session, item_code, person, mine, look)


def read_trend(
    session: Session, item_code: str, person: Beneficiary, which: ColumnElement[bool], look: Callable[[Row[Any]], None]
) -> Trend:
    """The item's results in the reports of the person for which `which` holds; `look` records each that is shown. The
    caller has checked that they may be. Raises NotFound if the item is not in the vocabulary or in no report."""
    item = vocabulary().items.get(item_code)
    if item is None:
        raise NotFound(field="item")
    found: list[Point] = []
    latest = rows().where(which).order_by(Booking.service_date.desc(), Report.id.desc()).limit(MOST_REPORTS)
    for row in session.execute(latest).all():
        points = _points(session, row, item)
        if points:
            look(row)
        found += points
    if not found:
        raise NotFound(field="item")
    found.sort(key=lambda point: point.day)
    points, apart = _in_line(found)
    low, high, source = _range(item, points, person)
    return Trend(item, person.public_id, person.name, person.relation, points, apart, low, high, source)


def _person(session: Session, principal: Principal, public_id: str, now: datetime) -> Beneficiary:
    row = session.execute(
        select(Beneficiary, may_show(Beneficiary.id, now).label("may_show")).where(
            Beneficiary.public_id == public_id, Beneficiary.customer_id == customer_of(principal)
        )
    ).one_or_none()
    if row is None:
        raise NotFound(field="beneficiary_id")
    if not row.may_show:
        raise ConsentMissing(beneficiary_id=public_id)
    person: Beneficiary = row.Beneficiary
    return person


def _points(session: Session, row: Row[tuple[object, ...]], item: Item) -> list[Point]:
    results, _conclusion = results_of(session, row)
    return [
        Point(
            row.Report.public_id,
            row.Booking.service_date,
            row.Booking.snapshot["site"]["name"],
            Text.of(row.Booking.snapshot["provider"]),
            result,
            _why_apart(item, result),
        )
        for result in results
        if result.item == item.code
    ]


def _why_apart(item: Item, result: Reading) -> Apart:
    if item.form != "number" or (result.number is None and result.our_value is None and not result.bound):
        return "words"
    if result.bound:
        return "limit"
    return "unit" if result.our_value is None else ""


def _in_line(found: Sequence[Point]) -> tuple[list[Point], list[Point]]:
    """The points measured by the same method as the newest one, and all others with the reason why they are apart."""
    measured = [point for point in found if not point.apart]
    series = series_of(measured[-1].reading) if measured else ""
    line = [point for point in measured if series_of(point.reading) == series]
    others = [point if point.apart else replace(point, apart="method") for point in found if point not in line]
    return line, others


def _range(item: Item, points: Sequence[Point], person: Beneficiary) -> tuple[float | None, float | None, RangeFrom]:
    """The newest provider's own range in our unit, else ours for the person's sex and age then."""
    if not points:
        return None, None, ""
    newest = points[-1].reading
    conversion = item.conversion(ucum(newest.unit) or item.unit, newest.variant)
    if conversion is not None and (newest.low is not None or newest.high is not None):
        low = None if newest.low is None else conversion.to(newest.low)
        high = None if newest.high is None else conversion.to(newest.high)
        return low, high, "provider"
    ours = item.range_for(person.sex, Whose(person.sex, person.birth_date, points[-1].day).age)
    return (ours.low, ours.high, "ours") if ours is not None else (None, None, "")
