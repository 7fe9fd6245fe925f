"""How large a table may be, and how one is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

MIB = 2**20
LARGEST = 8 * MIB
"""The most bytes of a file."""
MOST_LINES = 50_000
MOST_COLUMNS = 100
LONGEST_CELL = 4_000
"""The most characters of a cell; a subject's own limits are lower."""


class Refused(Exception):
    """The file is refused as a whole. `reason` is a stable code, `facts` what its sentence needs: numbers, and a place
    such as `B7`, never text of the file."""

    def __init__(self, reason: str, **facts: str | int) -> None:
        super().__init__(reason)
        self.reason, self.facts = reason, facts


@dataclass(frozen=True)
class Line:
    """One row: its number as a spreadsheet shows it (the first row is 1), its cells, and by position what a cell is
    other than text: number, formula (without its value), error."""

    number: int
    cells: tuple[str, ...] = field(repr=False)
    marks: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """A table: the header's cells, then the lines that have something in them. `form`: csv or xlsx; `encoding`: what a
    CSV was read as. `notes` are rows that were passed over since they begin with `#`."""

    form: str
    encoding: str
    header: tuple[str, ...] = field(repr=False)
    lines: tuple[Line, ...] = field(repr=False)
    notes: int = 0


NOTE = "#"
"""A row whose first cell begins with it is a note for people."""

_QUOTED = re.compile(r"'(?=[=+\-@\t\r0-9])")


def unquoted(cell: str) -> str:
    """A cell without the quote that spreadsheet() of marketplace.core puts before what a program would take for a
    formula or a quantity, and that people put there for the same."""
    return cell[1:] if _QUOTED.match(cell) else cell


def table(form: str, encoding: str, rows: list[Line]) -> Found:
    """What stands in `rows`: blank ones are passed over, blanks and blank cells at the end of a row fall away, and the
    first that is neither blank nor a note is the header. Raises Refused: no_lines, too_many_lines, too_many_columns,
    cell_too_long, no_header (a blank cell between names)."""
    kept, notes = list[Line](), 0
    for row in rows:
        cells = [cell.strip() for cell in row.cells]
        while cells and not cells[-1] and len(cells) - 1 not in row.marks:
            cells.pop()
        if not cells:
            continue
        if cells[0].startswith(NOTE):
            notes += 1
            continue
        if len(cells) > MOST_COLUMNS:
            raise Refused("too_many_columns", most=MOST_COLUMNS, line=row.number)
        if any(len(cell) > LONGEST_CELL for cell in cells):
            raise Refused("cell_too_long", most=LONGEST_CELL, line=row.number)
        kept.append(Line(row.number, tuple(cells), row.marks))
        if len(kept) > MOST_LINES + 1:
            raise Refused("too_many_lines", most=MOST_LINES)
    if len(kept) < 2:
        raise Refused("no_lines")
    if not all(kept[0].cells):
        raise Refused("no_header", line=kept[0].number)
    return Found(form, encoding, kept[0].cells, tuple(kept[1:]), notes)
