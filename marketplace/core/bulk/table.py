"""A file as a table of a kind: examined in a process of its own, its header compared with the kind's columns."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from marketplace.core.bulk.cells import Column, Mark
from marketplace.core.bulk.intake.bounds import MOST_COLUMNS, MOST_LINES
from marketplace.core.errors import Refusal
from marketplace.core.examining import ask
from marketplace.core.strictjson import storable
from marketplace.core.text import Text

COMMAND = (sys.executable, "-E", "-s", "-m", "marketplace.core.bulk.intake")
WALL_SECONDS = 65.0
"""More than the examiner gives itself: nobody waits for it, the worker asks."""
LARGEST_ANSWER = 96 * 2**20
MARKS: Final = ("number", "formula", "error")
FACTS: Final = ("most", "line", "cell", "sheets")

LINE = Text("行号", "Line")
WHY = Text("为什么没有导入", "Why it was not imported")
REMEDY = Text("怎么改", "What to do")
ADDED: Final = (LINE, WHY, REMEDY)
"""The columns that a file of refused lines has besides; they are passed over when it comes back."""


class TableRefused(Refusal):
    """The file as a whole can't be imported. `facts["reason"]` is a code of FILE_REASONS; the others are what its
    sentence needs."""

    code = "table_refused"
    status = 422
    field = "document"


@dataclass(frozen=True)
class TableLine:
    """A line: its number as a spreadsheet shows it, what stands in the kind's columns by code, and what of that a
    spreadsheet stored otherwise than as text. `extra`: cells beyond the header have something in them, so that perhaps
    none stands where it belongs."""

    number: int
    texts: Mapping[str, str] = field(repr=False)
    marks: Mapping[str, Mark] = field(default_factory=dict)
    extra: bool = False


@dataclass(frozen=True)
class Table:
    """A file that can be imported. `columns` are the codes of the kind's columns that it has, in its order; `ignored`
    the headers of other columns, `notes` the number of rows that begin with `#`: both were passed over."""

    form: str
    encoding: str
    columns: tuple[str, ...]
    lines: tuple[TableLine, ...] = field(repr=False)
    ignored: tuple[str, ...] = ()
    notes: int = 0


def read_table(content: bytes, columns: Sequence[Column]) -> Table:
    """The table in a CSV or XLSX file. Raises TableRefused. Takes up to 65 s."""
    head, lines = _understood(_asked(content))
    at, ignored = _places(head["header"], columns)
    return Table(
        head["form"],
        head["encoding"],
        tuple(at),
        tuple(_line(line, at, len(head["header"])) for line in lines),
        ignored,
        head["notes"],
    )


def _asked(content: bytes) -> bytes:
    try:
        return ask.answer_of(COMMAND, content, seconds=WALL_SECONDS, largest=LARGEST_ANSWER)
    except ask.NoVerdict as ended:
        raise TableRefused(reason="too_costly" if ended.costly else "unreadable") from ended


def _understood(answer: bytes) -> tuple[dict[str, Any], list[Any]]:
    """The examiner's verdict, checked like the file itself."""
    first, _, rest = answer.partition(b"\n")
    try:
        head = json.loads(first)
        if "refused" in head:
            facts: dict[str, Any] = {name: _fact(head["facts"][name]) for name in FACTS if name in head["facts"]}
            raise TableRefused(**{**facts, "reason": str(head["refused"])[:40]})
        lines = [json.loads(line) for line in rest.split(b"\n") if line]
        checked = {
            "form": {"csv": "csv", "xlsx": "xlsx"}[head["form"]],
            "encoding": {"": "", "utf-8": "utf-8", "utf-16": "utf-16", "gb18030": "gb18030"}[head["encoding"]],
            "header": [_cell(each) for each in head["header"]][:MOST_COLUMNS],
            "notes": int(head["notes"]),
        }
        if len(lines) != head["lines"] or not 1 <= len(lines) <= MOST_LINES:
            raise ValueError("not as many lines as it said")
        return checked, [(int(line[0]), [_cell(each) for each in line[1]], dict(line[2])) for line in lines]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as bad:
        raise TableRefused(reason="unreadable") from bad


def _fact(value: object) -> str | int:
    return value if isinstance(value, int) else str(value)[:20]


def _cell(value: object) -> str:
    """What a cell holds, without what can't be stored."""
    if not isinstance(value, str):
        raise TypeError("no text")
    return value if storable(value) else "".join(each for each in value if storable(each))


def _places(header: Sequence[str], columns: Sequence[Column]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Where each column of the kind stands, in the order of the file, and the headers of other columns. Raises
    TableRefused: doubled_column, missing_columns (with their codes)."""
    known = {_folded(name): column.code for column in columns for name in (column.code, *column.name) if name}
    passed = {_folded(name) for added in ADDED for name in added}
    at, ignored = dict[str, int](), list[str]()
    for position, name in enumerate(header):
        code = known.get(_folded(name))
        if code is None:
            ignored += [] if _folded(name) in passed else [name]
        elif code in at:
            raise TableRefused(reason="doubled_column", column=code)
        else:
            at[code] = position
    missing = [column.code for column in columns if column.required and column.code not in at]
    if missing:
        raise TableRefused(reason="missing_columns", columns=",".join(missing))
    return at, tuple(ignored)


def _folded(name: str) -> str:
    """A header however it is written: full-width or not, with blanks, a mark that it is required."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(each for each in plain if each.isalnum())


def _line(line: tuple[int, list[str], dict[str, str]], at: Mapping[str, int], width: int) -> TableLine:
    number, cells, marks = line
    texts = {code: cells[position] if position < len(cells) else "" for code, position in at.items()}
    kept = {code: marks.get(str(position), "") for code, position in at.items()}
    known = {code: cast(Mark, mark) for code, mark in kept.items() if mark in MARKS}
    return TableLine(number, texts, known, any(cells[width:]))
