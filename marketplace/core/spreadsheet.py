"""Tables for a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

Cell = str | int | float | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ALTERED = re.compile(r"0[0-9]+|[0-9]{16,}|[0-9]+[eE][0-9]+", re.ASCII)
"""What a program takes for a quantity and alters: `007` becomes 7, of more than 15 digits it stores 15."""


def spreadsheet(header: Sequence[str], rows: Iterable[Sequence[Cell]], *, exact: bool = False) -> str:
    """A header and rows as CSV (RFC 4180), with the byte order mark by which spreadsheets know UTF-8. A text that one
    would take for a formula begins with a quote; None is a blank cell. `exact`: the table comes back to us by way of
    such a program, so a text begins with a quote also where it would lose digits there."""
    out = io.StringIO()
    out.write("\ufeff")
    write = csv.writer(out)
    write.writerow([_plain(name) for name in header])
    for row in rows:
        write.writerow([_exact(cell) if exact else _plain(cell) for cell in row])
    return out.getvalue()


def _exact(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and _ALTERED.fullmatch(cell.strip()) else _plain(cell)


def _plain(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
