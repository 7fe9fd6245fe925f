"""XLSX (ISO/IEC 29500-1): one sheet with something in it, read without running anything; every part is unpacked within
limits before it is read."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.etree import ElementTree

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum

from marketplace.core.bulk.intake.bounds import MIB, MOST_LINES, Found, Line, Refused, table, unquoted

MOST_PARTS = 300
MOST_UNPACKED = 160 * MIB
MOST_TIMES = 250
"""How many times its packed size a part may have, if it is larger than SMALL: repeated cells pack to a fiftieth."""
SMALL = 2 * MIB
_PIECE = 2**18
_ENCRYPTED = 0x1
_SPARE_ROWS = 10_000
_LARGEST_NUMBER = 1e21
_DOCTYPE = tuple("<!DOCTYPE".encode(each) for each in ("ascii", "utf-16-le", "utf-16-be"))
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*)(?<!/)>(.*?)</(?:\w+:)?c>", re.DOTALL)
_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["']""")
_IS_ERROR = re.compile(rb"""\bt\s*=\s*["']e["']""")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_VALUE = re.compile(rb"<(?:\w+:)?v[\s/>]")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def examine(content: bytes) -> Found:
    """The table. Raises Refused: zip_broken, zip_bomb, encrypted, wrong_type, xlsb, macros, xml_entities, xlsx_broken,
    several_sheets, merged_cells, formulas, and those of `table`."""
    parts = _unpacked(content)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        name, sheet = _one_sheet(book)
        if sheet.merged_cell_ranges:
            (row, column), _end = sheet.merged_cell_ranges[0]
            raise Refused("merged_cells", cell=f"{_letters(column)}{row + 1}")
        rows = sheet.to_python(skip_empty_area=False, nrows=MOST_LINES + _SPARE_ROWS)
    except CalamineError as broken:
        raise Refused("xlsx_broken") from broken
    if sheet.total_height > MOST_LINES + _SPARE_ROWS:
        raise Refused("too_many_lines", most=MOST_LINES)
    marks = _marks(_part_of(name, parts))
    found = list[Line]()
    for number, values in enumerate(rows, 1):
        here = marks.get(number, {})
        here |= {at: "number" for at, value in enumerate(values) if _is_number(value) and at not in here}
        cells = [unquoted(_text(value)) for value in values]
        cells += [""] * (max(here, default=-1) + 1 - len(cells))
        found.append(Line(number, tuple(cells), here))
    return table("xlsx", "", found)


def _unpacked(content: bytes) -> dict[str, bytes]:
    """The parts that are looked at, by name, after all of them were unpacked and counted."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            _judge(entries, names)
            left, kept = MOST_UNPACKED, dict[str, bytes]()
            for entry in entries:
                part = b"".join(_pieces(archive, entry, left))
                left -= len(part)
                if any(mark in part for mark in _DOCTYPE):
                    raise Refused("xml_entities")
                if entry.filename.startswith(("xl/worksheets/", "xl/workbook.xml", "xl/_rels/")):
                    kept[entry.filename] = part
            return kept
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        UnicodeError,
        ValueError,
        OverflowError,
    ) as bad:
        raise Refused("zip_broken") from bad


def _judge(entries: list[zipfile.ZipInfo], names: set[str]) -> None:
    """Refuse by the directory, before anything is unpacked."""
    if len(entries) > MOST_PARTS or len(names) != len(entries):
        raise Refused("zip_bomb")
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise Refused("encrypted")
    if "xl/workbook.bin" in names:
        raise Refused("xlsb")
    if "xl/workbook.xml" not in names or "[Content_Types].xml" not in names:
        raise Refused("wrong_type")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise Refused("macros")
    for entry in entries:
        if entry.file_size > SMALL and entry.file_size > MOST_TIMES * max(entry.compress_size, 1):
            raise Refused("zip_bomb")
    if sum(entry.file_size for entry in entries) > MOST_UNPACKED:
        raise Refused("zip_bomb")


def _pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> Iterator[bytes]:
    counted = 0
    with archive.open(entry) as file:
        while piece := file.read(_PIECE):
            counted += len(piece)
            if counted > left:
                raise Refused("zip_bomb")
            yield piece


def _one_sheet(book: CalamineWorkbook) -> tuple[str, CalamineSheet]:
    """The one sheet that has something in it, hidden ones too: nothing is passed over unseen."""
    sheets = list[tuple[str, CalamineSheet]]()
    for about in book.sheets_metadata:
        if about.typ == SheetTypeEnum.MacroSheet:
            raise Refused("macros")
        if about.typ == SheetTypeEnum.WorkSheet:
            sheet = book.get_sheet_by_name(about.name)
            sheets += [(about.name, sheet)] if sheet.start is not None else []
    if not sheets:
        raise Refused("no_lines")
    if len(sheets) > 1:
        raise Refused("several_sheets", sheets=len(sheets))
    return sheets[0]


def _part_of(sheet: str, parts: dict[str, bytes]) -> bytes:
    """The XML of a sheet. Raises Refused: xlsx_broken."""
    try:
        # no entity can be declared in them: a part with a DOCTYPE was refused
        book = ElementTree.fromstring(parts["xl/workbook.xml"])  # noqa: S314
        relations = ElementTree.fromstring(parts["xl/_rels/workbook.xml.rels"])  # noqa: S314
        [key] = [
            value
            for each in book.iter()
            if each.tag.endswith("}sheet") and each.get("name") == sheet
            for name, value in each.items()
            if name == _RELATION or name.endswith("}id")
        ]
        [target] = [each.get("Target", "") for each in relations if each.get("Id") == key]
        return parts[target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")]
    except (KeyError, ValueError, ElementTree.ParseError) as bad:
        raise Refused("xlsx_broken") from bad


def _marks(sheet: bytes) -> dict[int, dict[int, str]]:
    """By row and position (from 0): the cells whose formula has no value in the file, and those that are errors. The
    reader shows both as blank. Raises Refused: formulas, where such a cell does not say where it stands."""
    found = dict[int, dict[int, str]]()
    if not _FORMULA.search(sheet) and not _IS_ERROR.search(sheet):
        return found
    for cell in _CELL.finditer(sheet):
        attributes, inside = cell[1], cell[2]
        error = _IS_ERROR.search(attributes)
        if not error and (not _FORMULA.search(inside) or _VALUE.search(inside)):
            continue
        place = _PLACE.search(attributes)
        if place is None:
            raise Refused("formulas")
        found.setdefault(int(place[2]), {})[_position(place[1])] = "error" if error else "formula"
    return found


def _position(letters: bytes) -> int:
    position = 0
    for letter in letters:
        position = position * 26 + letter - 64
    return position - 1


def _letters(position: int) -> str:
    text, position = "", position + 1
    while position:
        position, rest = divmod(position - 1, 26)
        text = chr(65 + rest) + text
    return text


def _is_number(value: Any) -> bool:
    """What may look otherwise in the spreadsheet than it is stored: `007` as 7, `3-4` as a day."""
    return isinstance(value, int | float | date | time | timedelta) and not isinstance(value, bool)


def _text(value: Any) -> str:
    """A cell as text: days in ISO 8601, whole numbers without a point."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < _LARGEST_NUMBER
        return f"{value:.0f}" if whole else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time.min else value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date | time) else str(value)
