"""Spreadsheets as people and their programs save them, sound and hostile, made by hand so that each cell is known."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_PACKAGE = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
_ROOT = (
    f'<Relationships {_PACKAGE}><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>"
)
_STYLES = f'<styleSheet {_MAIN}><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'

Sheet = Sequence[Sequence[str | None]]


def raw(xml: str) -> str:
    """A cell that is written as it stands; `{r}` in it becomes its place."""
    return f"\0{xml}"


def day(serial: int) -> str:
    """A day as spreadsheets store it: a number with the format of a date."""
    return raw(f'<c r="{{r}}" s="1"><v>{serial}</v></c>')


def figure(value: str) -> str:
    """A number."""
    return raw(f'<c r="{{r}}"><v>{value}</v></c>')


def formula(text: str, value: str | None = None) -> str:
    """A formula, with its value or without."""
    return raw(f'<c r="{{r}}"><f>{text}</f>{"" if value is None else f"<v>{value}</v>"}</c>')


def fault() -> str:
    """What a spreadsheet shows as #N/A."""
    return raw('<c r="{r}" t="e"><v>#N/A</v></c>')


def make_xlsx(
    *sheets: Sheet, merged: str = "", parts: Mapping[str, bytes | str] | None = None, dropped: Sequence[str] = ()
) -> bytes:
    """A workbook; texts are written as they are, None leaves a cell out. `merged`: cells of the first sheet that are.
    `parts` are added to the package, or written instead of its own; `dropped` ones left out."""
    names = range(1, len(sheets) + 1)
    listed = "".join(f'<sheet name="Sheet{each}" sheetId="{each}" r:id="rId{each}"/>' for each in names)
    related = "".join(
        f'<Relationship Id="rId{each}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{each}.xml"/>'
        for each in names
    )
    whole: dict[str, bytes | str] = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _ROOT,
        "xl/workbook.xml": f'<workbook {_MAIN} xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": (
            f"<Relationships {_PACKAGE}>{related}"
            f'<Relationship Id="rIdS" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
        ),
        "xl/styles.xml": _STYLES,
        **{f"xl/worksheets/sheet{each}.xml": _sheet(sheets[each - 1], merged if each == 1 else "") for each in names},
        **(parts or {}),
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in whole.items():
            if name not in dropped:
                package.writestr(name, content)
    return made.getvalue()


def _sheet(rows: Sheet, merged: str) -> str:
    written = "".join(
        f'<row r="{number}">{"".join(_cell(cell, at, number) for at, cell in enumerate(row))}</row>'
        for number, row in enumerate(rows, 1)
        if row
    )
    merges = f'<mergeCells count="1"><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    return f"<worksheet {_MAIN}><sheetData>{written}</sheetData>{merges}</worksheet>"


def _cell(cell: str | None, at: int, row: int) -> str:
    if cell is None:
        return ""
    place = f"{chr(65 + at)}{row}"
    if cell.startswith("\0"):
        return cell[1:].replace("{r}", place)
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
