"""CSV (RFC 4180): separated by commas, semicolons or tabs, in UTF-8, UTF-16 with its mark, or GB 18030."""

from __future__ import annotations

import csv
import io
import re

from marketplace.core.bulk.intake.bounds import LONGEST_CELL, MOST_LINES, Found, Line, Refused, table, unquoted

_SEPARATORS = (",", "\t", ";")
_SAID = re.compile(r"sep=([,;\t])\r?\n", re.IGNORECASE)
_SPARE_ROWS = 10_000
"""Blank rows and notes among the lines."""


def examine(content: bytes) -> Found:
    """The table. Raises Refused: encoding, binary, csv_broken, and those of `table`."""
    text, encoding = _decoded(content)
    if "\0" in text:
        raise Refused("binary")
    said = _SAID.match(text)
    skipped = 1 if said else 0
    text = text[said.end() :] if said else text
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=said[1] if said else _separator(text), strict=True)
    csv.field_size_limit(LONGEST_CELL * 4)
    rows = list[Line]()
    number = skipped
    try:
        for cells in reader:
            number += 1
            if number > MOST_LINES + _SPARE_ROWS:
                raise Refused("too_many_lines", most=MOST_LINES)
            rows.append(Line(number, tuple(map(unquoted, cells))))
    except csv.Error as broken:
        too_long = "field larger" in str(broken)
        raise Refused("cell_too_long" if too_long else "csv_broken", line=number + 1, most=LONGEST_CELL) from broken
    return table("csv", encoding, rows)


def _decoded(content: bytes) -> tuple[str, str]:
    """The text and what it was read as. GB 18030 is what spreadsheet programs in China write without being asked."""
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ["utf-16"] if marked else ["utf-8-sig", "gb18030"]:
        try:
            return content.decode(encoding), encoding.removesuffix("-sig")
        except UnicodeDecodeError:
            continue
    raise Refused("encoding")


def _separator(text: str) -> str:
    """The one that makes most columns of the first row that is no note."""
    first = next((line for line in text.splitlines() if line.strip() and not line.lstrip('"').startswith("#")), "")
    return max(_SEPARATORS, key=first.count)
