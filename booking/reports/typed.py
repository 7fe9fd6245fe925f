"""Results that a person types or pastes, for a provider without a laboratory system.

They are delivered as they were written: value, range and mark go through the one reader of results (reading.read), as
those of every other way in do, and `read_as` shows what it makes of them before anything is delivered.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from sqlalchemy import select

from booking.models import Booking
from booking.ownership import of_provider
from booking.reports.files import LONGEST_TEXT
from booking.reports.reading.codes import codes_of
from booking.reports.reading.marks import known_mark
from booking.reports.reading.read import Reading, read
from booking.reports.reading.told import Delivered, Whose
from marketplace.core.database.db import reading
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.strictjson import storable
from providers.reported import ReportItem
from vip.models import Beneficiary

COLUMNS = ("name", "value", "unit", "range", "mark")
MOST_LINES = 500
LONGEST = 60_000
"""Characters of the whole field."""
_GROUPED = re.compile(r"[0-9],[0-9]{3}(?![0-9])")
_NUMBER = re.compile(r"[0-9.,]+")
_TITLES = {
    title: column
    for column, titles in {
        "name": "项目 项目名称 检验项目 检查项目 检测项目 名称 name item test examined",
        "value": "结果 检验结果 检查结果 检测结果 测定值 测定结果 value result",
        "unit": "单位 unit units",
        "range": "参考范围 参考值 参考区间 正常范围 正常值 正常参考值 range reference",
        "mark": "提示 标志 标记 箭头 异常 异常提示 flag mark",
    }.items()
    for title in titles.split()
}


def typed_results(text: str) -> tuple[ReportItem, ...]:
    """One result a line: what was examined, the value, the unit, the reference range, the laboratory's mark; the last
    three may be left out. Cells are parted by tabs, as a spreadsheet copies them, else by commas as in CSV (RFC 4180).
    A first line of titles says another order of the columns. Empty lines are left out; no line: no results.

    Raises Invalid(field="results") with the line at fault. What could stand in a wrong column is refused: a mark as a
    unit, a number as a unit or as a mark (half of a range, or of a number with a comma).
    """
    if not storable(text):
        raise Invalid(field="results", reason="bad_characters")
    order: Sequence[str] = COLUMNS
    found: list[ReportItem] = []
    for number, cells in _rows(text):
        if number == 1 and (titles := _titles(cells)):
            order = titles
            continue
        if len(cells) > len(order):
            raise Invalid(field="results", reason="typed_line", line=number)
        given = {column: cell.strip() for column, cell in zip(order, cells, strict=False)}
        name, value, unit, limits, mark = (given.get(column, "") for column in COLUMNS)
        if _NUMBER.fullmatch(unit) or _NUMBER.fullmatch(mark):
            raise Invalid(field="results", reason="typed_line_comma", line=number)
        if not unit.isascii() and known_mark(unit) is not None:
            raise Invalid(field="results", reason="typed_line_order", line=number)
        if not name or not value:
            raise Invalid(field="results", reason="typed_line_blank", line=number)
        if len(found) == MOST_LINES:
            raise Invalid(field="results", reason="typed_lines", maximum=MOST_LINES)
        found.append(ReportItem(name, value, unit=unit, range_text=limits, mark=mark))
    return tuple(found)


def _titles(cells: Sequence[str]) -> tuple[str, ...]:
    """The columns that a first line names, none if it is no line of titles. Raises Invalid for titles that leave open
    what a column is."""
    named = [_TITLES.get(cell.strip().lower(), "") for cell in cells]
    if not {"name", "value"} <= set(named) and not (named[0] == "name" and len(cells) > 1 and named[1]):
        return ()
    if "" in named or len(set(named)) < len(named) or not {"name", "value"} <= set(named):
        raise Invalid(field="results", reason="typed_titles")
    return tuple(named)


def read_as(provider_id: int, booking: str, items: Sequence[ReportItem]) -> tuple[Reading, ...]:
    """How our reader understands these results of the person of this booking: what the customer would be shown. Raises
    NotFound for a booking that isn't this provider's."""
    with reading() as session:
        person = session.execute(
            select(Beneficiary.sex, Beneficiary.birth_date, Booking.service_date)
            .join(Beneficiary, Beneficiary.id == Booking.beneficiary_id)
            .where(Booking.public_id == booking, of_provider(provider_id))
        ).one_or_none()
        if person is None:
            raise NotFound()
        codes = codes_of(session, provider_id)
    whose = Whose(person.sex, person.birth_date, person.service_date)
    return tuple(read(_delivered(item), whose, codes) for item in items)


def _delivered(item: ReportItem) -> Delivered:
    return Delivered(**{name: getattr(item, name) for name in Delivered.__dataclass_fields__})


def _rows(text: str) -> list[tuple[int, list[str]]]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        cells = line.split("\t") if "\t" in line else _comma_separated(line, number)
        while len(cells) > len(COLUMNS) and not cells[-1].strip():
            cells.pop()
        if not 2 <= len(cells) <= len(COLUMNS) or any(len(cell) > LONGEST_TEXT for cell in cells):
            raise Invalid(field="results", reason="typed_line", line=number)
        rows.append((number, cells))
    return rows


def _comma_separated(line: str, number: int) -> list[str]:
    """A comma of either width parts cells, unless it stands in quotation marks. One inside of a number would make two
    of it, so such a line is refused."""
    if '"' not in line and _GROUPED.search(line):
        raise Invalid(field="results", reason="typed_line_comma", line=number)
    try:
        return next(csv.reader(io.StringIO(line if "," in line else line.replace("，", ",")), strict=True))
    except (csv.Error, StopIteration) as bad:
        raise Invalid(field="results", reason="typed_line", line=number) from bad
